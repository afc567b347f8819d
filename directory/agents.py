"""AI agents: what they may do by themselves and through their blueprint, who answers for them, who can end which part.

An agent acts with what it was granted itself and with what it inherits: permissions that an administrator gave its
blueprint's principal, and that the blueprint's publisher lets through. Taking back one's own grant on an agent does not
end what it inherits; taking it from the blueprint ends it for all agents made from it.

https://learn.microsoft.com/entra/agent-id/identity-platform/concept-inheritable-permissions
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Tenant
from directory import wording
from directory.agent_models import AgentTie, InheritedGrant
from directory.models import AppRoleAssignment, Collection, PermissionGrant, Person, ServicePrincipal
from directory.paging import Page, page

Kind, Inherited, Role = ServicePrincipal.Kind, InheritedGrant.Kind, AgentTie.Role
Types = PermissionGrant.ConsentType
WORDS = {kind.value: kind.label for kind in Kind}  # by kind, as filters and pages call them
AGENTS = (Kind.AGENT, Kind.OLDER_AGENT)
_GRANT = ("client_id", "resource_id", "scopes")
WITH_TIES = (Kind.AGENT, Kind.BLUEPRINT)  # Microsoft keeps sponsors of these


# --- What an agent may do -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Effective:
    """What an agent inherits, beside what it was granted itself. `known` is False while that was never read."""

    for_people: list[wording.ResourcePermissions]
    alone: list[wording.ResourcePermissions]
    known: bool

    @property
    def count(self) -> int:
        return sum(len(group.sentences) for group in (*self.for_people, *self.alone))


def inherited(app: ServicePrincipal, audience: wording.Audience = "admin") -> Effective:
    """What this agent may do because its blueprint may; of a blueprint: what it passes on to its agents."""
    rows = InheritedGrant.objects.filter(tenant_id=app.tenant_id)
    rows = rows.filter(blueprint=app) if app.kind == Kind.BLUEPRINT else rows.filter(agent=app)
    found = _distinct(still_passed(app.tenant_id, rows.order_by("resource_id", "kind", "agent_id")))
    delegated = [_as_grant(row, app.pk) for row in found if row.kind == Inherited.DELEGATED]
    return Effective(
        for_people=wording.sentences(delegated, audience),
        alone=wording.app_only_sentences(one for row in found for one in _as_assignments(row, app.pk)),
        known=is_known(app),
    )


def passed_on(blueprint: ServicePrincipal, resource_id: UUID, kind: str, value: str) -> wording.Sentence:
    """One permission that this blueprint passes on to its agents.

    Raises:
        ServicePrincipal.DoesNotExist: it is no blueprint, or passes on no such permission.
    """
    if blueprint.kind == Kind.BLUEPRINT:
        found = inherited(blueprint)
        for group in found.for_people if kind == Inherited.DELEGATED else found.alone:
            for sentence in group.sentences:
                if (group.resource_id, sentence.value) == (resource_id, value):
                    return sentence
    raise ServicePrincipal.DoesNotExist


def is_known(app: ServicePrincipal) -> bool:
    """Whether what agents inherit was read at all: before that, nothing found is not nothing."""
    needed = (Collection.Kind.AGENTS, Collection.Kind.GRANTS, Collection.Kind.ASSIGNMENTS)
    done = Collection.objects.filter(tenant_id=app.tenant_id, kind__in=needed, complete_at__isnull=False)
    return done.count() == len(needed)


def inherited_grants(rows: Iterable[InheritedGrant], client_id: UUID | None = None) -> list[PermissionGrant]:
    """What some rows of `still_passed` come to, in the shape of grants for everyone; not saved, without an id."""
    return [_as_grant(row, client_id or row.agent_id) for row in _distinct(rows)]


def still_passed(tenant: Tenant | UUID, rows: Iterable[InheritedGrant]) -> list[InheritedGrant]:
    """The same without what the blueprint no longer holds: a permission that was taken from it a moment ago is gone at
    once, and back at once when it is put back, without another reading. Two queries, none without rows.
    """
    rows = list(rows)
    blueprints = {row.blueprint_id for row in rows if row.blueprint_id}
    grants = PermissionGrant.objects.filter(tenant=tenant, client_id__in=blueprints, consent_type=Types.ALL)
    scopes = {(client, resource): set(held) for client, resource, held in grants.values_list(*_GRANT)}
    held = AppRoleAssignment.objects.filter(tenant=tenant, principal_id__in=blueprints)
    roles = set(held.values_list("principal_id", "resource_id", "app_role_id"))
    found = []
    for row in rows:
        if row.blueprint_id is None:
            found.append(row)
        elif row.kind == Inherited.DELEGATED:
            row.scopes = [one for one in row.scopes if one in scopes.get((row.blueprint_id, row.resource_id), ())]
        else:
            ids = [one for one in row.app_role_ids if (row.blueprint_id, row.resource_id, one) in roles]
            row.app_role_ids = ids
        if row.blueprint_id and (row.scopes if row.kind == Inherited.DELEGATED else row.app_role_ids):
            found.append(row)
    return found


def _distinct(rows: Iterable[InheritedGrant]) -> list[InheritedGrant]:
    """All agents of a blueprint inherit the same: each resource once for each of the two kinds."""
    return list({(row.resource_id, row.kind, tuple(row.scopes)): row for row in rows}.values())


def _as_grant(row: InheritedGrant, client_id: UUID) -> PermissionGrant:
    return PermissionGrant(
        tenant_id=row.tenant_id,
        client_id=client_id,
        resource_id=row.resource_id,
        consent_type=Types.ALL,
        scopes=row.scopes,
        synced_at=row.synced_at,
    )


def _as_assignments(row: InheritedGrant, holder_id: UUID) -> list[AppRoleAssignment]:
    return [
        AppRoleAssignment(
            tenant_id=row.tenant_id,
            principal_id=holder_id,
            principal_type="ServicePrincipal",
            resource_id=row.resource_id,
            app_role_id=role_id,
            synced_at=row.synced_at,
        )
        for role_id in row.app_role_ids
    ]


# --- Blueprints and their agents ------------------------------------------------------------------------


def blueprint_of(app: ServicePrincipal) -> ServicePrincipal | None:
    """The blueprint this agent was made from; None of what is no agent, and where it is not in the tenant."""
    if app.blueprint_app_id is None:
        return None
    found = ServicePrincipal.objects.filter(tenant_id=app.tenant_id, app_id=app.blueprint_app_id, kind=Kind.BLUEPRINT)
    return found.order_by("deleted_at").last()


def all_of(blueprint: ServicePrincipal) -> QuerySet[ServicePrincipal]:
    """The agents made from it that are there, switched off ones too."""
    return ServicePrincipal.objects.filter(
        tenant_id=blueprint.tenant_id,
        kind=Kind.AGENT,
        blueprint_app_id=blueprint.app_id,
        deleted_at__isnull=True,
    )


def agents_of(blueprint: ServicePrincipal, after: str = "") -> Page[ServicePrincipal]:
    """By name; each knows whether anybody sponsors it (`sponsored`; None where that is not known)."""
    sponsors = AgentTie.objects.filter(tenant_id=blueprint.tenant_id, role=Role.SPONSOR, agent_id=OuterRef("pk"))
    found = page(all_of(blueprint).annotate(has_sponsor=Exists(sponsors)), ("display_name", "id"), after)
    for one in found.items:
        one.sponsored = one.has_sponsor if one.ties_read_at else None
    return found


# --- Who answers for them -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ties:
    """Sponsors and owners of an agent or a blueprint. `known` is False while nobody could read them."""

    sponsors: tuple[AgentTie, ...]
    owners: tuple[AgentTie, ...]
    known: bool

    @property
    def is_orphan(self) -> bool:
        return self.known and not self.sponsors


def ties(app: ServicePrincipal) -> Ties:
    """With the names that people have now, where the copy holds them."""
    rows = list(AgentTie.objects.filter(tenant_id=app.tenant_id, agent=app).order_by("holder_name", "holder_id"))
    ids = {row.holder_id for row in rows}
    people = Person.objects.filter(tenant_id=app.tenant_id).in_bulk(ids) if ids else {}
    for row in rows:
        row.person = people.get(row.holder_id)
    found = {role: tuple(row for row in rows if row.role == role) for role in (Role.SPONSOR, Role.OWNER)}
    return Ties(found[Role.SPONSOR], found[Role.OWNER], app.ties_read_at is not None)


def account_of(agent: ServicePrincipal) -> Person | None:
    """The agent's own user account: no person, and stopped with the agent."""
    return Person.objects.filter(tenant_id=agent.tenant_id, agent_id=agent.pk).first()


