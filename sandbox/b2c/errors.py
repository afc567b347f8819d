"""Refusals of B2C's endpoints: a number, a few words, and the shape they are answered in.

https://learn.microsoft.com/azure/active-directory-b2c/error-codes
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

TEXTS = {
    "AADB2C90075": "The claims exchange failed at the service that was called.",
    "AADB2C90077": "There is no existing session, and the request's prompt parameter is none.",
    "AADB2C90079": "This client has to send a client_secret when it redeems a confidential grant.",
    "AADB2C90080": "The provided grant has expired. Please reauthenticate and try again.",
    "AADB2C90081": "The specified client_secret does not match the expected value for this client.",
    "AADB2C90083": "The request is missing a required parameter.",
    "AADB2C90084": "Public clients should not send a client_secret when redeeming a publicly acquired grant.",
    "AADB2C90085": "The service has encountered an internal error. Please reauthenticate and try again.",
    "AADB2C90086": "The supplied grant_type is not supported.",
    "AADB2C90088": "The provided grant has not been issued for this endpoint.",
    "AADB2C90090": "The provided grant is malformed.",
    "AADB2C90128": "The account associated with this grant no longer exists. Please reauthenticate and try again.",
    "AADB2C90129": "The provided grant has been revoked. Please reauthenticate and try again.",
    "AADB2C90261": "The claims exchange returned an error response that cannot be parsed.",
    "AADB2C90279": "The provided client id does not match the client id that issued the grant.",
    "AADB2C90288": "The refresh journey that an issuer's technical profile names does not exist.",
}
ERRORS = {  # what is not invalid_grant
    "AADB2C90077": "interaction_required",
    "AADB2C90079": "invalid_request",
    "AADB2C90081": "invalid_request",
    "AADB2C90083": "invalid_request",
    "AADB2C90084": "invalid_request",
    "AADB2C90086": "unsupported_grant_type",
}


class Refusal(Exception):
    """No tokens. `why` is for whoever looks into the sandbox: B2C would not say it."""

    def __init__(self, code: str, why: str = "", *, error: str = ""):
        super().__init__(f"{code}: {TEXTS[code]}")
        self.code, self.why = code, why
        self.error = error or ERRORS.get(code, "invalid_grant")

    def described(self, now: datetime, correlation_id: str = "") -> dict[str, str]:
        """The body of the answer."""
        stamp = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        correlation = correlation_id or str(uuid.uuid4())
        text = f"{self}\r\nCorrelation ID: {correlation}\r\nTimestamp: {stamp}\r\n"
        return {"error": self.error, "error_description": text}
