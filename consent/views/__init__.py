"""HTTP for consent: find, ask a service, answer. One file per subject."""
