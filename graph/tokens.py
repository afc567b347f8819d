"""Tokens, by way of MSAL: app-only ones for Graph, and the clients that sign people in.

App-only tokens live in this process's memory only. MSAL checks nothing in an ID token but its nonce; whoever signs
people in must validate it (`accounts.oidc.id_token`).
"""

import base64
import binascii
import json
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

import msal
import requests
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext
from msal.exceptions import MsalError

from graph import clouds, transport
from graph.errors import GraphError, TokenError, TokenUnavailable
from graph.explain import aadsts, of_code

T = TypeVar("T")
DOCUMENT_LIFETIME = 3600.0  # seconds a discovery document is kept

_lock = threading.Lock()
_cache = msal.TokenCache()  # keys name client, cloud and tenant, so all tenants share it
_apps: dict[tuple, "_App"] = {}
_documents: dict[tuple[str, str], tuple[float, "_Text"]] = {}


@dataclass(frozen=True)
class AppToken:
    """An app-only token for Graph.

    Attributes:
        value: the bearer. Never logged: `repr` leaves it out.
        hint: the application permissions it seems to carry; None when it cannot be read. Tokens for Graph are opaque
            to everyone else, so nothing may depend on it. https://learn.microsoft.com/entra/identity-platform/access-tokens
        expires_at: Unix time.
    """

    value: str = field(repr=False)
    hint: frozenset[str] | None
    expires_at: float


@dataclass
class _App:
    """The portal in one tenant. Whoever holds the lock makes its client, which reads a discovery document."""

    client: msal.ConfidentialClientApplication | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class _Text:
    """An answer as MSAL wants it."""

    status_code: int
    text: str
    headers: dict

    def raise_for_status(self) -> None:
        """Nothing to raise: `HttpClient` lets neither 5xx nor 429 pass."""


class HttpClient:
    """MSAL's way to the network: our session of the calling thread, and answers that are JSON objects or errors."""

    def get(self, url, params=None, headers=None, **_ignored) -> _Text:
        key = (transport.sandbox_base(), url)
        known = _documents.get(key)
        if known and not params and known[0] > time.monotonic():
            return known[1]
        answer = self._ask("GET", url, params=params, headers=headers)
        if answer.status_code == 200 and not params:
            _documents[key] = (time.monotonic() + DOCUMENT_LIFETIME, answer)
        return answer

    def post(self, url, params=None, data=None, headers=None, **_ignored) -> _Text:
        return self._ask("POST", url, params=params, data=data, headers=headers)

    def close(self) -> None:
        """The session belongs to the thread, not to us."""

    def _ask(self, method: str, url: str, **options) -> _Text:
        try:
            response = transport.session().request(method, url, **options)
        except requests.RequestException as error:
            wait = getattr(error, "retry_after", None)  # nothing was sent to a host that hangs
            raise TokenUnavailable("Microsoft's sign-in could not be reached.", retry_after=wait) from error
        if response.status_code == 429 or response.status_code >= 500:
            raise TokenUnavailable(
                "Microsoft's sign-in is busy or has a fault.",
                status=response.status_code,
                retry_after=seconds(response.headers.get("Retry-After")),
            )
        try:
            readable = isinstance(response.json(), dict)
        except ValueError:
            readable = False
        if not readable:
            raise TokenUnavailable("Microsoft's sign-in sent an unreadable answer.", status=response.status_code)
        return _Text(response.status_code, response.text, dict(response.headers))


def seconds(retry_after: str | None) -> float | None:
    """`Retry-After` in seconds, from either of its two forms; None when absent or unreadable."""
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def app_token(tenant_id, *, claims: str | None = None) -> AppToken:
    """The token with which the portal acts in a tenant, from memory while it lasts.

    Args:
        claims: a claims challenge (JSON) from Graph; the token is then a new one that answers it.

    Raises:
        TokenError: Microsoft refused; `explanation` says why, for example that consent was withdrawn.
        TokenUnavailable: Microsoft could not be asked.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """
    scope = f"{clouds.installed().graph}/.default"
    app = _apps.setdefault(_key(str(tenant_id)), _App())
    with app.lock:  # one request for many threads that find the cache empty
        app.client = app.client or confidential_client(str(tenant_id), cache=_cache)
        result = settled(lambda: app.client.acquire_token_for_client([scope], claims_challenge=claims))
    if "access_token" not in result:
        # MSAL would repeat a refusal for a minute, also after the admin has put it right.
        _apps.pop(_key(str(tenant_id)), None)
        raise refusal(result)
    return AppToken(
        value=result["access_token"],
        hint=_hint(result["access_token"]),
        expires_at=time.time() + float(result.get("expires_in", 0)),
    )


