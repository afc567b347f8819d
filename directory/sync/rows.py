"""From Graph's answers to rows of the copy, and into the database, many at a time."""

import json
from collections.abc import Collection as Sized, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.db import connection, transaction

from accounts import locks
from accounts.models import Tenant
from directory import words
from directory.models import (
    AppRoleAssignment,
    Collection,
    PermissionDefinition,
    PermissionGrant,
    Person,
    ServicePrincipal,
)
from directory.sync.copying import upsert
from directory.sync.publishers import name_publishers
from directory.sync.roles import Holding
from graph import activity, types

BATCH = 1000
_Kind = ServicePrincipal.Kind
T = TypeVar("T")

_APP_FIELDS = [
    "app_id",
    "display_name",
    "publisher_name",
    "publisher_verified",
    "owner_tenant_id",
    "type",
    "kind",
    "account_enabled",
    "is_disabled",
    "disabled_by_microsoft",
    "homepage",
    "reply_urls",
    "tags",
    "created_at",
    "deleted_at",
    "secret_added_at",
    "secret_ends_at",
    "synced_at",
]
_PERSON_FIELDS = [
    "display_name",
    "upn",
    "mail",
    "job_title",
    "is_guest",
    "is_external",
    "is_agent",
    "agent_id",
    "is_restricted",
    "home_domain",
    "account_enabled",
    "sessions_valid_from",
    "synced_at",
]
_ROLE_FIELDS = ["role_template_ids", "has_scoped_role", "roles_known_at"]
_GRANT_FIELDS = ["client", "resource", "principal", "consent_type", "scopes", "synced_at"]
_ASSIGNMENT_FIELDS = [
    "resource",
    "principal_id",
    "principal_type",
    "principal_name",
    "app_role_id",
    "created_at",
    "synced_at",
]
_DEFINITION_FIELDS = [
    "value",
    "admin_only",
    "user_display_name",
    "user_description",
    "admin_display_name",
    "admin_description",
]


@contextmanager
def writing(tenant: Tenant) -> Iterator[None]:
    """A short transaction in which nobody else writes to this tenant's copy.

    Two writers that touch the same rows in another order would stop each other; this puts them in line. Never hold
    it across a call to Graph.
    """
    with transaction.atomic():
        locks.wait(f"directory.copy:{tenant.pk}")
        yield


def in_parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part


def app(tenant: Tenant, item: types.ServicePrincipal, at: datetime) -> ServicePrincipal:
    return ServicePrincipal(
        tenant=tenant,
        id=item.id,
        app_id=item.app_id,
        display_name=item.display_name[:256],
        publisher_name=item.publisher_name[:256],
        publisher_verified=item.publisher_verified,
        owner_tenant_id=item.owner_tenant_id,
        type=item.type[:32],
        kind=item.kind if item.kind in ServicePrincipal.Kind.values else ServicePrincipal.Kind.APP,
        account_enabled=item.account_enabled,
        is_disabled=item.is_disabled,
        disabled_by_microsoft=item.disabled_by_microsoft[:128],
        homepage=item.homepage[:2048],
        reply_urls=[url[:2048] for url in item.reply_urls],
        tags=[tag[:256] for tag in item.tags],
        created_at=item.created_at,
        deleted_at=item.deleted_at,
        secret_added_at=max((made for made, _ends in item.secrets if made), default=None),
        secret_ends_at=min((ends for _made, ends in item.secrets if ends and ends > at), default=None),
        synced_at=at,
    )


def person(tenant: Tenant, item: types.User, at: datetime) -> Person:
    return Person(
        tenant=tenant,
        id=item.id,
        display_name=item.display_name[:256],
        upn=item.upn[:256],
        mail=item.mail[:320],
        job_title=item.job_title[:256],
        is_guest=item.is_guest,
        is_external=item.is_external,
        is_agent=item.is_agent,
        agent_id=item.agent_id,
        is_restricted=item.is_restricted,
        home_domain=_home_domain(item)[:256],
        account_enabled=item.account_enabled,
        sessions_valid_from=item.sessions_valid_from,
        synced_at=at,
    )


