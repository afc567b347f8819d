"""The beta twin of revoke_sessions, for tenants whose B2C custom policies read the other clock.

https://learn.microsoft.com/graph/api/user-invalidateallrefreshtokens
"""

from revocation.actions.revoke_sessions import RevokeSessions


class InvalidateTokens(RevokeSessions):
    name = "invalidate_tokens"
    operation = "invalidateAllRefreshTokens"
    beta = True
