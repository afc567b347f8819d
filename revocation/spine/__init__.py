"""How a request is carried out: stored, claimed, sent, written down, proved, and never lost."""
