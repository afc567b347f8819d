"""Reading one person, or one app, again: the pages about them are not to wait for the next full reading."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import in_tenant
from directory.models import AgentTie, AppRoleAssignment, PermissionGrant, Person, ServicePrincipal
from directory.sync import recent, roles, rows, withdrawn
from directory.sync.assignments import assignments_of
from directory.sync.derive import derive
from directory.sync.unknown import fetch_unknown
from graph.client import GraphClient
from graph.errors import NotFound
from graph.paging import read_all, read_one
from graph.requesting import ADVANCED
from graph.types import Answer, Call, Grant, Group, Items, User

Types = PermissionGrant.ConsentType
NEW_PEOPLE = 10  # taken into the copy per search; a search is no way to copy a directory


def take_in_people(tenant: Tenant, q: str) -> int:
    """Look in Graph for people of that name or address and read those that the copy does not know yet, ten at most.

    Returns:
        how many Graph found.

    Raises:
        GraphError: those read before it are in the copy.
    """
    found = GraphClient(str(tenant.pk), priority="high").find_users(q)
    ids = [user.id for user in found]
    known = set(Person.objects.filter(tenant=tenant, pk__in=ids).values_list("pk", flat=True))
    for object_id in [one for one in ids if one not in known][:NEW_PEOPLE]:
        refresh_person(tenant, object_id)
    return len(ids)


def refresh_person(tenant: Tenant, object_id: UUID | str) -> bool:
    """Read a person, their own grants, the tenant-wide ones and their roles: one batch, one request.

    More follow only where the person is in groups that may hold roles, where the grants name apps the copy does not
    know, or where a list is long.

    Returns:
        whether the directory knows the person. For one it does not, the copy stays as it is.

    Raises:
        GraphError: nothing was changed in the copy.
    """
    object_id = UUID(str(object_id))
    client, asked_at = GraphClient(str(tenant.pk), priority="high"), timezone.now()
    user, own, tenant_wide, direct, groups = client.batch(
        [
            Call("GET", f"/users/{object_id}?$select={User.SELECT}"),
            Call("GET", f"/users/{object_id}/oauth2PermissionGrants?$top=999"),
            Call(
                "GET",
                "/oauth2PermissionGrants?$filter=consentType%20eq%20'AllPrincipals'&$top=999&$count=true",
                headers=ADVANCED,
            ),
            *roles.calls_for(object_id),
        ]
    )
    if isinstance(user.error, NotFound):
        return False
    if user.error:
        raise user.error
    found = _items(own, Grant.read) if _is_whole(own) else client.grants_of_user(object_id)
    more = _items(tenant_wide, Grant.read) if _is_whole(tenant_wide) else _walked(client.tenant_wide_grants())
    found.extend(more)
    found.unreadable += more.unreadable
    with in_tenant(tenant.pk):
        _save_person(tenant, client, read_one(user.body, User.read), direct, groups)
        if _is_whole(groups):
            _note_groups(tenant, object_id, _items(groups, Group.read))
        grants = PermissionGrant.objects.filter(tenant=tenant)
        present = grants.filter(principal_id=object_id) | grants.filter(consent_type=Types.ALL)
        apps = _replace_grants(tenant, found, present, asked_at)
        _complete(tenant, client, apps, found)
    return True


def replace_grants_of_person(tenant: Tenant, client: GraphClient, person_id: UUID) -> set[UUID]:
    """Read what one person granted for themselves, and make it all there is. Returns the apps. Raises `GraphError`."""
    asked_at = timezone.now()
    found = client.grants_of_user(person_id)
    present = PermissionGrant.objects.filter(tenant=tenant, principal_id=person_id)
    return _replace_grants(tenant, found, present, asked_at)


def replace_grants_of_app(tenant: Tenant, app_id: UUID, found: Items[Grant], asked_at: datetime) -> set[UUID]:
    """Make `found`, an app's own list as it was asked for then, all that was granted to it. Returns the apps."""
    return _replace_grants(tenant, found, PermissionGrant.objects.filter(tenant=tenant, client_id=app_id), asked_at)


def refresh_app(tenant: Tenant, app_id: UUID | str, *, client: GraphClient | None = None) -> bool:
    """Read an app, everything granted to it, its assignments and its application permissions.

    Returns:
        whether the directory knows the app; one it does not is looked for in the recycle bin, and leaves the copy
        when it is not there either.

    Raises:
        GraphError: what was read before it is in the copy, nothing was taken out of it.
    """
    app_id = UUID(str(app_id))
    client, asked_at = client or GraphClient(str(tenant.pk), priority="high"), timezone.now()
    try:
        app = client.service_principal(app_id)
    except NotFound:
        with in_tenant(tenant.pk):
            return _refresh_binned(tenant, client, app_id)
    grants = client.grants_of_client(app_id)
    assigned = assignments_of(client, [app_id])
    held = client.app_permissions_of(app_id)
    now = timezone.now()
    with in_tenant(tenant.pk):
        with rows.writing(tenant):
            rows.save_apps(recent.corrected_apps(tenant, [rows.app(tenant, app, now)]))
            rows.save_definitions(tenant, [app])
        apps = replace_grants_of_app(tenant, app_id, grants, asked_at)
        _replace_assignments(tenant, app_id, asked_at, assigned, held)
        _complete(tenant, client, apps | {app_id}, grants, held)
    return True


