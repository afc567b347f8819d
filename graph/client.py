"""One tenant's Graph: one method for each thing we ask, frozen dataclasses back, errors from `graph.errors`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings

from graph import batch as batching, roles, tokens
from graph.activity import AppActivity, PersonActivity
from graph.agents import AGENTS, PAGE_SIZE as AGENTS_PAGE_SIZE, Agent
from graph.changes import Changes, Followed
from graph.consents import ConsentReads
from graph.errors import Forbidden, Unavailable
from graph.requesting import ADVANCED, Requester, segment
from graph.roles import RoleAssignment
from graph.ties import AppWithTies
from graph.types import (
    Answer,
    AppRoleAssignment,
    Call,
    Grant,
    Group,
    Items,
    Organization,
    Page,
    Reader,
    ServicePrincipal,
    User,
    moment_of,
)

GRAPH_APP_ID = UUID("00000003-0000-0000-c000-000000000000")  # the same in every tenant and cloud
ACTIVITY_PAGE_SIZE = 500  # the most that Graph gives where sign-in activity is asked for


class GraphClient(ConsentReads):
    """Graph as seen by the portal's own identity in one tenant.

    Reads are repeated a few times over 5xx, lost connections and short waits that Microsoft asks for. Writes are sent
    once: whether one may be repeated is the caller's decision. A 401 is answered with a new token, once.

    Every method raises `GraphError`; in particular `TokenError` where the tenant has not (or no longer) consented.

    Args:
        priority: what Microsoft drops first when busy, and how long reads wait: `high` for a click, `low` for a sweep.
        patience: seconds a read that is to wait may wait in here; by the priority where it is None.
    """

    def __init__(self, tenant_id: UUID | str, priority: str = "normal", patience: float | None = None):
        self.tenant_id = str(tenant_id)
        self._ask = Requester(tenant_id, priority, patience)

    # --- What changed -------------------------------------------------------------------------------

    def changes_from_now(self, what: Followed) -> str:
        """The link under which Graph tells what changes in a list from now on. It is good for a week.

        https://learn.microsoft.com/graph/api/serviceprincipal-delta, user-delta, oauth2permissiongrant-delta
        """
        return self._ask.changes_from_now(what)

    def changes(self, link: str) -> Changes:
        """One page of what changed since a link was given.

        Raises:
            Expired: the link is worth nothing any more, and the list has to be read again.
        """
        return self._ask.changes(link)

    def count(self, path: str) -> int | None:
        """Graph's own number of the objects in a list; None where it does not tell."""
        return self._ask.count(path)

    def recoveries(self, since: datetime) -> list[datetime]:
        """When recovery jobs of Entra Backup and Recovery wrote to the audit log since then. Of them no delta tells.

        Raises:
            Forbidden: the tenant did not grant AuditLog.Read.All.

        https://learn.microsoft.com/graph/api/directoryaudit-list
        """
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"$filter": f"category eq 'Backup and Recovery' and activityDateTime ge {moment}"}
        return list(self._ask.whole("/auditLogs/directoryAudits", query, _moment, page_size=100))

    # --- Apps ---------------------------------------------------------------------------------------

    def service_principals(self, start: str = "") -> Iterator[Page[ServicePrincipal]]:
        """All apps of the tenant. https://learn.microsoft.com/graph/api/serviceprincipal-list

        Args:
            start: the `next_link` of a page that was read before, to go on after it. Other lists take it as well.
        """
        query = {"$select": ServicePrincipal.SELECT}
        return self._ask.pages("/servicePrincipals", query, ServicePrincipal.read, advanced=True, start=start)

    def apps_with_assigned(self, start: str = "") -> Iterator[Page[AppWithTies]]:
        """All apps with who is assigned to them, up to twenty of each. Never both with a count: Graph refuses it."""
        return self._ask.pages("/servicePrincipals", AppWithTies.TO, AppWithTies.read, start=start)

    def apps_with_held(self, ids: Sequence) -> Items[AppWithTies]:
        """Up to fifteen apps with the application permissions they hold, up to twenty of each."""
        named = ",".join(f"'{UUID(str(one))}'" for one in ids)
        return self._ask.whole(
            "/servicePrincipals", {"$filter": f"id in ({named})", **AppWithTies.OF}, AppWithTies.read
        )

    def service_principal(self, service_principal_id) -> ServicePrincipal:
        """One app with the permissions it defines. https://learn.microsoft.com/graph/api/serviceprincipal-get

        Raises:
            NotFound: it was deleted, perhaps softly.
        """
        return self._ask.one(
            f"/servicePrincipals/{segment(service_principal_id)}",
            {"$select": ServicePrincipal.SELECT_WITH_DEFINITIONS},
            ServicePrincipal.read,
        )

    def service_principal_by_app_id(self, app_id) -> ServicePrincipal:
        """The same, found by the app's client id."""
        return self._ask.one(
            f"/servicePrincipals(appId='{UUID(str(app_id))}')",
            {"$select": ServicePrincipal.SELECT_WITH_DEFINITIONS},
            ServicePrincipal.read,
        )

    def service_principals_by_ids(self, ids: Iterable) -> Items[ServicePrincipal]:
        """The apps among `ids` that exist, with the permissions they define, in batches of 20."""
        return self._ask.by_ids(
            "/servicePrincipals", ids, ServicePrincipal.SELECT_WITH_DEFINITIONS, ServicePrincipal.read
        )

    def agents_with_owners(self) -> Items[Agent]:
        """All agents, as wholes: a selection of columns cannot name an agent's blueprint.

        https://learn.microsoft.com/graph/api/resources/agentidentity
        """
        return self._ask.whole("/servicePrincipals", Agent.OWNERS, Agent.with_owners)

    def agents_with_sponsors(self) -> Items[Agent]:
        """All agents, for whoever was granted AgentIdentity.Read.All.

        https://learn.microsoft.com/graph/api/agentidentity-list
        """
        return self._ask.whole(AGENTS, Agent.SPONSORS, Agent.with_sponsors, page_size=AGENTS_PAGE_SIZE)

    def deleted_service_principals(self) -> Items[ServicePrincipal]:
        """The recycle bin's apps. https://learn.microsoft.com/graph/api/directory-deleteditems-list"""
        return self._ask.whole(
            "/directory/deletedItems/microsoft.graph.servicePrincipal",
            {"$select": ServicePrincipal.SELECT},
            ServicePrincipal.read,
        )

    def assigned_to(self, service_principal_id) -> Items[AppRoleAssignment]:
        """Who is assigned to an app, and which apps hold permissions on it.

        https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto
        """
        return self._ask.whole(
            f"/servicePrincipals/{segment(service_principal_id)}/appRoleAssignedTo", {}, AppRoleAssignment.read
        )

    def app_permissions_of(self, service_principal_id) -> Items[AppRoleAssignment]:
        """Application permissions an app holds.

        https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignments
        """
        return self._ask.whole(
            f"/servicePrincipals/{segment(service_principal_id)}/appRoleAssignments", {}, AppRoleAssignment.read
        )

    def app_activities(self) -> Iterator[Page[AppActivity]]:
        """When apps were last used. Beta; `Forbidden` where the tenant has no P1 licence.

        https://learn.microsoft.com/graph/api/reportroot-list-serviceprincipalsigninactivities
        """
        return self._ask.pages("/reports/servicePrincipalSignInActivities", {}, AppActivity.read, beta=True)

    # --- Grants -------------------------------------------------------------------------------------

    def grants(self, start: str = "", read: Reader = Grant.read) -> Iterator[Page]:
        """All delegated grants of the tenant, by `read`: for the copy, and too laggy for a decision about one grant.

        https://learn.microsoft.com/graph/api/oauth2permissiongrant-list
        """
        return self._ask.pages("/oauth2PermissionGrants", {}, read, advanced=True, start=start)

    def grants_by_ids(self, ids: Iterable) -> Items[Grant]:
        """The grants among `ids` that exist, in batches of 20."""
        return self._ask.by_ids("/oauth2PermissionGrants", ids, "", Grant.read)

    def tenant_wide_grants(self) -> Iterator[Page[Grant]]:
        """Grants by an admin for everyone; no person's own list shows them."""
        return self._ask.pages(
            "/oauth2PermissionGrants", {"$filter": "consentType eq 'AllPrincipals'"}, Grant.read, advanced=True
        )

    def grants_of_user(self, object_id) -> Items[Grant]:
        """What one person granted for themselves. https://learn.microsoft.com/graph/api/user-list-oauth2permissiongrants"""
        return self._ask.whole(f"/users/{segment(object_id)}/oauth2PermissionGrants", {}, Grant.read)

    def grants_of_client(self, service_principal_id) -> Items[Grant]:
        """Everything granted to one app. https://learn.microsoft.com/graph/api/serviceprincipal-list-oauth2permissiongrants"""
        return self._ask.whole(
            f"/servicePrincipals/{segment(service_principal_id)}/oauth2PermissionGrants", {}, Grant.read
        )

    # --- People -------------------------------------------------------------------------------------

    def users(self, start: str = "") -> Iterator[Page[User]]:
        """Everyone in the tenant. https://learn.microsoft.com/graph/api/user-list"""
        return self._ask.pages("/users", {"$select": User.SELECT}, User.read, advanced=True, start=start)

    def person_activities(self, since: datetime, start: str = "") -> Iterator[Page[PersonActivity]]:
        """Who was active since then, and when last. `Forbidden` without AuditLog.Read.All or a P1 licence.

        Microsoft answers ten of these requests a minute, so a long list takes its time.
        https://learn.microsoft.com/graph/api/resources/signinactivity
        """
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = f"signInActivity/lastSuccessfulSignInDateTime ge {moment}"
        query = {"$select": PersonActivity.SELECT, "$filter": condition}
        return self._ask.pages("/users", query, PersonActivity.read, page_size=ACTIVITY_PAGE_SIZE, start=start)

    def user(self, id_or_upn) -> User:
        """One person by object id or UPN. https://learn.microsoft.com/graph/api/user-get"""
        return self._ask.one(f"/users/{segment(id_or_upn)}", {"$select": User.SELECT}, User.read)

    def find_users(self, text: str) -> Items[User]:
        """Up to 25 people whose name, mail or UPN matches. https://learn.microsoft.com/graph/search-query-parameter

        Tenants without search (Azure AD B2C) are asked for what begins with the text.
        """
        fields = ("displayName", "mail", "userPrincipalName")
        return self._ask.search("/users", fields, text, User.SELECT, User.read)

    def users_by_ids(self, ids: Iterable) -> Items[User]:
        """The people among `ids` (object ids or UPNs) that exist, in batches of 20."""
        return self._ask.by_ids("/users", ids, User.SELECT, User.read)

    def role_assignments(self) -> Iterator[Page[RoleAssignment]]:
        """Every role held in the tenant, active ones only.

        Raises:
            Forbidden: the tenant did not grant RoleManagement.Read.Directory.

        https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments
        """
        return self._ask.pages(roles.ASSIGNMENTS, {}, RoleAssignment.read, page_size=None)

    def role_assignments_of(self, principal_ids: Iterable) -> list[RoleAssignment]:
        """The roles some people, groups or apps hold directly, in batches of 20 of them.

        Raises:
            Forbidden: the tenant did not grant RoleManagement.Read.Directory. Which roles they hold is not known.
        """
        wanted, found = [roles.held_by(item) for item in principal_ids], []
        for start in range(0, len(wanted), batching.LIMIT):
            calls = wanted[start : start + batching.LIMIT]
            for call, answer in zip(calls, self.batch(calls), strict=True):
                found += self.finish(call, answer, RoleAssignment.read, strict=True)
        return found

    def groups_of(self, object_id) -> Items[Group]:
        """The groups a person is in, also through other groups; read from an index that lags by some minutes.

        All of them, since a filter would say nothing about groups that we are shown by their id alone.

        https://learn.microsoft.com/graph/api/user-list-transitivememberof
        """
        return self._ask.whole(
            f"/users/{segment(object_id)}/transitiveMemberOf/microsoft.graph.group",
            {"$select": Group.SELECT, "$count": "true"},
            Group.read,
            headers=ADVANCED,
        )

    def roles_of(self, object_id) -> list[RoleAssignment]:
        """The roles a person holds, themselves or through a group: built-in and custom ones, in any scope.

        Two requests for most people. Groups of which only the id is shown to us are asked about all the same.

        Raises:
            Forbidden: the tenant did not grant RoleManagement.Read.Directory. Which roles they hold is not known.
        """
        groups = self.groups_of(object_id)
        if groups.unreadable:
            raise Unavailable("Graph sent a group we cannot read.", sent=False)
        through = [group.id for group in groups if group.assignable_to_roles is not False]
        return self.role_assignments_of([object_id, *through])

    def find_groups(self, text: str) -> Items[Group]:
        """Up to 25 groups by name. https://learn.microsoft.com/graph/api/group-list"""
        return self._ask.search("/groups", ("displayName",), text, Group.SELECT, Group.read)

    def group_members(self, group_id) -> Iterator[Page[User]]:
        """People in a group, also through groups in it.

        https://learn.microsoft.com/graph/api/group-list-transitivemembers
        """
        return self._ask.pages(
            f"/groups/{segment(group_id)}/transitiveMembers/microsoft.graph.user",
            {"$select": User.SELECT},
            User.read,
            advanced=True,
        )

    # --- The tenant ---------------------------------------------------------------------------------

    def organization(self) -> Organization:
        """The tenant's name and domains. https://learn.microsoft.com/graph/api/organization-list"""
        found = self._ask.whole("/organization", {"$select": Organization.SELECT}, Organization.read, page_size=None)
        if not found:
            raise Unavailable("Graph sent no organization.", sent=False)
        return found[0]

    def own_consent_policies(self) -> frozenset[str]:
        """By which policies people may consent to apps for themselves; none where they may not at all.

        Raises:
            Forbidden: the tenant did not grant Policy.Read.All. Whether they may is not known.

        https://learn.microsoft.com/graph/api/authorizationpolicy-get
        """
        return self._ask.one("/policies/authorizationPolicy", {}, _own_consent)

    def own_permissions(self, *, fresh: bool = False) -> frozenset[str] | None:
        """Application permissions for Graph that the tenant granted the portal, such as `User.RevokeSessions.All`.

        Read from the portal's own service principal. A tenant that lets us read no apps refuses that; then what the
        token seems to carry has to do. Where the token lacks one that was granted, the next call gets a new token.

        Args:
            fresh: ask for a new token first. One that was granted a minute ago may be missing all the same.

        Returns:
            None when it cannot be known, which says nothing about what was granted.

        Raises:
            NotFound: the directory does not know the portal (yet): consent takes minutes to reach everywhere.

        https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignments
        """
        if fresh:
            tokens.forget_app_token(self.tenant_id)
        hint = tokens.app_token(self.tenant_id).hint
        try:
            held = self._ask.whole(
                f"/servicePrincipals(appId='{UUID(settings.ENTRA_CLIENT_ID)}')/appRoleAssignments",
                {},
                AppRoleAssignment.read,
            )
            graph = self.service_principal_by_app_id(GRAPH_APP_ID)
        except Forbidden:
            return hint
        values = {role.id: role.value for role in graph.app_roles if role.for_apps}
        granted = frozenset(
            values[item.app_role_id] for item in held if item.resource_id == graph.id and item.app_role_id in values
        )
        if hint is not None and granted - hint:
            tokens.forget_app_token(self.tenant_id)
        return granted

    def batch(self, calls: Sequence[Call]) -> list[Answer]:
        """Up to 20 calls together, as `Requester.batch` does it."""
        return self._ask.batch(calls)

    def finish(self, call: Call, answer: Answer, read: Reader, *, strict: bool = False) -> Items:
        """The whole of a list whose first page was asked for in a batch, as `Requester.finish` does it."""
        return self._ask.finish(call, answer, read, strict=strict)


def _moment(entry: dict) -> datetime:
    if (moment := moment_of(entry["activityDateTime"])) is None:
        raise ValueError("an entry has no moment")
    return moment


def _own_consent(policy: dict) -> frozenset[str]:
    assigned = policy["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"]
    return frozenset(one for one in assigned if one.startswith("ManagePermissionGrantsForSelf."))
