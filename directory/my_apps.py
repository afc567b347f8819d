"""The apps and AI agents that can act in one person's name. Read through `directory.selectors`."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.models import Tenant
from directory import agents, risk as risks, wording
from directory.agent_models import InheritedGrant
from directory.models import PermissionGrant, Risk, ServicePrincipal

Types, Kind = PermissionGrant.ConsentType, ServicePrincipal.Kind
DELEGATED = InheritedGrant.Kind.DELEGATED


@dataclass(frozen=True)
class MyApp:
    """An app that can act in one person's name.

    Attributes:
        own_grants: given by the person, and theirs to take back.
        organisation_grants: given by an administrator for everyone. Of an agent blueprint: what it passes on of that
            to its agents, which are the ones that act.
        inherited_grants: what an agent may do for everyone because its blueprint may; they are not saved.
        permissions: all together, by resource, most powerful first; a sentence names the grants that hold it.
        granted_at: when the person let it in, as Microsoft's record says; None where it keeps none, or it was not they.
        blueprint: of an agent: what it was made from, where that is (still) in the tenant.
        agents: of a blueprint: how many agents act with what it passes on.
    """

    app: ServicePrincipal
    own_grants: tuple[PermissionGrant, ...]
    organisation_grants: tuple[PermissionGrant, ...]
    permissions: tuple[wording.ResourcePermissions, ...]
    summary: str
    first_seen_at: datetime
    granted_at: datetime | None = None
    inherited_grants: tuple[PermissionGrant, ...] = ()
    blueprint: ServicePrincipal | None = None
    agents: int = 0

    @property
    def id(self) -> UUID:
        return self.app.pk

    @property
    def scopes(self) -> list[str]:
        return [sentence.value for group in self.permissions for sentence in group.sentences]

    @property
    def risk(self) -> Risk:
        return Risk(self.app.risk)

    @property
    def made_by(self) -> ServicePrincipal:
        """Whose publisher stands behind it: an agent names none, its blueprint does."""
        return self.blueprint or self.app

    @property
    def is_blueprint(self) -> bool:
        return self.app.kind == Kind.BLUEPRINT

    @property
    def is_portal(self) -> bool:
        """Whether this is the very portal that shows the list."""
        return self.app.is_portal

    @property
    def works_offline(self) -> bool:
        return risks.OFFLINE in self.scopes

    @property
    def can_act(self) -> bool:
        """Whether it can use the account now; an app somebody switched off keeps its grants, asleep.

        An agent gets its tokens by its blueprint, and stops with it.
        """
        return self.app.can_act and (self.blueprint is None or self.blueprint.can_act)

    @property
    def removable(self) -> bool:
        """Whether the person can take something back here. The portal itself would ask for it again at once."""
        return bool(self.own_grants) and not self.is_portal

    @property
    def granted_by_me(self) -> bool:
        return bool(self.own_grants)

    @property
    def granted_by_organisation(self) -> bool:
        return bool(self.organisation_grants)

    def mine(self, sentence: wording.Sentence) -> tuple[PermissionGrant, ...]:
        """The person's own grants that hold this permission."""
        return tuple(grant for grant in sentence.grants if grant in self.own_grants)


def my_apps(tenant: Tenant, object_id: UUID | str) -> list[MyApp]:
    """Every app allowed to act in this person's name: theirs to remove first, then the worst. Three queries.

    Agents that act for everyone by what they inherit are one entry for each blueprint they were made from; an agent
    that the person allowed is an entry of its own. A fixed number of queries more where there are any.

    Apps somebody switched off come last: they can do nothing until they are switched on again.
    """
    return _my_apps(tenant, _grants_reaching(tenant, object_id))


def my_app(tenant: Tenant, object_id: UUID | str, app_id: UUID | str) -> MyApp:
    """One of `my_apps`.

    Raises:
        ServicePrincipal.DoesNotExist: no such app can act in this person's name.
    """
    found = _my_apps(tenant, _grants_reaching(tenant, object_id).filter(client_id=app_id))
    if not found:
        raise ServicePrincipal.DoesNotExist
    return found[0]


def _grants_reaching(tenant: Tenant, object_id: UUID | str) -> QuerySet[PermissionGrant]:
    mine = Q(principal_id=object_id, consent_type=Types.ONE)
    found = PermissionGrant.objects.filter(mine | Q(consent_type=Types.ALL), tenant=tenant)
    return found.filter(client__deleted_at__isnull=True).select_related("client").order_by("pk")