def _refresh_binned(tenant: Tenant, client: GraphClient, app_id: UUID) -> bool:
    now = timezone.now()
    binned = [rows.app(tenant, app, now) for app in client.deleted_service_principals() if app.id == app_id]
    protected = str(app_id) in recent.states(tenant, recent.Changed.APP)
    with rows.writing(tenant):
        if binned:
            rows.save_apps(recent.corrected_apps(tenant, binned))
        elif not protected:
            ServicePrincipal.objects.filter(tenant=tenant, pk=app_id).delete()
    return bool(binned)


def _save_person(tenant: Tenant, client: GraphClient, user: User, direct: Answer, groups: Answer) -> None:
    """Store the person; their roles where all of them could be read. Half a list only adds to what is stored."""
    read = roles.of_person(client, roles.calls_for(user.id), direct, groups)
    now = timezone.now()
    person = rows.person(tenant, user, now)
    if read:
        person.role_template_ids, person.has_scoped_role = sorted(read.held.roles), read.held.scoped
        person.roles_known_at = now
    with rows.writing(tenant):
        rows.save_people([person], with_roles=read is not None)
        if read is None:
            rows.widen_roles(tenant, person.pk, roles.seen(direct))
        elif read.in_role_group:
            rows.add_to_role_groups(tenant, person.pk)


def _note_groups(tenant: Tenant, person_id: UUID, groups: Items[Group]) -> None:
    """Which of a person's groups sponsor or own an agent; of the others nothing is kept."""
    ties = AgentTie.objects.filter(tenant=tenant, holder_type="group", holder_id__in=[group.id for group in groups])
    answering = sorted(ties.values_list("holder_id", flat=True).distinct())
    Person.objects.filter(tenant=tenant, pk=person_id).update(answering_groups=answering)


def _replace_grants(tenant: Tenant, found: Items[Grant], present, asked_at: datetime) -> set[UUID]:
    """Make `found` all there is of `present`; rows that could not be read stay as they were. Returns the apps.

    Whatever another reading stored since this one was asked for stays too: an answer knows nothing of what came later.
    """
    now = timezone.now()
    with rows.writing(tenant):
        before = set(present.values_list("client_id", flat=True))
        kept = recent.corrected_grants(tenant, (rows.grant(tenant, item, now) for item in found), closely=True)
        rows.save_grants(kept)
        protected = [pk for pk, state in recent.states(tenant, recent.Changed.GRANT).items() if state]
        protected += [one.id for one in found.unreadable]
        withdrawn.take_out(tenant, present.filter(synced_at__lt=asked_at).exclude(graph_id__in=protected))
    return before | {grant.client_id for grant in kept}


def _replace_assignments(tenant: Tenant, app_id: UUID, asked_at: datetime, *lists: Items) -> None:
    found = [item for items in lists for item in items]
    now = timezone.now()
    all_rows = AppRoleAssignment.objects.filter(tenant=tenant)
    with rows.writing(tenant):
        rows.save_assignments(
            recent.corrected_assignments(tenant, (rows.assignment(tenant, item, now) for item in found))
        )
        protected = [pk for pk, state in recent.states(tenant, recent.Changed.ASSIGNMENT).items() if state]
        protected += [one.id for items in lists for one in items.unreadable]
        present = all_rows.filter(resource_id=app_id) | all_rows.filter(principal_id=app_id)
        present.filter(synced_at__lt=asked_at).exclude(graph_id__in=protected).delete()


def _complete(tenant: Tenant, client: GraphClient, apps: set[UUID], grants: list[Grant], held: Sequence = ()) -> None:
    """Bring in what the grants and application permissions name, and compute the columns of these apps."""
    try:
        fetch_unknown(
            tenant,
            client,
            apps={grant.client_id for grant in grants},
            resources={item.resource_id for item in (*grants, *held)},
            people={grant.principal_id for grant in grants if grant.principal_id},
        )
    finally:
        with rows.writing(tenant):
            derive(tenant, apps)


def _is_whole(answer: Answer) -> bool:
    """Whether one answer holds the whole list. A failed or a paged one is asked again by the patient way."""
    return answer.ok and "@odata.nextLink" not in answer.body


def _items(answer: Answer, read) -> Items:
    return read_all(answer.body, read)


def _walked(pages) -> Items:
    found = Items()
    for page in pages:
        if page.restarted:
            found = Items()
        found.extend(page.items)
        found.unreadable += page.unreadable
    return found
