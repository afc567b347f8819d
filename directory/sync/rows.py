"""From Graph's answers to rows of the copy, and into the database, many at a time."""

import json
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Self, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from accounts import locks
from accounts.models import Tenant
from directory import words
from directory.many import id_array
from directory.models import (
    AppRoleAssignment,
    Collection,
    PermissionDefinition,
    PermissionGrant,
    Person,
    ServicePrincipal,
)
from directory.sync.copying import as_text, plain, upsert
from directory.sync.publishers import name_publishers
from directory.sync.roles import Holding
from graph import activity, types

BATCH = 1000
_Kind = ServicePrincipal.Kind
T = TypeVar("T")
PersonRow, GrantRow, AssignmentRow = plain(Person), plain(PermissionGrant), plain(AppRoleAssignment)

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
def writing(tenant: Tenant, *, shared: bool = False) -> Iterator[None]:
    """A short transaction in which nobody else writes to this tenant's copy.

    Two writers that touch the same rows in another order would stop each other; this puts them in line. Never hold
    it across a call to Graph.

    Args:
        shared: others who share may write too, since no two of them touch the same rows.
    """
    with transaction.atomic():
        locks.wait(f"directory.copy:{tenant.pk}", shared=shared)
        yield


@contextmanager
def storing(tenant: Tenant, *, shared: bool = False) -> Iterator[None]:
    """The same for what was read, together with the place in the list, and can be read again.

    A crash of the database may lose the last of it, the place with it: nobody waits for the disk.
    """
    with writing(tenant, shared=shared):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")
        yield


def in_parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part


@dataclass(frozen=True)
class Ready:
    """Rows in the order of their keys, each key once, with all that storing them needs and no database does.

    Made where the next page is waited for, it keeps that work from the transaction that stores them.
    """

    rows: list
    text: str
    said: words.Text | None = None

    @classmethod
    def of_apps(cls, found: Iterable[ServicePrincipal]) -> Self:
        return cls._of(ServicePrincipal, _in_order(found, "id"))

    @classmethod
    def of_people(cls, found: Iterable["PersonRow"]) -> Self:
        rows = _in_order(found, "id")
        return cls._of(Person, rows, words.Text.of(_words_of_people(rows)))

    @classmethod
    def of_grants(cls, found: Iterable["GrantRow"]) -> Self:
        return cls._of(PermissionGrant, _in_order(found, "graph_id"))

    @classmethod
    def _of(cls, model: type, rows: list, said: words.Text | None = None) -> Self:
        return cls(rows, as_text(model, rows), said)


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


