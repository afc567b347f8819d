"""What can go wrong between us and Microsoft. Callers choose by this tree:

GraphError              keeps the `request_id` that Microsoft support will ask for
  Rejected              4xx: asking again will not help
    Unauthorized        401: our token is not accepted here
    Forbidden           403: this tenant has not granted the permission
    NotFound            404: gone, or never there
    Expired             400/410: the place in a list was forgotten; start the list again
  Retryable             asking again later may help
    Throttled           429, or 409 over concurrent writes: wait `retry_after` seconds; nothing was done
    Unavailable         5xx, timeout, lost connection, unreadable answer; `sent` says whether it may have been done
    TokenUnavailable    the token endpoint cannot be asked just now; nothing was sent to Graph
  TokenError            the token endpoint refused: `code` is Microsoft's AADSTS number, `explanation` says it plainly
"""

from enum import StrEnum


class GraphError(Exception):
    """Anything but success.

    Attributes:
        message: Microsoft's words, or ours where there was no readable answer.
        status: the HTTP status; None when no answer came.
        code: Graph's error code, such as `Request_ResourceNotFound`.
        request_id: Graph's id of the request; empty when no answer came.
        sent: whether the request may have been carried out, although we hold no success for it.
    """

    sent = False

    def __init__(self, message: str, *, status: int | None = None, code: str = "", request_id: str = ""):
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id

    def __str__(self) -> str:
        known = [str(self.status or ""), self.code, f"request id {self.request_id}" if self.request_id else ""]
        details = ", ".join(part for part in known if part)
        return f"{self.message} ({details})" if details else self.message


class Rejected(GraphError):
    """Asking again will not help."""


class Unauthorized(Rejected):
    """The token is not accepted. `claims` holds the challenge (JSON) when a new token must answer one."""

    def __init__(self, message: str, *, claims: str | None = None, **known):
        super().__init__(message, **known)
        self.claims = claims


class Forbidden(Rejected):
    """The tenant has not granted what this call needs."""


class NotFound(Rejected):
    """Gone, or never there, or not yet replicated."""


class Expired(Rejected):
    """A page or delta token ran out: forget it and begin the list again."""


class Retryable(GraphError):
    """Asking again later may help. `retry_after` is in seconds, None when Microsoft named no time."""

    def __init__(self, message: str, *, retry_after: float | None = None, **known):
        super().__init__(message, **known)
        self.retry_after = retry_after


class ThrottleScope(StrEnum):
    """Whose limit was met. https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits"""

    TENANT_APP = "Tenant_Application"  # the portal in this tenant
    TENANT = "Tenant"  # every app in this tenant together
    APP = "Application"  # the portal over all tenants
    UNKNOWN = ""


class Throttled(Retryable):
    """Microsoft asks us to wait. The request was not carried out.

    Attributes:
        scope: whose limit was met. Microsoft need not say it.
    """

    def __init__(self, message: str, *, scope: ThrottleScope = ThrottleScope.UNKNOWN, **known):
        super().__init__(message, **known)
        self.scope = scope


class Unavailable(Retryable):
    """No usable answer. With `sent`, the request may have been carried out all the same."""

    def __init__(self, message: str, *, sent: bool, **known):
        super().__init__(message, **known)
        self.sent = sent


class TokenUnavailable(Retryable):
    """The token endpoint could not be asked, or answered with something unreadable."""


class TokenError(GraphError):
    """The token endpoint refused.

    Attributes:
        error: the OAuth error, such as `invalid_grant`. Branch on this one.
        code: `AADSTS50173`, or the OAuth error where Microsoft named no number.
        explanation: what it means and what to do, in plain words.
        claims: what the next interactive sign-in must satisfy (JSON), where Conditional Access asked for it.
    """

    def __init__(
        self,
        message: str,
        *,
        error: str = "",
        explanation: str = "",
        suberror: str = "",
        claims: str | None = None,
        **known,
    ):
        super().__init__(message, **known)
        self.error = error
        self.explanation = explanation or message
        self.suberror = suberror
        self.claims = claims
