"""Refusals in Entra's words: every `AADSTS` number the sandbox knows, and the shape it is answered in.

https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

# number: (error, suberror)
CATALOGUE: dict[int, tuple[str, str | None]] = {
    16000: ("interaction_required", None),
    50011: ("invalid_request", None),
    50012: ("invalid_client", None),
    50020: ("invalid_grant", None),
    50034: ("invalid_grant", None),
    50049: ("invalid_instance", None),
    50057: ("invalid_grant", None),
    50058: ("login_required", None),
    50105: ("invalid_grant", None),
    50173: ("invalid_grant", "bad_token"),
    50194: ("invalid_request", None),
    51004: ("invalid_grant", None),
    54005: ("invalid_grant", None),
    65001: ("invalid_grant", "consent_required"),
    65004: ("access_denied", None),
    70000: ("invalid_grant", None),
    70003: ("unsupported_grant_type", None),
    70008: ("invalid_grant", "token_expired"),
    70011: ("invalid_scope", None),
    70016: ("authorization_pending", None),
    70018: ("bad_verification_code", None),
    70020: ("expired_token", None),
    28002: ("invalid_scope", None),
    28003: ("invalid_scope", None),
    90002: ("invalid_request", None),
    90013: ("invalid_request", None),
    90014: ("invalid_request", None),
    90094: ("access_denied", None),
    500011: ("invalid_resource", None),
    50013: ("invalid_grant", None),
    500131: ("invalid_grant", None),
    500133: ("invalid_grant", None),
    500201: ("invalid_request", None),
    501481: ("invalid_grant", None),
    650053: ("invalid_client", None),
    650056: ("invalid_client", None),
    650057: ("invalid_resource", None),
    700005: ("invalid_grant", None),
    700016: ("unauthorized_client", None),
    700024: ("invalid_client", None),
    700025: ("invalid_client", None),
    700027: ("invalid_client", None),
    700054: ("unsupported_response_type", None),
    700082: ("invalid_grant", "token_expired"),
    900144: ("invalid_request", None),
    1002012: ("invalid_scope", None),
    7000112: ("unauthorized_client", None),
    7000215: ("invalid_client", None),
    7000218: ("invalid_client", None),
    7000229: ("invalid_client", None),
    9001023: ("invalid_request", None),
    9002313: ("invalid_grant", None),
}


class Refusal(Exception):
    """Why Entra says no. Becomes JSON at the token endpoint, a redirect or a page at the others.

    Attributes:
        on_page: shown to the person and never sent to the redirect URI, because that could be anybody's.
    """

    def __init__(
        self,
        code: int,
        text: str,
        *,
        error: str | None = None,
        suberror: str | None = None,
        claims: str | None = None,
        on_page: bool = False,
    ):
        super().__init__(f"AADSTS{code}: {text}")
        self.code, self.text, self.claims, self.on_page = code, text, claims, on_page
        known = CATALOGUE.get(code, ("invalid_request", None))
        self.error = error or known[0]
        self.suberror = suberror or (known[1] if error is None else None)

    @property
    def status(self) -> int:
        return 401 if self.error == "invalid_client" else 400

    def described(self, now: datetime, correlation_id: str | None = None) -> dict[str, Any]:
        """The JSON body. Every refusal gets a trace id of its own; `correlation_id` echoes the client's request id."""
        trace, correlation = str(uuid.uuid4()), _guid(correlation_id) or str(uuid.uuid4())
        stamp = f"{now:%Y-%m-%d %H:%M:%SZ}"
        body: dict[str, Any] = {
            "error": self.error,
            "error_description": f"{self} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
        if self.suberror:
            body["suberror"] = self.suberror
        if self.claims:
            body["claims"] = self.claims
        return body


def _guid(text: str | None) -> str | None:
    try:
        return str(uuid.UUID(text)) if text else None
    except ValueError:
        return None


def missing(name: str) -> Refusal:
    return Refusal(900144, f"The request body must contain the following parameter: '{name}'.")


def no_tenant(name: str) -> Refusal:
    return Refusal(
        90002,
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
        on_page=True,
    )


def no_application(app_id: str, directory: str) -> Refusal:
    return Refusal(
        700016,
        f"Application with identifier '{app_id}' was not found in the directory '{directory}'. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
        on_page=True,
    )


def no_principal(app_id: str, tenant_id: str) -> Refusal:
    return Refusal(7000229, f"The client application {app_id} is missing service principal in the tenant {tenant_id}.")


def application_disabled(app_id: str, name: str) -> Refusal:
    return Refusal(7000112, f"Application '{app_id}'({name}) is disabled.", on_page=True)


def user_disabled() -> Refusal:
    return Refusal(50057, "The user account is disabled.", on_page=True)


def no_user(upn: str, directory: str) -> Refusal:
    return Refusal(
        50034,
        f"The user account {{EUII Hidden}} does not exist in the {directory} directory. To sign into this application, "
        "the account must be added to the directory.",
        on_page=True,
    )


def foreign_user(upn: str, provider: str, directory: str, app_id: str, app_name: str) -> Refusal:
    return Refusal(
        50020,
        f"User account '{upn}' from identity provider '{provider}' does not exist in tenant '{directory}' and cannot "
        f"access the application '{app_id}'({app_name}) in that tenant. The account needs to be added as an external "
        "user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account.",
        on_page=True,
    )


def not_assigned(app_id: str, name: str) -> Refusal:
    return Refusal(
        50105,
        f"Your administrator has configured the application {name} ('{app_id}') to block users unless they are "
        "specifically granted ('assigned') access to the application. The signed in user '{EmailHidden}' is blocked "
        "because they are not a direct member of a group with access, nor had access directly assigned by an "
        "administrator. Please contact your administrator to assign access to this application.",
        on_page=True,
    )


def revoked(issued: datetime, valid_from: datetime) -> Refusal:
    return Refusal(
        50173,
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have "
        f"changed or reset their password. The grant was issued on '{issued:%Y-%m-%dT%H:%M:%S}.{issued:%f}0Z' and the "
        "TokensValidFrom date (before which tokens are not valid) for this user is "
        f"'{valid_from:%Y-%m-%dT%H:%M:%S}.0000000Z'.",
    )


def consent_required(app_id: str, name: str) -> Refusal:
    return Refusal(
        65001,
        f"The user or administrator has not consented to use the application with ID '{app_id}' named '{name}'. Send "
        "an interactive authorization request for this user and resource.",
    )
