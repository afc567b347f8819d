"""The release before this one: its web processes go on while the database is brought up to this one's schema.

Nothing is released yet: it is the commit from which on migrations were only added. Set both with each release.
"""

COMMIT = "cf0c2bf1db597a47bc800e3bed62d19186f66f0a"
MIGRATIONS = {
    "accounts": "0002_isolation",
    "audit": "0003_append_only",
    "directory": "0002_isolation",
    "revocation": "0002_isolation",
}
