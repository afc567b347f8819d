"""What one tenant of the pretend directory holds, and the indexes that find it."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sandbox.auditing import DirectoryAudit
from sandbox.objects import (
    ROLE_NAMES,
    AdministrativeUnit,
    Application,
    Assignment,
    Grant,
    Group,
    Inheritable,
    RoleAssignment,
    RoleDefinition,
    ServicePrincipal,
    User,
    grant_id,
    make_id,
)
from sandbox.timing import Clock

JOURNAL_SIZE = 500_000
# What nobody can give to an agent: https://learn.microsoft.com/graph/api/resources/agentid-platform-overview
BLOCKED_FOR_AGENTS = frozenset(
    {"Directory.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All", "User.ReadWrite.All", "Group.ReadWrite.All"}
    | {"RoleManagement.ReadWrite.Directory"}
)
BLOCKED_ROLES_FOR_AGENTS = BLOCKED_FOR_AGENTS | {
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Calendars.Read",
    "Chat.Read.All",
    "Files.Read.All",
    "Sites.Read.All",
}


class Change(NamedTuple):
    """One write. `before` is the record as it was, None when it did not exist."""

    sequence: int
    at: float  # directory seconds, see Clock.elapsed
    kind: str  # the name of the dict on Tenant
    id: str
    before: Any
    silent: bool = False  # made by a recovery job: delta never tells of it
    tied: bool = False  # came or went with the object it hangs on


class Records:
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
        self.consent_requests: dict[str, tuple[str, ...]] = {}  # client id: scopes that people asked for
        self.deleted_applications: dict[str, Application] = {}  # registrations, by object id
        self.administrative_units: dict[str, AdministrativeUnit] = {}
        self.custom_roles: dict[str, RoleDefinition] = {}
        self.other_role_assignments: dict[str, RoleAssignment] = {}  # of custom roles, or for a part of the directory
        self.b2c = False  # an Azure AD B2C tenant
        self.custom_policies: dict[str, bytes] = {}  # of a B2C tenant: XML by policy id
        self.policies_version = 0
        self.policy_keys: dict[str, str] = {}  # the secrets in its key sets, by name; empty for generated keys
        self.moves: dict[str, str] = {}  # which of a person's two dates a call moves, where it is not both
        self.audit = DirectoryAudit(clock, self.users)
        self.sequence = 0
        self.journal: deque[Change] = deque(maxlen=JOURNAL_SIZE)
        self.awaited = False  # whether something happens later by itself, see Tenant.catch_up
        self.silent = False  # while a recovery job is at work
        self._tied = False  # while what hangs on an object goes or comes with it
        self._quiet = True  # while the world is being built
        self._by_upn: dict[str, str] = {}
        self._by_app_id: dict[str, str] = {}
        self._spent: set[str] = set()  # object ids that may not be given out again
        self._groups_of: dict[str, dict[str, None]] = {}
        self.grants_by_client: dict[str, dict[str, None]] = {}
        self.grants_by_principal: dict[str | None, dict[str, None]] = {}
        self.assignments_by_principal: dict[str, dict[str, None]] = {}
        self.assignments_by_resource: dict[str, dict[str, None]] = {}
        self.consent_lag_seconds: float = 0  # directory seconds until an application permission that was given is seen
        self._arriving: dict[str, datetime] = {}  # assignments given to apps, and from when on they are seen
        self._shelved: dict[str, list[Grant | Assignment]] = {}  # by the deleted object they hang on

    @property
    def domains(self) -> tuple[str, str]:
        return (self.domain, self.initial_domain)

    def settle(self) -> None:
        """From now on changes are remembered; what was built before has always been there."""
        self._quiet = False

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
        """What a client may do at a resource for a person: the person's own grant, the tenant-wide one, and of an
        agent what it inherits."""
        found = (self.grant_for(client_id, resource_id, principal) for principal in (user_id, None))
        own = {scope for grant in found if grant for scope in grant.scopes}
        return own | set(self.inherited_scopes(client_id).get(resource_id, ()))

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

    def visible_app_roles(self, principal_id: str) -> list[Assignment]:
        """The assignments a principal is seen to have by now, in tokens and in lists.

        What an administrator's consent has just given to an app takes a while to arrive: `consent_lag_seconds`.
        """
        return [one for one in self.assignments_of(principal_id) if self.arrived(one)]

    def arrived(self, assignment: Assignment) -> bool:
        moment = self._arriving.get(assignment.id)
        return moment is None or self.clock.now() >= moment

    def roles_of(self, principal_id: str, resource_id: str) -> list[str]:
        """Values of the app roles held at a resource, directly or through a group the principal is a member of."""
        resource = self.service_principals.get(resource_id)
        if resource is None:
            return []
        held = {one.app_role_id for one in self.visible_app_roles(principal_id) if one.resource_id == resource_id}
        for group in self.groups_of(principal_id):
            held |= {one.app_role_id for one in self.assignments_of(group.id) if one.resource_id == resource_id}
        held |= {one.app_role_id for one in self.inherited_roles(principal_id) if one.resource_id == resource_id}
        return [role.value for role in resource.app_roles if role.id in held and role.value]

    # --- agents ----------------------------------------------------------------------------------

    def agents_of(self, blueprint_app_id: str) -> list[ServicePrincipal]:
        return [one for one in self.service_principals.values() if one.blueprint_app_id == blueprint_app_id]

    def blueprint_of(self, agent_id: str) -> ServicePrincipal | None:
        """The principal of an agent's blueprint; None of what is no agent, and where it has gone."""
        agent = self.service_principals.get(agent_id)
        return self.service_principal_for(agent.blueprint_app_id) if agent and agent.blueprint_app_id else None

    def inherited_scopes(self, agent_id: str) -> dict[str, list[str]]:
        """What an agent may do for anybody because its blueprint's principal may: by resource, without those that no
        agent can have."""
        blueprint, found = self.blueprint_of(agent_id), dict[str, list[str]]()
        for grant in self.grants_of_client(blueprint.id) if blueprint else ():
            rule = self._rule(blueprint, grant.resource_id)
            if grant.principal_id or rule is None or rule.scopes == "none":
                continue
            passed = [
                scope
                for scope in grant.scopes
                if scope not in BLOCKED_FOR_AGENTS and (rule.scopes == "allAllowed" or scope in rule.scopes)
            ]
            if passed:
                found[grant.resource_id] = passed
        return found

    def inherited_roles(self, agent_id: str) -> list[Assignment]:
        """The assignments of its blueprint's principal that an agent acts with."""
        blueprint = self.blueprint_of(agent_id)
        if blueprint is None:
            return []
        return [
            one
            for one in self.visible_app_roles(blueprint.id)
            if (rule := self._rule(blueprint, one.resource_id))
            and rule.roles == "allAllowed"
            and (role := self.service_principals[one.resource_id].app_role(one.app_role_id))
            and role.value not in BLOCKED_ROLES_FOR_AGENTS
        ]

    def _rule(self, blueprint: ServicePrincipal, resource_id: str) -> Inheritable | None:
        resource = self.service_principals.get(resource_id)
        return next((one for one in blueprint.inheritable if resource and one.resource_app_id == resource.app_id), None)

    def assigned(self, principal_id: str, resource_id: str) -> bool:
        """Whether the principal is assigned at all, in whatever role, directly or through a group."""
        holders = [principal_id, *(group.id for group in self.groups_of(principal_id))]
        return any(one.resource_id == resource_id for holder in holders for one in self.assignments_of(holder))

    def role_definitions(self) -> list[RoleDefinition]:
        return [*(RoleDefinition(role, name) for role, name in ROLE_NAMES.items()), *self.custom_roles.values()]

    def role_assignments(self) -> list[RoleAssignment]:
        """Every directory role that is held directly, by people, role-assignable groups and service principals."""
        groups = (one for one in self.groups.values() if one.role_assignable)
        found = [
            RoleAssignment(make_id(self.id, holder.id, role), holder.id, role)
            for holder in (*self.users.values(), *groups)
            for role in holder.role_template_ids
        ]
        return [*found, *self.other_role_assignments.values()]

    def units_of(self, member_id: str) -> list[AdministrativeUnit]:
        return [one for one in self.administrative_units.values() if member_id in one.members]

    def managed_only_within(self, member_id: str) -> list[AdministrativeUnit]:
        """The restricted units somebody is in: who has no role there changes nothing about them."""
        return [one for one in self.units_of(member_id) if one.restricted]

    def owned_by(self, object_id: str) -> list[ServicePrincipal | Group]:
        return [
            one for table in (self.service_principals, self.groups) for one in table.values() if object_id in one.owners
        ]

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
