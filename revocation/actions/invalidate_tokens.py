"""The beta twin of revoke_sessions, for tenants whose B2C custom policies read the other clock.

https://learn.microsoft.com/graph/api/user-invalidateallrefreshtokens
"""

from django.utils.translation import gettext_lazy

from revocation.actions.revoke_sessions import RevokeSessions


class InvalidateTokens(RevokeSessions):
    name = "invalidate_tokens"
    label = gettext_lazy("Sign out everywhere (both clocks)")
    operation = "invalidateAllRefreshTokens"
    beta = True
    needs = ("User.RevokeSessions.All",)