def forget_app_token(tenant_id) -> None:
    """Make the next `app_token` ask Microsoft: after a 401, or to see permissions that were granted just now."""
    query = {"client_id": settings.ENTRA_CLIENT_ID, "realm": str(tenant_id), "home_account_id": None}
    for item in list(_cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN, query=query)):
        if item.get("environment") == clouds.installed().login_host:
            _cache.remove_at(item)


def forget_everything() -> None:
    """Drop every token, client and discovery document: what a new process would start with."""
    global _cache
    with _lock:
        _cache = msal.TokenCache()
        _apps.clear()
        _documents.clear()


def confidential_client(
    authority_tenant: str, *, cache: msal.TokenCache | None = None
) -> msal.ConfidentialClientApplication:
    """An MSAL client for one tenant id, or for `organizations`, on the caller's own token cache.

    Make a new one for each use: MSAL repeats refusals for a minute on the same object.

    Raises:
        TokenError, TokenUnavailable: making one reads the tenant's discovery document.
    """
    return settled(
        lambda: msal.ConfidentialClientApplication(
            settings.ENTRA_CLIENT_ID,
            client_credential=_credential(),
            authority=clouds.installed().authority(authority_tenant),
            token_cache=cache or msal.TokenCache(),
            http_client=HttpClient(),
            instance_discovery=False,
            client_capabilities=["CP1"],  # we answer claims challenges, so Microsoft may cut our tokens short
        )
    )


def settled(ask: Callable[[], T]) -> T:
    """Run one of MSAL's calls; whatever it raises comes out as one of our errors.

    An OAuth error in the result is not an exception in MSAL: pass such a result to `refusal`.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="msal")
            return ask()
    except (GraphError, ImproperlyConfigured):
        raise
    except (MsalError, requests.RequestException) as error:
        raise TokenUnavailable("Microsoft's sign-in could not be asked.") from error
    except ValueError as error:
        # MSAL's last word is its own; Microsoft's number is in the error that led to it.
        code = aadsts(f"{error} {error.__cause__ or error.__context__}")
        if code:  # discovery answers 400 for a tenant Microsoft does not know
            text = str(of_code(code) or code)
            raise TokenError(text, error="invalid_tenant", code=code, explanation=text) from None
        raise TokenUnavailable("Microsoft's sign-in sent an answer that cannot be used.") from error
    except (AttributeError, LookupError, TypeError) as error:  # MSAL takes an ID token apart before anybody proves it
        raise TokenUnavailable("Microsoft's sign-in sent an answer that makes no sense.") from error


def refusal(result: dict) -> TokenError:
    """An OAuth error object as an exception, with its AADSTS number in plain words."""
    error = str(result.get("error", ""))
    numbers = result.get("error_codes") or []
    code = aadsts(str(result.get("error_description", ""))) or (f"AADSTS{numbers[0]}" if numbers else error)
    described = str(result.get("error_description", "")).partition("\n")[0].strip()
    text = str(of_code(code, error) or described or gettext("Microsoft's sign-in refused, without saying why."))
    return TokenError(
        text,
        error=error,
        code=code,
        explanation=text,
        suberror=str(result.get("suberror", "")),
        claims=result.get("claims"),
        request_id=str(result.get("trace_id") or result.get("correlation_id") or ""),
    )


def _hint(token: str) -> frozenset[str] | None:
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return None
    if not isinstance(claims, dict):
        return None
    roles = claims.get("roles", [])  # a token without any permission has no such claim
    return frozenset(str(role) for role in roles) if isinstance(roles, list) else None


def _key(tenant_id: str) -> tuple:
    return (
        tenant_id,
        settings.ENTRA_CLOUD,
        transport.sandbox_base(),
        settings.ENTRA_CLIENT_ID,
        settings.ENTRA_CLIENT_SECRET,
        settings.ENTRA_CERTIFICATE,
    )


def _credential() -> str | dict:
    """The certificate where there is one, else the secret."""
    if settings.ENTRA_CERTIFICATE:
        try:
            return {
                "private_key": Path(settings.ENTRA_PRIVATE_KEY or settings.ENTRA_CERTIFICATE).read_text(),
                "public_certificate": Path(settings.ENTRA_CERTIFICATE).read_text(),
            }
        except OSError as error:
            raise ImproperlyConfigured(f"The portal's certificate or key cannot be read: {error}") from error
    if not settings.ENTRA_CLIENT_SECRET:
        raise ImproperlyConfigured("Set ENTRA_CERTIFICATE and ENTRA_PRIVATE_KEY, or ENTRA_CLIENT_SECRET.")
    return settings.ENTRA_CLIENT_SECRET