def _my_apps(tenant: Tenant, grants: Iterable[PermissionGrant]) -> list[MyApp]:
    by_app: dict[UUID, list[PermissionGrant]] = defaultdict(list)
    for grant in grants:
        by_app[grant.client_id].append(grant)
    if not by_app:
        return []
    clients = {client_id: held[0].client for client_id, held in by_app.items()}
    family = _Family(tenant, clients)
    everything = [*family.all_grants, *(grant for held in by_app.values() for grant in held)]
    scopes = {scope for grant in everything for scope in grant.scopes}
    definitions = wording.Definitions(tenant, {grant.resource_id for grant in everything}, scopes)
    found = [_my_app(clients[pk], held, family, definitions) for pk, held in by_app.items()]
    return sorted((one for one in found if one is not None), key=_order)


class _Family:
    """What the agents among some apps inherit, and what the blueprints among them pass on."""

    def __init__(self, tenant: Tenant, clients: dict[UUID, ServicePrincipal]):
        made = [app for app in clients.values() if app.kind == Kind.AGENT]
        blueprints = [app.pk for app in clients.values() if app.kind == Kind.BLUEPRINT]
        rows = InheritedGrant.objects.filter(tenant=tenant, kind=DELEGATED)
        inherited = list(rows.filter(agent_id__in=[app.pk for app in made]))
        self._inherited: dict[UUID, list[InheritedGrant]] = defaultdict(list)
        self._passed: dict[UUID, list[InheritedGrant]] = defaultdict(list)
        self._acting: dict[UUID, int] = {}
        acting = rows.filter(blueprint_id__in=blueprints, agent__deleted_at__isnull=True, agent__account_enabled=True)
        columns = ("blueprint_id", "resource_id", "scopes")
        numbers = [
            (
                InheritedGrant(tenant=tenant, blueprint_id=key, resource_id=resource, kind=DELEGATED, scopes=scopes),
                number,
            )
            for key, resource, scopes, number in acting.values_list(*columns).annotate(number=Count("agent"))
        ]
        for row in agents.still_passed(tenant, inherited + [row for row, _number in numbers]):
            if row.agent_id:
                self._inherited[row.agent_id].append(row)
            else:
                self._passed[row.blueprint_id].append(row)
        for row, number in numbers:
            self._acting[row.blueprint_id] = max(number, self._acting.get(row.blueprint_id, 0))
        self._made_from: dict[UUID, ServicePrincipal] = {}
        if made:
            named = ServicePrincipal.objects.filter(
                tenant=tenant, kind=Kind.BLUEPRINT, app_id__in={app.blueprint_app_id for app in made}
            )
            self._made_from = {one.app_id: one for one in named.order_by("-deleted_at")}

    @property
    def all_grants(self) -> list[InheritedGrant]:
        return [row for rows in (*self._inherited.values(), *self._passed.values()) for row in rows]

    def inherited(self, agent: ServicePrincipal) -> list[PermissionGrant]:
        return agents.inherited_grants(self._inherited[agent.pk])

    def passed_on(self, blueprint: ServicePrincipal) -> list[PermissionGrant]:
        return agents.inherited_grants(self._passed[blueprint.pk], blueprint.pk)

    def acting(self, blueprint: ServicePrincipal) -> int:
        return self._acting.get(blueprint.pk, 0)

    def made_from(self, agent: ServicePrincipal) -> ServicePrincipal | None:
        return self._made_from.get(agent.blueprint_app_id)


def _order(one: MyApp) -> tuple:
    """What can act and is theirs to remove first; the worst of those first, then what was used last."""
    used = one.app.last_used_at.timestamp() if one.app.last_used_at else 0.0
    name = one.app.display_name.casefold()
    return (not one.can_act, not one.removable, -one.risk, -one.app.danger, -used, name, str(one.id))


def _my_app(
    client: ServicePrincipal, held: list[PermissionGrant], family: _Family, definitions: wording.Definitions
) -> MyApp | None:
    """None for a blueprint that passes nothing on and that the person granted nothing: it does not act."""
    own = [grant for grant in held if grant.consent_type == Types.ONE]
    for_all, inherited = [grant for grant in held if grant.consent_type == Types.ALL], []
    if client.kind == Kind.BLUEPRINT:
        for_all = family.passed_on(client)
        if not own and not for_all:
            return None
    elif client.kind == Kind.AGENT:
        inherited = family.inherited(client)
    permissions = tuple(wording.sentences([*own, *for_all, *inherited], "user", definitions))
    sentences = [sentence for group in permissions for sentence in group.sentences]
    return MyApp(
        app=client,
        own_grants=tuple(own),
        organisation_grants=tuple(for_all),
        permissions=permissions,
        summary=wording.summary([sentence.value for sentence in sentences], "user"),
        first_seen_at=min(grant.first_seen_at for grant in held),
        granted_at=max((grant.consented_at for grant in own if grant.consented_at), default=None),
        inherited_grants=tuple(inherited),
        blueprint=family.made_from(client) if client.kind == Kind.AGENT else None,
        agents=family.acting(client),
    )