def person(tenant: Tenant, item: types.User, at: datetime) -> PersonRow:
    return PersonRow(
        tenant_id=tenant.pk,
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


def grant(tenant: Tenant, item: types.Grant, at: datetime) -> GrantRow:
    return GrantRow(
        tenant_id=tenant.pk,
        graph_id=item.id,
        client_id=item.client_id,
        resource_id=item.resource_id,
        principal_id=item.principal_id,
        consent_type=item.consent_type,
        scopes=[scope[:256] for scope in item.scopes],
        first_seen_at=at,
        synced_at=at,
    )


def assignment(tenant: Tenant, item: types.AppRoleAssignment, at: datetime) -> AssignmentRow:
    return AssignmentRow(
        tenant_id=tenant.pk,
        graph_id=item.id,
        resource_id=item.resource_id,
        principal_id=item.principal_id,
        principal_type=item.principal_type,
        principal_name=item.principal_name[:256],
        app_role_id=item.app_role_id,
        created_at=item.created_at,
        synced_at=at,
    )


def save_apps(apps: Iterable[ServicePrincipal] | Ready) -> None:
    rows, text = (apps.rows, apps.text) if isinstance(apps, Ready) else (_in_order(apps, "id"), "")
    upsert(ServicePrincipal, rows, ["id"], _APP_FIELDS, text=text)
    of_agents = (row.tenant_id for row in rows if row.kind in (_Kind.AGENT, _Kind.BLUEPRINT))
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


def save_people(people: Iterable[PersonRow] | Ready, *, with_roles: bool = False, with_words: bool = True) -> None:
    """Store them.

    Args:
        with_roles: their directory roles too, which the list of people does not hold.
        with_words: and the words by which they are found; else `save_words_of_people` is called for these as well.
    """
    fields = [*_PERSON_FIELDS, *_ROLE_FIELDS] if with_roles else _PERSON_FIELDS
    rows, text = (people.rows, people.text) if isinstance(people, Ready) else (_in_order(people, "id"), "")
    upsert(Person, rows, ["id"], fields, text=text)
    if rows and with_words:
        said = people.said if isinstance(people, Ready) else words.Text.of(_words_of_people(rows))
        said.save(rows[0].tenant_id, words.Kind.PERSON)


def save_words_of_people(tenant: Tenant, pages: Sequence[Ready]) -> None:
    """The words of some pages' people, with one statement: the more of them, the more are neighbours in its index."""
    people = [row.id for one in pages for row in one.rows]
    together = len(set(people)) == len(people)  # a list that changes may name somebody twice: the last word counts
    said = [one.said for one in pages if one.rows]
    for text in [words.Text.joined(said)] if said and together else said:
        text.save(tenant.pk, words.Kind.PERSON)


def _words_of_people(people: Iterable[PersonRow]) -> Iterator[tuple[UUID, set[str]]]:
    return ((one.id, words.of(one.display_name, one.upn, one.mail)) for one in people if not one.is_agent)


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


def save_roles(tenant: Tenant, held: dict[UUID, Holding], people: Set[UUID], at: datetime) -> None:
    """Make `held` all there is of these people's roles, but for those read by themselves since.

    Three statements for any number: holders are few, and whose row was right already is not written again.
    """
    holders = Person.objects.filter(~Q(role_template_ids=[]) | Q(has_scoped_role=True), tenant=tenant)
    none = dict.fromkeys(holders.values_list("pk", flat=True), Holding())
    columns = [
        (pk, json.dumps(sorted(map(str, one.roles))), one.scoped) for pk, one in (none | held).items() if pk in people
    ]
    ids, named, scoped = (list(column) for column in zip(*columns, strict=True)) if columns else ([], [], [])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE directory_person p SET role_template_ids = new.roles, has_scoped_role = new.scoped"
            " FROM (SELECT id, scoped, ARRAY(SELECT jsonb_array_elements_text(named::jsonb))::uuid[] AS roles"
            "  FROM unnest(%s::uuid[], %s::text[], %s::bool[]) AS held(id, named, scoped)) new"
            " WHERE p.id = new.id AND p.tenant_id = %s AND (p.roles_known_at IS NULL OR p.roles_known_at < %s)"
            " AND (p.role_template_ids, p.has_scoped_role) IS DISTINCT FROM (new.roles, new.scoped)",
            [ids, named, scoped, tenant.pk, at],
        )
        cursor.execute(
            "UPDATE directory_person SET roles_known_at = %s"
            " WHERE tenant_id = %s AND id = ANY(%s::uuid[]) AND roles_known_at IS NULL",
            [at, tenant.pk, id_array(people)],
        )


def save_grants(grants: Iterable[GrantRow] | Ready) -> None:
    rows, text = (grants.rows, grants.text) if isinstance(grants, Ready) else (_in_order(grants, "graph_id"), "")
    upsert(PermissionGrant, rows, ["tenant", "graph_id"], _GRANT_FIELDS, text=text)


def save_assignments(assignments: Iterable[AssignmentRow]) -> None:
    rows = _in_order(assignments, "graph_id")
    upsert(AppRoleAssignment, rows, ["tenant", "graph_id"], _ASSIGNMENT_FIELDS)


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
    made = [found[key] for key in sorted(found, key=str)]
    upsert(PermissionDefinition, made, ["tenant", "resource", "kind", "permission_id"], _DEFINITION_FIELDS)


def _in_order(rows: Iterable[Any], key: str) -> list:
    """Each key once, as its last row says. Whoever writes many rows does so in this order, and none stops another."""
    found = {getattr(row, key): row for row in rows}
    return [found[one] for one in sorted(found)]


def _home_domain(user: types.User) -> str:
    """Where an external one comes from: `lynne_fabrikam.example#EXT#@contoso.example`, else their mail's domain."""
    if not user.is_external:
        return ""
    name, marked, _rest = user.upn.partition("#EXT#")
    if marked and "_" in name:
        return name.rpartition("_")[2].lower()
    return user.mail.rpartition("@")[2].lower()