def orphans(tenant: Tenant) -> QuerySet[ServicePrincipal]:
    """Agents and blueprints of which it is known that nobody sponsors them."""
    sponsors = AgentTie.objects.filter(tenant=tenant, role=Role.SPONSOR, agent_id=OuterRef("pk"))
    found = ServicePrincipal.objects.filter(
        tenant=tenant, kind__in=WITH_TIES, deleted_at__isnull=True, ties_read_at__isnull=False
    )
    return found.exclude(Exists(sponsors))


def answered_for(tenant: Tenant, object_id: UUID | str, app_id: UUID | str) -> ServicePrincipal:
    """One of those that this person sponsors or owns.

    Raises:
        ServicePrincipal.DoesNotExist: they answer for no such agent.
    """
    for one in answered_for_by(tenant, object_id):
        if str(one.pk) == str(app_id):
            return one
    raise ServicePrincipal.DoesNotExist


def _role(tie: AgentTie) -> str:
    if tie.holder_type != "group":
        return tie.get_role_display()
    name = tie.holder_name or _("a group")
    return _("%(role)s through %(group)s") % {"role": tie.get_role_display(), "group": name}


def answered_for_by(tenant: Tenant, object_id: UUID | str) -> list[ServicePrincipal]:
    """The agents and blueprints that this person sponsors or owns, themselves or through a group, by name; `roles` says
    which of the two.
    """
    groups = Person.objects.filter(tenant=tenant, pk=object_id).values_list("answering_groups", flat=True).first()
    theirs = Q(holder_id=object_id) | Q(holder_type="group", holder_id__in=groups or [])
    rows = AgentTie.objects.filter(theirs, tenant=tenant, agent__deleted_at__isnull=True)
    found: dict[UUID, ServicePrincipal] = {}
    for row in rows.select_related("agent").order_by("agent__display_name", "agent_id", "-role"):
        app = found.setdefault(row.agent_id, row.agent)
        app.roles = [*getattr(app, "roles", []), _role(row)]
    return list(found.values())
