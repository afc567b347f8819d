"""Proving that the portal can act in a tenant, and writing it down as connected.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts import permissions, services
from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from audit import services as audit
from audit.models import AuditEvent
from directory import tasks as directory_tasks
from graph.client import GraphClient
from graph.errors import Forbidden, GraphError, NotFound, Retryable
from graph.explain import words
from graph.types import Organization
from revocation.rules import two_persons
from tenants import connection

logger = logging.getLogger(__name__)

# What the token endpoint says of a consent it has not heard of yet, and of one that nobody gave.
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
NOT_CONSENTED = ("AADSTS7000229", "AADSTS700016", "AADSTS65001")


class NotConnected(Exception):
    """The tenant was not connected, and nothing was stored. `str()` says why, for people.

    Attributes:
        fix: what to do about it.
        code: Microsoft's number of the error; request_id: its id of the request.
        passing: it may be so only because consent takes a while to reach all of Microsoft.
    """

    def __init__(self, words: str, *, fix: str = "", code: str = "", request_id: str = "", passing: bool = False):
        super().__init__(words)
        self.words, self.fix, self.code, self.request_id, self.passing = words, fix, code, request_id, passing

    @classmethod
    def by_microsoft(cls, error: GraphError) -> "NotConnected":
        said = words(error)
        text = " ".join((said.what, _("Nothing was connected.")))
        return cls(text, fix=said.fix, code=said.code, request_id=said.request_id)


@dataclass(frozen=True)
class Proof:
    """What acting in a tenant showed.

    Attributes:
        permissions: granted to the portal; None where Microsoft does not tell, which is not "none".
    """

    permissions: frozenset[str] | None
    organization: Organization | None = None
    own_service_principal_id: UUID | None = None

    @property
    def whole(self) -> bool:
        """Whether all shows that the portal needs; while it does not, more may be on its way."""
        granted = self.permissions or frozenset()
        return all(one.optional or granted & set(one.any_of) for one in connection.FEATURES)


def act(tenant_id: UUID) -> Proof:
    """Prove that the portal can act in a tenant: get a token there, and read whose tenant it is.

    Raises:
        NotConnected: it cannot, or not yet.
    """
    if not services.serves(tenant_id):
        raise NotConnected(_("This portal serves one organisation only, and yours is another. Nothing was connected."))
    client = GraphClient(str(tenant_id), priority="high")
    try:
        granted = client.own_permissions(fresh=True)
        organization = _unless_forbidden(client.organization)
        own = _unless_forbidden(lambda: client.service_principal_by_app_id(settings.ENTRA_CLIENT_ID))
    except (GraphError, ImproperlyConfigured) as error:
        raise _cannot_act(error) from error
    if granted is not None and not granted:
        raise NotConnected(
            _("Microsoft shows no permission that was granted to the portal."),
            fix=_("Add application permissions to the app registration, then consent again."),
            passing=True,
        )
    if organization and organization.id != tenant_id:
        raise NotConnected(_("Microsoft answered for another organisation. Nothing was connected."))
    return Proof(granted, organization, own.id if own else None)


def _cannot_act(error: GraphError | ImproperlyConfigured) -> NotConnected:
    problem = connection.explain(error)
    return NotConnected(
        _("The portal could not act in your organisation: %(why)s") % {"why": problem.what},
        fix=problem.fix or _("Consent again, and accept what Microsoft shows."),
        code=problem.code,
        request_id=problem.request_id,
        passing=isinstance(error, NotFound | Retryable) or problem.code in NOT_CONSENTED,
    )


def _unless_forbidden(read):
    try:
        return read()
    except (Forbidden, NotFound):
        return None


def connect(tenant_id: UUID, *, actor: Actor, proof: Proof | None = None) -> Tenant:
    """Write a tenant that has consented down as connected, and ask for its first reading.

    Args:
        proof: of a moment ago, that the portal can act there; without it, it is proved now.

    Raises:
        NotConnected: it cannot act there, or whoever runs the portal closed it for the tenant. Nothing was stored.
    """
    proof = proof or act(tenant_id)
    with tenant_context(tenant_id), transaction.atomic():
        tenant = Tenant.objects.select_for_update().filter(pk=tenant_id).first()
        _refuse_by_state(tenant)
        before = {"state": tenant.state, "permissions": tenant.granted_permissions} if tenant else None
        tenant = tenant or Tenant(pk=tenant_id, slug=_free_slug(proof, tenant_id), name=str(tenant_id))
        if proof.organization:
            tenant.name = (proof.organization.display_name or tenant.name)[:256]
            tenant.domain = proof.organization.default_domain or tenant.domain
        tenant.own_service_principal_id = proof.own_service_principal_id or tenant.own_service_principal_id
        if before is None or before["state"] == Tenant.State.PENDING:
            tenant.rule_seal = two_persons.seal(tenant)
        tenant.state, tenant.connected_at = Tenant.State.ACTIVE, timezone.now()
        tenant.save()
        permissions.remember(tenant, proof.permissions)
        audit.record_on_tenant(
            AuditEvent.TENANT_CONNECTED,
            tenant_id,
            tenant.name,
            actor=actor,
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
