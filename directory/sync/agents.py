"""What agents are made from, who answers for them, and what they inherit. `read` is called by the reading of all.

The cost follows the blueprints, not the agents: what an agent inherits depends on its blueprint alone, so one agent of
each is asked. Sponsors come with the list of agents where the tenant granted AgentIdentity.Read.All; otherwise agents
are asked one by one, a few with every reading, and until then nobody knows who sponsors them.

https://learn.microsoft.com/entra/agent-id/identity-platform/concept-inheritable-permissions
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from accounts import permissions
from accounts.models import Tenant
from directory.features import AGENTS, SPONSORS
from directory.models import AgentTie, Collection, InheritedGrant, PermissionDefinition, ServicePrincipal
from directory.sync import rows
from directory.sync.publishers import name_publishers
from directory.sync.report import explain
from directory.sync.unknown import fetch_unknown
from graph import agents as wire
from graph.client import GraphClient
from graph.errors import Forbidden, GraphError, NotFound
from graph.types import Grant

logger = logging.getLogger(__name__)
Kind, Role = ServicePrincipal.Kind, AgentTie.Role
ONE_BY_ONE = 100  # agents and blueprints asked for their sponsors with one reading
AGAIN_AFTER = timedelta(days=1)
SAMPLES = 3  # agents of a blueprint asked before it counts as not readable
Ties = dict[UUID, list[wire.Holder]]


def read(tenant: Tenant, client: GraphClient) -> None:
    """Bring all of it up to date, and note on the `Collection` whether it is complete. Raises no `GraphError`."""
    started = timezone.now()
    collection, _made = Collection.objects.get_or_create(tenant=tenant, kind=Collection.Kind.AGENTS)
    problem = ""
    for part in (_read_ties, _read_inherited):  # the one says nothing about the other
        try:
            problem = part(tenant, client, started) or problem
        except GraphError as error:
            problem = explain(error)
    if problem:
        logger.info("Agents of %s cannot be read in full: %s", tenant.pk, problem)
        Collection.objects.filter(pk=collection.pk).update(error=problem, started_at=started)
        return
    Collection.objects.filter(pk=collection.pk).update(
        complete_at=started,
        first_complete_at=collection.first_complete_at or started,
        started_at=started,
        row_count=_alive(tenant, Kind.AGENT).count(),
        error="",
    )


def _alive(tenant: Tenant, *kinds: str):
    return ServicePrincipal.objects.filter(tenant=tenant, kind__in=kinds, deleted_at__isnull=True)


# --- Blueprints, owners, sponsors -----------------------------------------------------------------------


def _read_ties(tenant: Tenant, client: GraphClient, started: datetime) -> str:
    """Why it is not known who sponsors them all, in words; empty where it is."""
    _forget_gone(tenant)
    if not _alive(tenant, Kind.AGENT, Kind.BLUEPRINT).exists():
        return ""
    if _alive(tenant, Kind.AGENT).exists():
        owned = client.agents_with_owners()
        _save_blueprints(tenant, owned)
        if permissions.standing(tenant, AGENTS.any_of) == permissions.Standing.GRANTED:
            sponsored = _sponsored(client)
            cut = {one.id for one in (*owned, *sponsored) if not one.whole}
            owners, sponsors = _by_agent(owned), _by_agent(sponsored)
            known = (owners.keys() & sponsors.keys()) - cut
            _save_ties(tenant, {Role.OWNER: owners, Role.SPONSOR: sponsors}, known, started)
    due = _alive(tenant, Kind.AGENT, Kind.BLUEPRINT).filter(
        Q(ties_read_at__isnull=True) | Q(ties_read_at__lt=started - AGAIN_AFTER)
    )
    first = due.order_by(F("ties_read_at").asc(nulls_first=True), "pk")[:ONE_BY_ONE]
    if due.exists() and (why := permissions.missing(tenant, SPONSORS.any_of)):
        return why
    for part in rows.in_parts(first.values_list("pk", "kind"), 10):
        _read_one_by_one(tenant, client, dict(part), started)
    return ""


def _sponsored(client: GraphClient) -> list[wire.Agent]:
    """Empty where Microsoft refuses the list all the same: then they are asked one by one."""
    try:
        return client.agents_with_sponsors()
    except Forbidden as error:
        logger.info("The list of agents is refused although it was granted: %s", error.code)
        return []


def _by_agent(found: Iterable[wire.Agent]) -> Ties:
    return {one.id: list(one.holders) for one in found}


def _read_one_by_one(tenant: Tenant, client: GraphClient, kinds: dict[UUID, str], started: datetime) -> None:
    """Two questions for each: who sponsors it, who owns it. One that has gone meanwhile is left out."""
    calls = [call for pk, kind in kinds.items() for call in (wire.sponsors(pk, kind), wire.owners(pk))]
    answers = client.batch(calls)
    found: dict[str, Ties] = {Role.SPONSOR: {}, Role.OWNER: {}}
    for at, pk in enumerate(kinds):
        pair = list(zip(calls[2 * at : 2 * at + 2], answers[2 * at : 2 * at + 2], strict=True))
        if any(isinstance(answer.error, NotFound) for _call, answer in pair):
            continue
        for role, (call, answer) in zip((Role.SPONSOR, Role.OWNER), pair, strict=True):
            found[role][pk] = list(client.finish(call, answer, wire.Holder.read, strict=True))
    _save_ties(tenant, found, found[Role.OWNER].keys(), started)


def _save_blueprints(tenant: Tenant, found: Iterable[wire.Agent]) -> None:
    """Which blueprint an agent was made from. It never changes, so one that is known is not written again."""
    named = {one.id: one.blueprint_app_id for one in found if one.blueprint_app_id}
    with rows.writing(tenant):
        unknown = list(_alive(tenant, Kind.AGENT).filter(blueprint_app_id__isnull=True, pk__in=named))
        for app in unknown:
            app.blueprint_app_id = named[app.pk]
        ServicePrincipal.objects.bulk_update(unknown, ["blueprint_app_id"], batch_size=rows.BATCH)
        name_publishers(tenant.pk)


def _save_ties(tenant: Tenant, found: dict[str, Ties], known: Iterable[UUID], at: datetime) -> None:
    """Make this all there is of the agents and blueprints in `known`."""
    ids = sorted(known)
    made = {
        (pk, role, one.id): AgentTie(
            tenant=tenant,
            agent_id=pk,
            role=role,
            holder_id=one.id,
            holder_type=one.type[:32],
            holder_name=one.name[:256],
        )
        for role, ties in found.items()
        for pk in ids
        for one in ties.get(pk, ())
    }
    with rows.writing(tenant):
        AgentTie.objects.filter(tenant=tenant, agent_id__in=ids).delete()
        AgentTie.objects.bulk_create(made.values(), batch_size=rows.BATCH)
        ServicePrincipal.objects.filter(tenant=tenant, pk__in=ids).update(ties_read_at=at)


def _forget_gone(tenant: Tenant) -> None:
    present = ServicePrincipal.objects.filter(tenant=tenant).values("pk")
    with rows.writing(tenant):
        AgentTie.objects.filter(tenant=tenant).exclude(agent_id__in=present).delete()
        InheritedGrant.objects.filter(tenant=tenant).exclude(agent_id__in=present).delete()


# --- What agents inherit --------------------------------------------------------------------------------


def _read_inherited(tenant: Tenant, client: GraphClient, started: datetime) -> str:
    """Why some of it is older than this reading, in words; empty where all of it was read."""
    families: dict[UUID, list[UUID]] = defaultdict(list)
    for pk, blueprint in _alive(tenant, Kind.AGENT).order_by("pk").values_list("pk", "blueprint_app_id"):
        families[blueprint or pk].append(pk)
    problem, left = "", families
    for _attempt in range(SAMPLES):
        gone: dict[UUID, list[UUID]] = {}
        for part in rows.in_parts(left, 10):
            problem = _read_families(tenant, client, {key: left[key] for key in part}, gone, started) or problem
        left = gone
    return problem


def _read_families(
    tenant: Tenant, client: GraphClient, families: dict[UUID, list[UUID]], gone: dict, started: datetime
) -> str:
    """Ask the first agent of each. Where it has gone, the others are left in `gone`."""
    calls = [
        call for ids in families.values() for call in (wire.inherited_scopes(ids[0]), wire.inherited_roles(ids[0]))
    ]
    answers, problem = client.batch(calls), ""
    found: dict[UUID, tuple[list[Grant], list[wire.InheritedRole]]] = {}
    for at, (key, ids) in enumerate(families.items()):
        (ask_scopes, ask_roles), (scopes, roles) = calls[2 * at : 2 * at + 2], answers[2 * at : 2 * at + 2]
        if isinstance(scopes.error, NotFound) or isinstance(roles.error, NotFound):
            if ids[1:]:
                gone[key] = ids[1:]
            continue
        try:
            found[key] = (
                list(client.finish(ask_scopes, scopes, Grant.read, strict=True)),
                list(client.finish(ask_roles, roles, wire.InheritedRole.read, strict=True)),
            )
        except GraphError as error:
            problem = explain(error)
    resources = {one.resource_id for pair in found.values() for rows_ in pair for one in rows_}
    fetch_unknown(tenant, client, apps=(), resources=resources, people=())
    _save_inherited(tenant, {key: families[key] for key in found}, found, started)
    return problem


def _save_inherited(tenant: Tenant, families: dict, found: dict, at: datetime) -> None:
    principals = dict(_alive(tenant, Kind.BLUEPRINT).values_list("app_id", "pk"))
    values = _role_values(tenant, {one.app_role_id for _scopes, roles in found.values() for one in roles})
    made = [
        InheritedGrant(
            tenant=tenant,
            agent_id=agent_id,
            blueprint_id=principals.get(key),
            resource_id=resource_id,
            kind=kind,
            scopes=scopes,
            app_role_ids=role_ids,
            synced_at=at,
        )
        for key, ids in families.items()
        for kind, resource_id, scopes, role_ids in _held(*found[key], values)
        for agent_id in ids
    ]
    everybody = [agent_id for ids in families.values() for agent_id in ids]
    with rows.writing(tenant):
        InheritedGrant.objects.filter(tenant=tenant, agent_id__in=everybody).delete()
        InheritedGrant.objects.bulk_create(made, batch_size=rows.BATCH)


def _held(scopes: list[Grant], roles: list[wire.InheritedRole], values: dict[UUID, str]) -> Iterable[tuple]:
    """(kind, resource, scopes, app role ids), one for each resource and kind."""
    delegated: dict[UUID, dict[str, None]] = defaultdict(dict)
    for grant in scopes:
        delegated[grant.resource_id] |= dict.fromkeys(scope[:256] for scope in grant.scopes)
    alone: dict[UUID, list[UUID]] = defaultdict(list)
    for role in roles:
        alone[role.resource_id].append(role.app_role_id)
    for resource_id, held in delegated.items():
        yield InheritedGrant.Kind.DELEGATED, resource_id, list(held), []
    for resource_id, ids in alone.items():
        named = [values.get(role_id, str(role_id)) for role_id in ids]
        yield InheritedGrant.Kind.APPLICATION, resource_id, named, ids


def _role_values(tenant: Tenant, ids: set[UUID]) -> dict[UUID, str]:
    found = PermissionDefinition.objects.filter(
        tenant=tenant, kind=PermissionDefinition.Kind.APPLICATION, permission_id__in=ids
    )
    return dict(found.values_list("permission_id", "value"))