def grant(tenant: Tenant, item: types.Grant, at: datetime) -> PermissionGrant:
    return PermissionGrant(
        tenant=tenant,
        graph_id=item.id,
        client_id=item.client_id,
        resource_id=item.resource_id,
        principal_id=item.principal_id,
        consent_type=item.consent_type,
        scopes=[scope[:256] for scope in item.scopes],
        first_seen_at=at,
        synced_at=at,
    )


def assignment(tenant: Tenant, item: types.AppRoleAssignment, at: datetime) -> AppRoleAssignment:
    return AppRoleAssignment(
        tenant=tenant,
        graph_id=item.id,
        resource_id=item.resource_id,
        principal_id=item.principal_id,
        principal_type=item.principal_type,
        principal_name=item.principal_name[:256],
        app_role_id=item.app_role_id,
        created_at=item.created_at,
        synced_at=at,
    )


def save_apps(apps: Iterable[ServicePrincipal]) -> None:
    found = {row.id: row for row in apps}
    _upsert(ServicePrincipal, found, ["id"], _APP_FIELDS)
    of_agents = (row.tenant_id for row in found.values() if row.kind in (_Kind.AGENT, _Kind.BLUEPRINT))
    if tenant_id := next(of_agents, None):
        name_publishers(tenant_id)


def save_activity(tenant: Tenant, items: Iterable[activity.AppActivity]) -> None:
    """Note when apps were last used. One statement for all of them."""
    used = {item.app_id: item.last_used_at for item in items if item.last_used_at}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE directory_serviceprincipal app SET last_used_at = used.at"
            " FROM unnest(%s::uuid[], %s::timestamptz[]) AS used(id, at)"
            " WHERE app.app_id = used.id AND app.tenant_id = %s AND app.last_used_at IS DISTINCT FROM used.at",
            [list(used), list(used.values()), tenant.pk],
        )


def save_people_activity(tenant: Tenant, items: Iterable[activity.PersonActivity]) -> None:
    """Note when people we know were last active. One statement for all of them; no moment ever goes back."""
    known = {item.person_id: item.last_active_at for item in items if item.last_active_at}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE directory_person p SET last_active_at = seen.at"
            " FROM unnest(%s::uuid[], %s::timestamptz[]) AS seen(id, at)"
            " WHERE p.id = seen.id AND p.tenant_id = %s AND (p.last_active_at IS NULL OR p.last_active_at < seen.at)",
            [list(known), list(known.values()), tenant.pk],
        )


def save_people(people: Iterable[Person], *, with_roles: bool = False) -> None:
    """`with_roles` also writes their directory roles, which the list of people does not hold."""
    fields = [*_PERSON_FIELDS, *_ROLE_FIELDS] if with_roles else _PERSON_FIELDS
    rows = {row.id: row for row in people}
    _upsert(Person, rows, ["id"], fields)
    if rows:
        tenant = next(iter(rows.values())).tenant
        found = ((pk, words.of(row.display_name, row.upn, row.mail)) for pk, row in rows.items() if not row.is_agent)
        words.save(tenant, words.Kind.PERSON, found)


def widen_roles(tenant: Tenant, person_id: UUID, held: Holding) -> None:
    """Add roles seen in a list that was not whole. What is known of the person gets no less by it, and no fresher."""
    for person in Person.objects.filter(tenant=tenant, pk=person_id):
        person.role_template_ids = sorted({*person.role_template_ids, *held.roles})
        person.has_scoped_role |= held.scoped
        person.save(update_fields=["role_template_ids", "has_scoped_role"])


def add_to_role_groups(tenant: Tenant, person_id: UUID) -> None:
    """This person belongs to a group that may hold roles. Who no longer does is told by the next whole reading."""
    known = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.ROLES)
    for collection in known.exclude(role_group_people__contains=[person_id]):
        collection.role_group_people.append(person_id)
        collection.save(update_fields=["role_group_people"])


