"""The contract test with a real tenant: one call of each kind, held against what the sandbox answers."""
