"""HTTP for revocations: find, ask a service, answer. One file per subject."""
