"""One tenant of the pretend directory: its records, the indexes that find them, and every way they change."""

from __future__ import annotations

import copy
import uuid
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sandbox.auditing import DirectoryAudit
from sandbox.objects import (
    DEFAULT_ROLE,
    Application,
    Assignment,
    Grant,
    Group,
    ServicePrincipal,
    User,
    assignment_id,
    grant_id,
    make_id,
)
from sandbox.timing import Clock

JOURNAL_SIZE = 500_000
RECYCLE_BIN = timedelta(days=30)


class Change(NamedTuple):
    """One write. `before` is the record as it was, None when it did not exist."""

    sequence: int
    at: float  # directory seconds, see Clock.elapsed
    kind: str  # the name of the dict on Tenant
    id: str
    before: Any


class Tenant:
    """Records by id. Objects in the recycle bin, and the grants and assignments hanging on them, are kept apart."""

    def __init__(self, tenant_id: str, name: str, domain: str, clock: Clock):
        self.id, self.name, self.domain, self.clock = tenant_id, name, domain, clock
        self.initial_domain = f"{domain.split('.')[0]}.onmicrosoft.com"
        self.created: datetime = clock.now() - timedelta(days=1500)
        self.user_consent = "all"  # "all", "low" or "none"
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.service_principals: dict[str, ServicePrincipal] = {}
        self.grants: dict[str, Grant] = {}
        self.assignments: dict[str, Assignment] = {}
        self.deleted_service_principals: dict[str, ServicePrincipal] = {}
        self.deleted_users: dict[str, User] = {}
        self.audit = DirectoryAudit(clock)
        self.sequence = 0
        self.journal: deque[Change] = deque(maxlen=JOURNAL_SIZE)
        self._quiet = True  # while the world is being built
        self._by_upn: dict[str, str] = {}
        self._by_app_id: dict[str, str] = {}
        self._spent: set[str] = set()  # object ids that may not be given out again
        self._groups_of: dict[str, dict[str, None]] = {}
        self.grants_by_client: dict[str, dict[str, None]] = {}
        self.grants_by_principal: dict[str | None, dict[str, None]] = {}
        self.assignments_by_principal: dict[str, dict[str, None]] = {}
        self.assignments_by_resource: dict[str, dict[str, None]] = {}
        self._shelved: dict[str, list[Grant | Assignment]] = {}  # by the deleted object they hang on

    @property
    def domains(self) -> tuple[str, str]:
        return (self.domain, self.initial_domain)

    def settle(self) -> None:
        """From now on changes are remembered; what was built before has always been there."""
        self._quiet = False

    # --- finding ---------------------------------------------------------------------------------

    def user(self, id_or_upn: str) -> User | None:
        wanted = id_or_upn.lower()
        return self.users.get(wanted) or self.users.get(self._by_upn.get(wanted, ""))

    def service_principal_for(self, app_id: str) -> ServicePrincipal | None:
        return self.service_principals.get(self._by_app_id.get(app_id.lower(), ""))

    def grant_for(self, client_id: str, resource_id: str, principal_id: str | None) -> Grant | None:
        return self.grants.get(grant_id(client_id, resource_id, principal_id))

    def grants_of_client(self, client_id: str) -> list[Grant]:
        return [self.grants[one] for one in self.grants_by_client.get(client_id, ())]

    def grants_of_principal(self, principal_id: str | None) -> list[Grant]:
        """One person's own grants; for None the tenant-wide ones."""
        return [self.grants[one] for one in self.grants_by_principal.get(principal_id, ())]

    def scopes_for(self, client_id: str, resource_id: str, user_id: str) -> set[str]:
        """What a client may do at a resource for a person: the person's own grant plus the tenant-wide one."""
        found = (self.grant_for(client_id, resource_id, principal) for principal in (user_id, None))
        return {scope for grant in found if grant for scope in grant.scopes}

    def assignments_of(self, principal_id: str) -> list[Assignment]:
        return [self.assignments[one] for one in self.assignments_by_principal.get(principal_id, ())]

    def assigned_to(self, resource_id: str) -> list[Assignment]:
        return [self.assignments[one] for one in self.assignments_by_resource.get(resource_id, ())]

    def groups_of(self, member_id: str, *, transitive: bool = False) -> list[Group]:
        found, left = dict[str, None](), [member_id]
        while left:
            for group_id in self._groups_of.get(left.pop(), ()):
                if group_id not in found:
                    found[group_id] = None
                    if transitive:
                        left.append(group_id)
        return [self.groups[one] for one in found if one in self.groups]

    def members_of(self, group_id: str) -> list[User]:
        """The people in a group and in the groups inside it, each once."""
        seen, people, left = {group_id}, dict[str, User](), [group_id]
        while left:
            group = self.groups.get(left.pop())
            for member in group.members if group else ():
                if user := self.users.get(member):
                    people[member] = user
                elif member not in seen:
                    seen.add(member)
                    left.append(member)
        return list(people.values())

    def roles_of(self, principal_id: str, resource_id: str) -> list[str]:
        """Values of the app roles held at a resource, directly or through a group the principal is a member of."""
        resource = self.service_principals.get(resource_id)
        if resource is None:
            return []
        holders = [principal_id, *(group.id for group in self.groups_of(principal_id))]
        held = {
            one.app_role_id
            for holder in holders
            for one in self.assignments_of(holder)
            if one.resource_id == resource_id
        }
        return [role.value for role in resource.app_roles if role.id in held and role.value]

    def assigned(self, principal_id: str, resource_id: str) -> bool:
        """Whether the principal is assigned at all, in whatever role, directly or through a group."""
        holders = [principal_id, *(group.id for group in self.groups_of(principal_id))]
        return any(one.resource_id == resource_id for holder in holders for one in self.assignments_of(holder))

    def directory_roles_of(self, user_id: str) -> list[str]:
        """Template ids of the directory roles a person holds, also through role-assignable groups."""
        user = self.users.get(user_id)
        if user is None:
            return []
        found = dict.fromkeys(user.role_template_ids)
        for group in self.groups_of(user_id):
            if group.role_assignable:
                found.update(dict.fromkeys(group.role_template_ids))
        return list(found)

    # --- people and groups -----------------------------------------------------------------------

    def add_user(self, user: User) -> User:
        self._record("users", user.id, None)
        self.users[user.id] = user
        self._by_upn[user.upn.lower()] = user.id
        return user

    def update_user(self, user_id: str, **changes: Any) -> User:
        user = self.users[user_id]
        self._record("users", user_id, user)
        if "upn" in changes:
            self._by_upn.pop(user.upn.lower(), None)
            self._by_upn[changes["upn"].lower()] = user_id
        return _apply(user, changes)

    def revoke_sessions(self, user_id: str) -> bool:
        """Refuse what was issued to this person until now. False for a guest: their sessions live at home."""
        user = self.users[user_id]
        if user.guest:
            return False
        self._record("users", user_id, user)
        user.valid_from = max(self.clock.now(), user.valid_from)
        return True

    def disable_user(self, user_id: str) -> None:
        self.update_user(user_id, enabled=False)

    def enable_user(self, user_id: str) -> None:
        self.update_user(user_id, enabled=True)

    def delete_user(self, user_id: str) -> None:
        """Into the recycle bin, with the person's grants and assignments."""
        user = self.users[user_id]
        self._shelve(user_id)
        self._record("users", user_id, user)
        self._record("deleted_users", user_id, None)
        del self.users[user_id]
        self._by_upn.pop(user.upn.lower(), None)
        user = copy.copy(user)
        user.deleted_at = self.clock.now()
        self.deleted_users[user_id] = user

    def restore_user(self, user_id: str) -> User:
        user = self.deleted_users[user_id]
        self._record("deleted_users", user_id, user)
        del self.deleted_users[user_id]
        user = copy.copy(user)
        user.deleted_at = None
        self.add_user(user)
        self._unshelve(user_id)
        return user

    def purge_user(self, user_id: str) -> None:
        self._record("deleted_users", user_id, self.deleted_users[user_id])
        del self.deleted_users[user_id]
        self._shelved.pop(user_id, None)

    def add_group(self, group: Group) -> Group:
        self._record("groups", group.id, None)
        self.groups[group.id] = group
        for member in group.members:
            self._groups_of.setdefault(member, {})[group.id] = None
        return group

    def remove_member(self, group_id: str, member_id: str) -> None:
        group = self.groups[group_id]
        if self._groups_of.get(member_id, {}).pop(group_id, 0) is None:
            self._record("groups", group_id, group)
            group.members = [one for one in group.members if one != member_id]

    # --- service principals ----------------------------------------------------------------------

    def add_service_principal(self, principal: ServicePrincipal) -> ServicePrincipal:
        self._record("service_principals", principal.id, None)
        self._spent.add(principal.id)
        self.service_principals[principal.id] = principal
        self._by_app_id[principal.app_id] = principal.id
        return principal

    def instantiate(self, application: Application) -> ServicePrincipal:
        """The app's presence in this tenant, made if it is not there.

        After a deletion it comes back as a new object with a new id; only a restore keeps the old one.
        """
        if present := self.service_principal_for(application.app_id):
            return present
        object_id = make_id(self.id, "servicePrincipal", application.app_id)
        reply_urls = application.redirect_uris if application.reply_urls is None else application.reply_urls
        principal = ServicePrincipal(
            id=str(uuid.uuid4()) if object_id in self._spent else object_id,
            app_id=application.app_id,
            display_name=application.display_name,
            owner_tenant_id=application.home_tenant_id,
            created=self.clock.now(),
            tags=["WindowsAzureActiveDirectoryIntegratedApp"],
            publisher=application.publisher,
            verified=application.verified,
            reply_urls=list(reply_urls),
            names=[application.app_id, *application.identifier_uris],
            homepage=application.homepage,
            logout_url=application.logout_url,
            description=application.description,
            multi_tenant=application.multi_tenant,
            app_roles=list(application.app_roles),
            scopes=list(application.scopes),
        )
        return self.add_service_principal(principal)

    def update_service_principal(self, object_id: str, **changes: Any) -> ServicePrincipal:
        principal = self.service_principals[object_id]
        self._record("service_principals", object_id, principal)
        return _apply(principal, changes)

    def delete_service_principal(self, object_id: str) -> None:
        """Into the recycle bin for 30 days; the grants and assignments at either end are hidden with it."""
        principal = self.service_principals[object_id]
        self._shelve(object_id)
        self._record("service_principals", object_id, principal)
        self._record("deleted_service_principals", object_id, None)
        del self.service_principals[object_id]
        self._by_app_id.pop(principal.app_id, None)
        principal = copy.copy(principal)
        principal.deleted_at = self.clock.now()
        self.deleted_service_principals[object_id] = principal

    def restore_service_principal(self, object_id: str) -> ServicePrincipal:
        principal = self.deleted_service_principals[object_id]
        self._record("deleted_service_principals", object_id, principal)
        del self.deleted_service_principals[object_id]
        principal = copy.copy(principal)
        principal.deleted_at = None
        self.add_service_principal(principal)
        self._unshelve(object_id)
        return principal

    def purge_service_principal(self, object_id: str) -> None:
        self._record("deleted_service_principals", object_id, self.deleted_service_principals[object_id])
        del self.deleted_service_principals[object_id]
        self._shelved.pop(object_id, None)

    def empty_recycle_bin(self) -> None:
        """Take away for good what has been in the bin for 30 days."""
        limit = self.clock.now() - RECYCLE_BIN
        for one in [one for one in self.deleted_service_principals.values() if one.deleted_at <= limit]:
            self.purge_service_principal(one.id)
        for one in [one for one in self.deleted_users.values() if one.deleted_at <= limit]:
            self.purge_user(one.id)

    # --- grants ----------------------------------------------------------------------------------

    def add_scopes(self, client_id: str, resource_id: str, principal_id: str | None, scopes: Iterable[str]) -> Grant:
        """Consent: create the grant, or widen the one that is there. Asking for nothing new changes nothing."""
        present = self.grant_for(client_id, resource_id, principal_id)
        if present is None:
            consent_type = "Principal" if principal_id else "AllPrincipals"
            scope = " ".join(dict.fromkeys(scopes))
            new_id = grant_id(client_id, resource_id, principal_id)
            return self.put_grant(Grant(new_id, client_id, consent_type, principal_id, resource_id, scope))
        wider = " ".join(dict.fromkeys([*present.scopes, *scopes]))
        return present if wider.split() == present.scopes else self.set_grant_scope(present.id, wider)

    def set_grant_scope(self, grant_id: str, scope: str) -> Grant:
        grant = self.grants[grant_id]
        self._record("grants", grant_id, grant)
        grant.scope = scope
        return grant

    def put_grant(self, grant: Grant) -> Grant:
        self._record("grants", grant.id, None)
        self.grants[grant.id] = grant
        self.grants_by_client.setdefault(grant.client_id, {})[grant.id] = None
        self.grants_by_principal.setdefault(grant.principal_id, {})[grant.id] = None
        return grant

    def delete_grant(self, grant_id: str) -> None:
        grant = self.grants.pop(grant_id)
        self._record("grants", grant_id, grant)
        del self.grants_by_client[grant.client_id][grant_id]
        del self.grants_by_principal[grant.principal_id][grant_id]

    # --- assignments -----------------------------------------------------------------------------

    def assign(
        self, principal_id: str, principal_type: str, resource_id: str, app_role_id: str = DEFAULT_ROLE
    ) -> Assignment:
        """Give a person, group or client a role at a resource. The same role twice is the assignment that is there."""
        for one in self.assignments_of(principal_id):
            if one.resource_id == resource_id and one.app_role_id == app_role_id:
                return one
        # While the world is built ids repeat from run to run; afterwards a new assignment is a new id.
        salt = uuid.UUID(make_id(principal_id, resource_id, app_role_id)) if self._quiet else uuid.uuid4()
        new_id = assignment_id(principal_id, salt)
        made = Assignment(new_id, principal_id, principal_type, resource_id, app_role_id, self.clock.now())
        return self._put_assignment(made)

    def unassign(self, assignment_id: str) -> None:
        assignment = self.assignments.pop(assignment_id)
        self._record("assignments", assignment_id, assignment)
        del self.assignments_by_principal[assignment.principal_id][assignment_id]
        del self.assignments_by_resource[assignment.resource_id][assignment_id]

    def _put_assignment(self, assignment: Assignment) -> Assignment:
        self._record("assignments", assignment.id, None)
        self.assignments[assignment.id] = assignment
        self.assignments_by_principal.setdefault(assignment.principal_id, {})[assignment.id] = None
        self.assignments_by_resource.setdefault(assignment.resource_id, {})[assignment.id] = None
        return assignment

    # --- bookkeeping -----------------------------------------------------------------------------

    def _record(self, kind: str, object_id: str, before: Any) -> None:
        if self._quiet:
            return
        self.sequence += 1
        self.journal.append(Change(self.sequence, self.clock.elapsed(), kind, object_id, copy.copy(before)))

    def _shelve(self, object_id: str) -> None:
        shelf = self._shelved.setdefault(object_id, [])
        hanging = [*self.grants_of_client(object_id), *self.grants_of_principal(object_id)]
        if object_id in self.service_principals:
            hanging += [one for one in self.grants.values() if one.resource_id == object_id]
        for grant in {one.id: one for one in hanging}.values():
            self.delete_grant(grant.id)
            shelf.append(grant)
        held = {one.id: one for one in [*self.assignments_of(object_id), *self.assigned_to(object_id)]}
        for assignment in held.values():
            self.unassign(assignment.id)
            shelf.append(assignment)

    def _unshelve(self, object_id: str) -> None:
        """Bring back what hung on a restored object, unless its other end is in the bin itself: then it waits there."""
        for one in self._shelved.pop(object_id, []):
            ends = [one.client_id, one.resource_id] if isinstance(one, Grant) else [one.resource_id]
            if one.principal_id:
                ends.append(one.principal_id)
            missing = [
                end for end in ends if not (end in self.service_principals or end in self.users or end in self.groups)
            ]
            if missing:
                if missing[0] in self.deleted_service_principals or missing[0] in self.deleted_users:
                    self._shelved.setdefault(missing[0], []).append(one)
            elif isinstance(one, Grant):
                self.put_grant(copy.copy(one))
            else:
                self._put_assignment(copy.copy(one))


def _apply(record: Any, changes: dict[str, Any]) -> Any:
    for name, value in changes.items():
        setattr(record, name, value)
    return record
