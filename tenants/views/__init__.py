"""HTTP for connecting and administering a tenant. One file per subject."""
