"""Who may have what done: protection, a second person's yes, and how a refusal is said."""
