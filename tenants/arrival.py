"""After the trips to Microsoft: waiting until the consent has reached all of it, then connecting.

Microsoft says at once that a consent was given, and tells its own servers within a minute or two. Until then the
portal gets no token, or one with none or some of its permissions. So somebody whose identity is proved waits on a page
that asks again. What waits is kept in the session of this browser; nobody else learns anything from that page, and
reloading it only asks once more.

https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
"""

import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.models import Membership, Tenant
from accounts.oidc.id_token import Identity
from accounts.roles import Role, roles_from_claims
from graph.client import GraphClient
from graph.errors import Forbidden, GraphError
from tenants import connecting
from tenants.connecting import NotConnected, Proof

SESSION_KEY = "arrival"
PATIENCE = 120  # seconds for which a missing consent is taken for a late one
SETTLED = 20  # seconds after which a part that does not grow is all there is
LIFETIME = 600  # seconds


@dataclass(frozen=True)
class Waiting:
    """The consent has not reached all of Microsoft.

    Attributes:
        seconds: how long it has been waited for; `patience` how long it will be.
        why: what Microsoft says so far, for people.
        granted: the permissions that show already.
    """

    seconds: int
    why: str = ""
    granted: tuple[str, ...] = ()
    patience: int = PATIENCE


@dataclass(frozen=True)
class Connected:
    """The tenant is connected."""

    tenant: Tenant


def wait(session: MutableMapping, tenant_id: UUID, *, state: str, identity: Identity | None = None) -> None:
    """Keep, for this browser, that an administrator came back and the tenant may be connected now.

    Args:
        state: of the trip that ended; its answer, opened again, leads to the same page.
        identity: who proved to belong to the tenant; None where the administrator is signed in.
    """
    person = None
    if identity:
        person = {
            "id": str(identity.object_id),
            "label": identity.label,
            "roles": [str(role) for role in identity.roles],
            "told": identity.directory_roles_told,
        }
    session[SESSION_KEY] = {"tenant": str(tenant_id), "state": state, "person": person, "since": time.time()}


def came_by(session: MutableMapping, state: str) -> bool:
    """Whether the trip with this state ended, and what came of it waits already."""
    waiting = session.get(SESSION_KEY)
    return bool(waiting and state and waiting["state"] == state)


def proceed(session: MutableMapping, *, membership: Membership | None = None) -> Waiting | Connected:
    """Try to connect what waits.

    Args:
        membership: of the administrator who is signed in, if any.

    Raises:
        NotConnected: it cannot be; or nothing waits in this browser, or for too long. After `PATIENCE` what may have
            been late is told as missing, and can be tried again.
    """
    waiting = session.get(SESSION_KEY)
    if not waiting or time.time() - waiting["since"] > LIFETIME:
        raise NotConnected(_("Nothing is being connected in this browser."), fix=_("Start again."))
    tenant_id = UUID(waiting["tenant"])
    if waiting.get("done"):
        return Connected(Tenant.objects.get(pk=tenant_id))
    actor = _actor(waiting, tenant_id, membership)
    waited = int(time.time() - waiting["since"])
    try:
        proof = connecting.act(tenant_id)
        if waited < PATIENCE and not _settled(session, waiting, proof):
            return Waiting(waited, granted=tuple(sorted(proof.permissions or ())))
        _require_administrator(tenant_id, waiting["person"])
    except NotConnected as reason:
        if reason.passing and waited < PATIENCE:
            return Waiting(waited, why=str(reason))
        raise
    tenant = connecting.connect(tenant_id, actor=actor, proof=proof)
    session[SESSION_KEY] = {**waiting, "done": True}
    return Connected(tenant)


def _settled(session: MutableMapping, waiting: dict, proof: Proof) -> bool:
    """Whether what shows is all there is: everything the portal needs, or a part that has stopped growing."""
    if proof.whole:
        return True
    if proof.permissions is None:
        return False
    shown = sorted(proof.permissions)
    if waiting.get("shown") == shown:
        return time.time() - waiting["shown_since"] >= SETTLED
    session[SESSION_KEY] = {**waiting, "shown": shown, "shown_since": time.time()}
    return False


def _actor(waiting: dict, tenant_id: UUID, membership: Membership | None) -> Actor:
    person = waiting["person"]
    if person:
        return Actor(person["id"], person["label"], frozenset(person["roles"]), tenant_id)
    if membership is None or membership.tenant_id != tenant_id:
        raise NotConnected(_("You are no longer signed in as the administrator who began this. Start again."))
    return Actor.of(membership)


# --- Is it an administrator? --------------------------------------------------------------------------


def may_be_administrator(identity: Identity) -> bool:
    """False where the token itself says that the person is none."""
    if identity.is_guest:
        return False
    return Role.TENANT_ADMIN in identity.roles or not identity.directory_roles_told


def no_administrator() -> NotConnected:
    return NotConnected(
        _("You are not an administrator of that organisation, so nothing was connected."),
        fix=_("A Global Administrator or a Privileged Role Administrator has to do it."),
    )


def _require_administrator(tenant_id: UUID, person: dict | None) -> None:
    """Where the sign-in told of no role because nobody asked it to, the directory is asked.

    https://learn.microsoft.com/entra/identity-platform/optional-claims#configure-groups-optional-claims
    """
    if person is None or Role.TENANT_ADMIN in person["roles"]:
        return
    try:
        held = GraphClient(str(tenant_id), priority="high").roles_of(person["id"])
    except Forbidden as error:
        raise NotConnected(
            _(
                "Whether you are an administrator is not known: your sign-in does not say, and the directory may not be"
                " asked. Nothing was connected."
            ),
            fix=_(
                "In the app registration, add the groups claim “Directory roles” to the token, or grant"
                " RoleManagement.Read.Directory; or give yourself the app role Portal.TenantAdmin. Then start again."
            ),
            passing=True,
        ) from error
    except GraphError as error:
        refused = NotConnected.by_microsoft(error)
        refused.passing = True
        raise refused from error
    if Role.TENANT_ADMIN not in roles_from_claims([], [str(one.role_id) for one in held if one.is_tenant_wide]):
        raise no_administrator()
