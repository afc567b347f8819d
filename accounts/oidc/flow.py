"""One trip to Microsoft's sign-in page and back, through MSAL.

The flow (verifier, nonce, redirect URI) waits in the browser that began it: see `accounts.trips`.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import msal
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts.oidc import id_token
from accounts.oidc.id_token import Identity, InvalidIdToken
from graph import tokens, transport
from graph.clouds import installed
from graph.errors import TokenUnavailable

SCOPES = ["User.Read"]


@dataclass(frozen=True)
class Start:
    state: str
    flow: dict[str, Any]
    address: str  # where the browser goes


@dataclass(frozen=True)
class Arrival:
    """A proved identity, and the tokens that came with it."""

    identity: Identity
    cache: msal.SerializableTokenCache


def client(tenant: str, cache: msal.TokenCache | None = None) -> msal.ConfidentialClientApplication:
    """An MSAL client that signs people of this tenant in, at the installed cloud's own sign-in host and nowhere else.

    MSAL sends people, codes and refresh tokens where the discovery document says. Issuer and signing keys do not come
    from it: `id_token` and `signing_keys` know their names from the cloud.

    Raises:
        TokenError, TokenUnavailable: the document could not be read, or names another host.
    """
    made = tokens.confidential_client(tenant, cache=cache)
    for address in (made.authority.authorization_endpoint, made.authority.token_endpoint):
        place = urlsplit(address)
        if place.scheme != "https" or place.netloc not in installed().login_hosts:
            raise TokenUnavailable("Microsoft's sign-in named an address that is not Microsoft's.")
    return made


def begin(
    request: HttpRequest, *, prompt: str | None = None, max_age: int | None = None, login_hint: str | None = None
) -> Start:
    """Prepare a sign-in: at any organisation, or at the one that ENTRA_TENANT names.

    Raises:
        TokenError, TokenUnavailable: Microsoft's discovery document could not be read, or used.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
    """
    state = secrets.token_urlsafe(24)
    asking = client(settings.ENTRA_TENANT)
    flow = tokens.settled(
        lambda: asking.initiate_auth_code_flow(
            SCOPES,
            redirect_uri=request.build_absolute_uri(reverse("entra_callback")),
            state=state,
            prompt=prompt,
            max_age=max_age,
            login_hint=login_hint,
            response_mode="query",  # a form post from another site would arrive without our Lax session cookie
        )
    )
    # Whether the credentials are young enough is ours to judge, with a page of its own.
    flow.pop("max_age", None)
    return Start(state, flow, transport.browser_url(flow.pop("auth_uri")))


def redeem(flow: dict[str, Any], answer: dict[str, str]) -> Arrival:
    """Exchange the code for tokens and prove who it is.

    Raises:
        InvalidIdToken: the answer is not Microsoft's answer to this flow.
        TokenError: Microsoft refused; TokenUnavailable: it could not be asked.
    """
    nonce = hashlib.sha256(flow["nonce"].encode()).hexdigest()  # MSAL sends the digest and keeps the secret
    cache = msal.SerializableTokenCache()
    asking = client(settings.ENTRA_TENANT, cache)
    try:
        result = tokens.settled(lambda: asking.acquire_token_by_auth_code_flow(flow, answer))
    except RuntimeError as error:  # MSAL's word for a nonce that is not ours
        raise InvalidIdToken("nonce") from error
    if "id_token" not in result:
        raise tokens.refusal(result)
    return Arrival(id_token.prove(result["id_token"], nonce=nonce), cache)


def sign_out_address(request: HttpRequest, *, hint: str = "") -> str:
    """Where the browser ends its session at Microsoft, and comes back from.

    Args:
        hint: the `login_hint` claim of who signs out; without it, Microsoft may ask which account is meant.

    https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#send-a-sign-out-request
    """
    back = {"post_logout_redirect_uri": request.build_absolute_uri(reverse("accounts:signed-out"))}
    query = urlencode(back | ({"logout_hint": hint} if hint else {}))
    return transport.browser_url(f"{installed().authority(settings.ENTRA_TENANT)}/oauth2/v2.0/logout?{query}")
