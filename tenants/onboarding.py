"""Connecting a tenant: an administrator consents, proves who they are, and the portal proves that it can act there.

The tenant named in Microsoft's answer to an admin consent is only a parameter of an address, which anybody can open.
So it is never believed. A signed-in administrator connects the tenant they belong to and no other. Somebody whose
tenant the portal does not know yet makes two trips:

    consent ─► back with a tenant id ─► we act in that tenant ─► sign in ─► an administrator of that very tenant

Only after all of it is a row written. Each trip has a signed state that this browser's session can use once, within
ten minutes.

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
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts import services
from accounts.access import Actor
from accounts.models import Membership, Tenant
from accounts.oidc import flow
from accounts.oidc.id_token import Identity, InvalidIdToken
from accounts.roles import Role
from accounts.tenancy import tenant_context
from audit import services as audit
from audit.models import AuditEvent
from directory import tasks as directory_tasks
from graph import tokens, transport
from graph.client import GraphClient
from graph.clouds import installed
from graph.errors import Forbidden, GraphError, NotFound
from graph.explain import words
from graph.types import Organization
from tenants import connection

logger = logging.getLogger(__name__)

SESSION_KEY = "onboarding"
SALT = "consentry.onboarding"
LIFETIME = 600  # seconds


class NotConnected(Exception):
    """The tenant was not connected, and nothing was stored. `str()` says why, for people.

    Attributes:
        fix: what to do about it.
        code: Microsoft's number of the error; request_id: its id of the request.
    """

    def __init__(self, words: str, *, fix: str = "", code: str = "", request_id: str = ""):
        super().__init__(words)
        self.words, self.fix, self.code, self.request_id = words, fix, code, request_id


@dataclass(frozen=True)
class Onward:
    """The browser goes to Microsoft once more."""

    address: str


@dataclass(frozen=True)
class Connected:
    """The tenant is connected."""

    tenant: Tenant


@dataclass(frozen=True)
class Proof:
    """What acting in a tenant showed."""

    permissions: frozenset[str]
    organization: Organization | None = None
    own_service_principal_id: UUID | None = None


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
) -> Onward | Connected:
    """Take what Microsoft sent the browser back with, from either trip.

    Args:
        membership: of whoever is signed in; needed where the trip began signed in.

    Raises:
        NotConnected: the answer is not to a question of this session, was used before, is too old, names another
            tenant, or does not hold when acted upon.
    """
    known = _take(session, answer.get("state", ""))
    if "error" in answer:
        raise _from_microsoft(tokens.refusal(dict(answer)))
    if known["trip"] == "sign_in":
        return _signed_in(known, dict(answer))
    return _consented(session, known, answer, membership)


# --- The first trip: consent --------------------------------------------------------------------------


def _consented(
    session: MutableMapping, known: dict, answer: Mapping[str, str], membership: Membership | None
) -> Onward | Connected:
    if answer.get("admin_consent", "").lower() != "true":
        raise NotConnected(_("Nobody consented, so nothing was connected."))
    tenant_id = _tenant_id(answer.get("tenant", ""))
    if not known["tenant"]:
        _refuse_by_state(Tenant.objects.filter(pk=tenant_id).first())
        proof = act(tenant_id)  # before anybody is sent on: a tenant that did not consent ends here
        return _to_sign_in(session, tenant_id, known["redirect_uri"], proof)
    bound_to = UUID(known["tenant"])
    if membership is None or membership.tenant_id != bound_to:
        raise NotConnected(_("You are no longer signed in as the administrator who began this. Start again."))
    if tenant_id != bound_to:
        raise NotConnected(_("The consent was given in another organisation than yours. Nothing was connected."))
    proof = act(tenant_id)
    return Connected(_connect(tenant_id, proof, Actor.of(membership)))


def _tenant_id(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise NotConnected(_("Microsoft's answer names no organisation. Nothing was connected.")) from None


def act(tenant_id: UUID) -> Proof:
    """Prove that the portal can act in a tenant: get a token there, and read whose tenant it is.

    Raises:
        NotConnected: it cannot.
    """
    if not services.serves(tenant_id):
        raise NotConnected(_("This portal serves one organisation only, and yours is another. Nothing was connected."))
    client = GraphClient(str(tenant_id), priority="high")
    try:
        permissions = client.own_permissions(fresh=True)
        organization = _unless_forbidden(client.organization)
        own = _unless_forbidden(lambda: client.service_principal_by_app_id(settings.ENTRA_CLIENT_ID))
    except (GraphError, ImproperlyConfigured) as error:
        problem = connection.explain(error)
        why = _("The portal could not act in your organisation: %(why)s") % {"why": problem.what}
        fix = problem.fix or _("Consent needs a minute to reach all of Microsoft. Wait a minute and start again.")
        raise NotConnected(why, fix=fix, code=problem.code, request_id=problem.request_id) from error
    if permissions is not None and not permissions:
        raise NotConnected(_("The consent gives the portal no permission it could act with."))
    if organization and organization.id != tenant_id:
        raise NotConnected(_("Microsoft answered for another organisation. Nothing was connected."))
    return Proof(permissions or frozenset(), organization, own.id if own else None)


def _unless_forbidden(read):
    try:
        return read()
    except (Forbidden, NotFound):
        return None


# --- The second trip: who was it? ---------------------------------------------------------------------


def _to_sign_in(session: MutableMapping, tenant_id: UUID, redirect_uri: str, proof: Proof) -> Onward:
    state = _put_aside(session, trip="sign_in", tenant=str(tenant_id), redirect_uri=redirect_uri)
    domain = proof.organization.default_domain if proof.organization else None
    try:
        # `flow.redeem` redeems there too. Whose sign-in it was is judged by the proved token, not by where it began.
        client = tokens.confidential_client(settings.ENTRA_TENANT)
        started = tokens.settled(
            lambda: client.initiate_auth_code_flow(
                flow.SCOPES,
                redirect_uri=redirect_uri,
                state=state,
                domain_hint=domain or None,
                response_mode="query",
            )
        )
    except GraphError as error:
        raise _from_microsoft(error) from error
    address = transport.browser_url(started.pop("auth_uri"))
    session[SESSION_KEY] = {**session[SESSION_KEY], "flow": started}
    return Onward(address)


def _signed_in(known: dict, answer: dict[str, str]) -> Connected:
    tenant_id = UUID(known["tenant"])
    try:
        identity = flow.redeem(known["flow"], answer).identity
    except InvalidIdToken as error:
        logger.warning("An answer to the sign-in of an onboarding proves nothing: %s", error)
        raise NotConnected(_("Microsoft's answer could not be verified. Nothing was connected.")) from error
    except GraphError as error:
        raise _from_microsoft(error) from error
    if identity.tenant_id != tenant_id:
        raise NotConnected(
            _("You signed in to another organisation than the one that consented. Nothing was connected.")
        )
    if identity.is_guest or Role.TENANT_ADMIN not in identity.roles:
        raise NotConnected(
            _("You are not an administrator of that organisation, so nothing was connected."),
            fix=_("A Global, Application or Cloud Application Administrator has to do it."),
        )
    return Connected(_connect(tenant_id, act(tenant_id), _actor(identity)))


def _actor(identity: Identity) -> Actor:
    return Actor(
        id=str(identity.object_id),
        label=identity.label,
        roles=frozenset(identity.roles),
        tenant_id=identity.tenant_id,
    )


def connect(tenant_id: UUID, *, actor: Actor) -> Tenant:
    """Connect a tenant that has consented, for whoever runs the portal: prove it by acting there, and write it down.

    Raises:
        NotConnected: it cannot be done. Nothing was stored.
    """
    return _connect(tenant_id, act(tenant_id), actor)


# --- What is kept -------------------------------------------------------------------------------------


def _connect(tenant_id: UUID, proof: Proof, actor: Actor) -> Tenant:
    """Write the tenant down as connected, and ask for its first reading."""
    with tenant_context(tenant_id), transaction.atomic():
        tenant = Tenant.objects.select_for_update().filter(pk=tenant_id).first()
        _refuse_by_state(tenant)
        before = {"state": tenant.state, "permissions": tenant.granted_permissions} if tenant else None
        tenant = tenant or Tenant(pk=tenant_id, slug=_free_slug(proof, tenant_id), name=str(tenant_id))
        if proof.organization:
            tenant.name = (proof.organization.display_name or tenant.name)[:256]
            tenant.domain = proof.organization.default_domain or tenant.domain
        tenant.own_service_principal_id = proof.own_service_principal_id or tenant.own_service_principal_id
        tenant.state = Tenant.State.ACTIVE
        now = timezone.now()
        tenant.connected_at, tenant.permissions_checked_at = now, now
        tenant.granted_permissions = sorted(proof.permissions)
        tenant.save()
        audit.record(
            AuditEvent.TENANT_CONNECTED,
            tenant_id=tenant_id,
            actor=actor,
            target_type="tenant",
            target_id=str(tenant_id),
            target_label=tenant.name,
            outcome="connected",
            before=before,
            after={"state": str(tenant.state), "permissions": tenant.granted_permissions},
        )
        transaction.on_commit(lambda: _ask_for_first_reading(tenant_id))
    return tenant


def _ask_for_first_reading(tenant_id: UUID) -> None:
    try:
        directory_tasks.sync_tenant.delay(str(tenant_id))
    except Exception:
        logger.warning("The first reading of %s could not be asked for; the next round does it.", tenant_id)


def _refuse_by_state(tenant: Tenant | None) -> None:
    """Whoever runs the portal has the last word about a tenant they suspended, or that left."""
    if tenant and tenant.state in (Tenant.State.SUSPENDED, Tenant.State.OFFBOARDED):
        raise NotConnected(
            _("Whoever runs this portal has closed it for your organisation. Nothing was connected."),
            fix=_("Ask them to open it again, then start again."),
        )


def _free_slug(proof: Proof, tenant_id: UUID) -> str:
    organization = proof.organization
    wish = slugify(organization.default_domain.partition(".")[0] or organization.display_name) if organization else ""
    wish = (wish or f"tenant-{str(tenant_id)[:8]}")[:40]
    if Tenant.objects.filter(slug=wish).exists():
        wish = f"{wish}-{str(tenant_id)[:8]}"
    return wish


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


def _from_microsoft(error: GraphError) -> NotConnected:
    said = words(error)
    return NotConnected(
        " ".join((said.what, _("Nothing was connected."))), fix=said.fix, code=said.code, request_id=said.request_id
    )
