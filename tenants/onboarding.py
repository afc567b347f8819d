"""Connecting a tenant: the trips to Microsoft, on which an administrator consents and proves who they are.

The tenant named in Microsoft's answer to an admin consent is only a parameter of an address, which anybody can open.
So it is never believed, nor acted upon for a stranger. A signed-in administrator connects the tenant they belong to and
no other. Somebody whose tenant the portal does not know yet makes two trips:

    consent ─► back with a tenant id ─► sign in ─► somebody of that very tenant ─► waiting page ─► we act in that tenant

Each trip has a signed state that this browser can use once, within ten minutes. What follows is
`tenants.arrival`'s; only at its end a row is written.

https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
"""

import hmac
import logging
import secrets
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext as _

from accounts.models import Membership
from accounts.oidc import flow
from accounts.oidc.id_token import InvalidIdToken
from graph import tokens, transport
from graph.clouds import installed
from graph.errors import GraphError
from tenants import arrival
from tenants.connecting import NotConnected

logger = logging.getLogger(__name__)

SESSION_KEY = "onboarding"
SALT = "consentry.onboarding"
LIFETIME = 600  # seconds


@dataclass(frozen=True)
class Onward:
    """The browser goes to Microsoft once more."""

    address: str


def begin(session: MutableMapping, redirect_uri: str, *, membership: Membership | None = None) -> str:
    """Where the browser goes to consent.

    Args:
        redirect_uri: our callback, as registered.
        membership: of a signed-in administrator, whose tenant is then the only one the answer may name.
    """
    tenant = membership.tenant if membership else None
    bound_to = str(tenant.pk) if tenant else ""
    state = _put_aside(session, trip="consent", tenant=bound_to, redirect_uri=redirect_uri)
    query = {
        "client_id": settings.ENTRA_CLIENT_ID,
        "scope": f"{installed().graph}/.default",
        "redirect_uri": redirect_uri,
        "state": state,
    }
    authority = installed().authority(bound_to or settings.ENTRA_TENANT)
    return transport.browser_url(f"{authority}/v2.0/adminconsent?{urlencode(query)}")


def returned(
    session: MutableMapping, answer: Mapping[str, str], *, membership: Membership | None = None
) -> Onward | None:
    """Take what Microsoft sent the browser back with, from either trip.

    Args:
        membership: of whoever is signed in; needed where the trip began signed in.

    Returns:
        None when there is no further trip: `arrival.proceed` goes on.

    Raises:
        NotConnected: the answer is not to a question of this session, is too old, names another tenant, or proves
            nothing.
    """
    state = answer.get("state", "")
    if arrival.came_by(session, state):
        return None  # opened again, by a reload or the way back
    known = _take(session, state)
    if "error" in answer:
        raise NotConnected.by_microsoft(tokens.refusal(dict(answer)))
    if known["trip"] == "sign_in":
        return _signed_in(session, known, dict(answer))
    return _consented(session, known, answer, membership)


def is_open() -> bool:
    """Whether somebody whose organisation is not connected may begin at all."""
    return settings.ONBOARDING != ["closed"]


def lets_in(tenant_id: UUID) -> bool:
    """Whether this organisation may be connected: any, or those that ONBOARDING lists. Asked of proved identities."""
    return settings.ONBOARDING == ["open"] or str(tenant_id) in settings.ONBOARDING


def closed() -> NotConnected:
    return NotConnected(
        _("Whoever runs this portal has not opened it to your organisation. Nothing was connected."),
        fix=_("Ask them to let it in, and give them your tenant id."),
    )


# --- The first trip: consent --------------------------------------------------------------------------


def _consented(
    session: MutableMapping, known: dict, answer: Mapping[str, str], membership: Membership | None
) -> Onward | None:
    if answer.get("admin_consent", "").lower() != "true":
        raise NotConnected(_("Nobody consented, so nothing was connected."))
    tenant_id = _tenant_id(answer.get("tenant", ""))
    if not known["tenant"]:
        return _to_sign_in(session, tenant_id, known["redirect_uri"])
    bound_to = UUID(known["tenant"])
    if membership is None or membership.tenant_id != bound_to:
        raise NotConnected(_("You are no longer signed in as the administrator who began this. Start again."))
    if tenant_id != bound_to:
        raise NotConnected(_("The consent was given in another organisation than yours. Nothing was connected."))
    arrival.wait(session, tenant_id, state=answer["state"])
    return None


def _tenant_id(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise NotConnected(_("Microsoft's answer names no organisation. Nothing was connected.")) from None


# --- The second trip: who was it? ---------------------------------------------------------------------


def _to_sign_in(session: MutableMapping, tenant_id: UUID, redirect_uri: str) -> Onward:
    state = _put_aside(session, trip="sign_in", tenant=str(tenant_id), redirect_uri=redirect_uri)
    try:
        # `flow.redeem` redeems there too. Whose sign-in it was is judged by the proved token, not by where it began.
        client = tokens.confidential_client(settings.ENTRA_TENANT)
        started = tokens.settled(
            lambda: client.initiate_auth_code_flow(
                flow.SCOPES, redirect_uri=redirect_uri, state=state, response_mode="query"
            )
        )
    except GraphError as error:
        raise NotConnected.by_microsoft(error) from error
    address = transport.browser_url(started.pop("auth_uri"))
    session[SESSION_KEY] = {**session[SESSION_KEY], "flow": started}
    return Onward(address)


def _signed_in(session: MutableMapping, known: dict, answer: dict[str, str]) -> None:
    tenant_id = UUID(known["tenant"])
    try:
        identity = flow.redeem(known["flow"], answer).identity
    except InvalidIdToken as error:
        logger.warning("An answer to the sign-in of an onboarding proves nothing: %s", error)
        raise NotConnected(_("Microsoft's answer could not be verified. Nothing was connected.")) from error
    except GraphError as error:
        raise NotConnected.by_microsoft(error) from error
    if not lets_in(identity.tenant_id):
        raise closed()
    if identity.tenant_id != tenant_id:
        raise NotConnected(
            _("You signed in to another organisation than the one that consented. Nothing was connected.")
        )
    if not arrival.may_be_administrator(identity):
        raise arrival.no_administrator()
    arrival.wait(session, tenant_id, state=answer["state"], identity=identity)


# --- The state: signed, of this browser, once, for ten minutes ----------------------------------------


def _put_aside(session: MutableMapping, **known: Any) -> str:
    nonce = secrets.token_urlsafe(24)
    session[SESSION_KEY] = {"nonce": nonce, **known}
    return signing.dumps({"nonce": nonce, "trip": known["trip"], "tenant": known["tenant"]}, salt=SALT)


def _take(session: MutableMapping, state: str) -> dict[str, Any]:
    """What was put aside for this state. Whatever comes of it, it cannot be taken again."""
    known = session.pop(SESSION_KEY, None)
    try:
        signed = signing.loads(state, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:
        signed = None
    mine = (
        isinstance(known, dict)
        and isinstance(signed, dict)
        and hmac.compare_digest(str(signed.get("nonce")), known["nonce"])
        and (signed.get("trip"), signed.get("tenant")) == (known["trip"], known["tenant"])
    )
    if not mine:
        raise NotConnected(
            _("This answer fits no question of this browser, or is older than ten minutes."),
            fix=_("Start again."),
        )
    return known