def save_roles(tenant: Tenant, held: dict[UUID, Holding], people: Sized[UUID], at: datetime) -> None:
    """Make `held` all there is of these people's roles, but for those read by themselves since.

    Two statements for any number: holders are few, and whose row was right already is not written again.
    """
    columns = [(pk, json.dumps(sorted(map(str, one.roles))), one.scoped) for pk, one in held.items()]
    ids, named, scoped = (list(column) for column in zip(*columns, strict=True)) if columns else ([], [], [])
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH new AS (SELECT id, scoped, ARRAY(SELECT jsonb_array_elements_text(named::jsonb))::uuid[] AS roles"
            " FROM unnest(%s::uuid[], %s::text[], %s::bool[]) AS held(id, named, scoped))"
            " UPDATE directory_person p SET role_template_ids = coalesce(new.roles, '{}'),"
            " has_scoped_role = coalesce(new.scoped, false)"
            " FROM directory_person q LEFT JOIN new ON new.id = q.id"
            " WHERE p.id = q.id AND q.tenant_id = %s AND q.id = ANY(%s)"
            " AND (q.roles_known_at IS NULL OR q.roles_known_at < %s)"
            " AND (q.role_template_ids, q.has_scoped_role) IS DISTINCT FROM"
            " (coalesce(new.roles, '{}'), coalesce(new.scoped, false))",
            [ids, named, scoped, tenant.pk, list(people), at],
        )
        cursor.execute(
            "UPDATE directory_person SET roles_known_at = %s"
            " WHERE tenant_id = %s AND id = ANY(%s) AND roles_known_at IS NULL",
            [at, tenant.pk, list(people)],
        )


def save_grants(grants: Iterable[PermissionGrant]) -> None:
    _upsert(PermissionGrant, {row.graph_id: row for row in grants}, ["tenant", "graph_id"], _GRANT_FIELDS)


def save_assignments(assignments: Iterable[AppRoleAssignment]) -> None:
    _upsert(AppRoleAssignment, {row.graph_id: row for row in assignments}, ["tenant", "graph_id"], _ASSIGNMENT_FIELDS)


def save_definitions(tenant: Tenant, resources: Iterable[types.ServicePrincipal]) -> None:
    """Replace what these resources' permissions mean. Call inside `writing`."""
    kinds = PermissionDefinition.Kind
    found: dict[tuple, PermissionDefinition] = {}
    ids = []
    for resource in resources:
        ids.append(resource.id)
        for scope in resource.scopes:
            found[resource.id, kinds.DELEGATED, scope.id] = PermissionDefinition(
                tenant=tenant,
                resource_id=resource.id,
                kind=kinds.DELEGATED,
                permission_id=scope.id,
                value=scope.value[:256],
                admin_only=scope.admin_only,
                user_display_name=scope.user_display_name,
                user_description=scope.user_description,
                admin_display_name=scope.admin_display_name,
                admin_description=scope.admin_description,
            )
        for role in resource.app_roles:
            found[resource.id, kinds.APPLICATION, role.id] = PermissionDefinition(
                tenant=tenant,
                resource_id=resource.id,
                kind=kinds.APPLICATION,
                permission_id=role.id,
                value=role.value[:256],
                admin_only=True,
                admin_display_name=role.display_name,
                admin_description=role.description,
            )
    old = PermissionDefinition.objects.filter(tenant=tenant, resource_id__in=ids)
    columns = old.values_list("pk", "resource_id", "kind", "permission_id")
    gone = [pk for pk, *key in columns if tuple(key) not in found]
    if gone:
        PermissionDefinition.objects.filter(pk__in=gone).delete()
    _upsert(PermissionDefinition, found, ["tenant", "resource", "kind", "permission_id"], _DEFINITION_FIELDS)


def _upsert(model, rows: dict, unique: list[str], fields: list[str]) -> None:
    """Insert or update, one row per key, in the order of the keys."""
    upsert(model, [rows[key] for key in sorted(rows, key=str)], unique, fields)


def _home_domain(user: types.User) -> str:
    """Where an external one comes from: `lynne_fabrikam.example#EXT#@contoso.example`, else their mail's domain."""
    if not user.is_external:
        return ""
    name, marked, _rest = user.upn.partition("#EXT#")
    if marked and "_" in name:
        return name.rpartition("_")[2].lower()
    return user.mail.rpartition("@")[2].lower()
