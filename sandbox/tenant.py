"""One tenant of the pretend directory: every way its records change, with the indexes kept true."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sandbox.objects import (
    APP,
    BLUEPRINT,
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
from sandbox.records import Change, Records

RECYCLE_BIN = timedelta(days=30)
AGENTS_FOLLOW = timedelta(days=1)  # "within 24 hours" after their blueprint's principal


class Tenant(Records):
    """A tenant's records and what can be done to them; every change is remembered in the journal."""

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

    def revoke_sessions(self, user_id: str, call: str = "revokeSignInSessions") -> bool:
        """Refuse what was issued to this person until now. False for external people: their sessions live at home.

        Both calls move both dates, unless `moves` says otherwise: a report from a B2C tenant does.
        https://learn.microsoft.com/graph/api/user-revokesigninsessions
        """
        user = self.users[user_id]
        if user.external:
            return False
        self._record("users", user_id, user)
        moves, now = self.moves.get(call, "both"), self.clock.now()
        if moves != "both" or user.tokens_valid_from is not None:
            before = user.refresh_from
            user.tokens_valid_from = before if moves == "signInSessionsValidFromDateTime" else max(now, before)
        if moves != "refreshTokensValidFromDateTime":
            user.valid_from = max(now, user.valid_from)
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
        # The name is free for somebody else: https://learn.microsoft.com/powershell/module/microsoft.entra/get-entradeleteduser
        user.upn = f"{user_id.replace('-', '')}{user.upn}"
        self.deleted_users[user_id] = user

    def restore_user(self, user_id: str) -> User:
        user = self.deleted_users[user_id]
        self._record("deleted_users", user_id, user)
        del self.deleted_users[user_id]
        user = copy.copy(user)
        user.deleted_at = None
        user.upn = user.upn.removeprefix(user_id.replace("-", ""))
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

    def delete_group(self, group_id: str) -> None:
        """For good: security groups have no recycle bin."""
        self._record("groups", group_id, self.groups[group_id])
        for member in self.groups.pop(group_id).members:
            self._groups_of.get(member, {}).pop(group_id, None)
        for assignment in self.assignments_of(group_id):
            self.unassign(assignment.id)

    def remove_member(self, group_id: str, member_id: str) -> None:
        group = self.groups[group_id]
        if self._groups_of.get(member_id, {}).pop(group_id, 0) is None:
            self._record("groups", group_id, group)
            group.members = [one for one in group.members if one != member_id]

    # --- custom policies of a B2C tenant ---------------------------------------------------------------

    def put_policy(self, policy_id: str, content: bytes) -> bool:
        """Upload a custom policy. True when there was none of that id."""
        known = self.policy_named(policy_id)
        self.custom_policies[known or policy_id] = content
        self.policies_version += 1
        return known is None

    def delete_policy(self, policy_id: str) -> None:
        del self.custom_policies[self.policy_named(policy_id) or policy_id]
        self.policies_version += 1

    def policy_named(self, policy_id: str) -> str | None:
        """The id as it was uploaded; ids match without regard to case."""
        return next((one for one in self.custom_policies if one.lower() == policy_id.lower()), None)

    # --- service principals ----------------------------------------------------------------------

    def add_service_principal(self, principal: ServicePrincipal) -> ServicePrincipal:
        self._record("service_principals", principal.id, None)
        self._spent.add(principal.id)
        self.service_principals[principal.id] = principal
        self._by_app_id[principal.client_id] = principal.id
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
            kind=BLUEPRINT if application.blueprint else APP,
            inheritable=application.inheritable,  # the very list: what the publisher changes there counts here
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
        self._by_app_id.pop(principal.client_id, None)
        principal = copy.copy(principal)
        principal.deleted_at = self.clock.now()
        self.deleted_service_principals[object_id] = principal
        if principal.kind == BLUEPRINT:
            self.awaited = True

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

    def catch_up(self) -> None:
        """Do what was to happen by now: agents go a day after their blueprint's principal.

        https://learn.microsoft.com/entra/agent-id/identity-platform/delete-agent-identity
        """
        limit = self.clock.now() - AGENTS_FOLLOW
        blueprints = [
            one
            for one in self.deleted_service_principals.values()
            if one.kind == BLUEPRINT and self.agents_of(one.app_id)
        ]
        self.awaited = bool(blueprints)
        for blueprint in blueprints:
            for agent in self.agents_of(blueprint.app_id) if blueprint.deleted_at <= limit else ():
                self.delete_service_principal(agent.id)

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
        if principal_type == "ServicePrincipal" and self.consent_lag_seconds and not self._quiet:
            self._arriving[made.id] = made.created + timedelta(seconds=self.clock.real(self.consent_lag_seconds))
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
        at, before = self.clock.elapsed(), copy.copy(before)
        self.journal.append(Change(self.sequence, at, kind, object_id, before, self.silent, self._tied))

    def _shelve(self, object_id: str) -> None:
        self._tied = True
        try:
            self._put_on_shelf(object_id)
        finally:
            self._tied = False

    def _put_on_shelf(self, object_id: str) -> None:
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
        self._tied = True
        try:
            self._take_off_shelf(object_id)
        finally:
            self._tied = False

    def _take_off_shelf(self, object_id: str) -> None:
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
