"""One tenant's Graph: one method for each thing we ask, frozen dataclasses back, errors from `graph.errors`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings

from graph import tokens
from graph.errors import Forbidden, Unavailable
from graph.requesting import ADVANCED, Requester, segment
from graph.types import (
    Answer,
    AppActivity,
    AppRoleAssignment,
    Call,
    DirectoryRole,
    Grant,
    Group,
    Items,
    Organization,
    Page,
    PersonActivity,
    ServicePrincipal,
    User,
)

GRAPH_APP_ID = UUID("00000003-0000-0000-c000-000000000000")  # the same in every tenant and cloud
ACTIVITY_PAGE_SIZE = 500  # the most that Graph gives where sign-in activity is asked for


class GraphClient:
    """Graph as seen by the portal's own identity in one tenant.

    Reads are repeated a few times over 5xx, lost connections and short waits that Microsoft asks for. Writes are sent
    once: whether one may be repeated is the caller's decision. A 401 is answered with a new token, once.

    Every method raises `GraphError`; in particular `TokenError` where the tenant has not (or no longer) consented.

    Args:
        priority: what Microsoft drops first when busy, and how long reads wait: `high` for a click, `low` for a sweep.
    """

    def __init__(self, tenant_id: UUID | str, cloud: str = "global", priority: str = "normal"):
        self.tenant_id = str(tenant_id)
        self.cloud = cloud
        self._ask = Requester(tenant_id, cloud, priority)

    # --- Apps ---------------------------------------------------------------------------------------

    def service_principals(self) -> Iterator[Page[ServicePrincipal]]:
        """All apps of the tenant. https://learn.microsoft.com/graph/api/serviceprincipal-list"""
        return self._ask.pages(
            "/servicePrincipals", {"$select": ServicePrincipal.SELECT}, ServicePrincipal.read, advanced=True
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

    def grants(self) -> Iterator[Page[Grant]]:
        """All delegated grants of the tenant: good for the copy, and too laggy for a decision about one grant.

        https://learn.microsoft.com/graph/api/oauth2permissiongrant-list
        """
        return self._ask.pages("/oauth2PermissionGrants", {}, Grant.read, advanced=True)

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

    def grant(self, grant_id: str) -> Grant:
        """One grant as it is now. https://learn.microsoft.com/graph/api/oauth2permissiongrant-get"""
        return self._ask.one(f"/oauth2PermissionGrants/{segment(grant_id)}", {}, Grant.read)

    # --- People -------------------------------------------------------------------------------------

    def users(self) -> Iterator[Page[User]]:
        """Everyone in the tenant. https://learn.microsoft.com/graph/api/user-list"""
        return self._ask.pages("/users", {"$select": User.SELECT}, User.read, advanced=True)

    def person_activities(self, since: datetime) -> Iterator[Page[PersonActivity]]:
        """Who was active since then, and when last. `Forbidden` without AuditLog.Read.All or a P1 licence.

        Microsoft answers ten of these requests a minute, so a long list takes its time.
        https://learn.microsoft.com/graph/api/resources/signinactivity
        """
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = f"signInActivity/lastSuccessfulSignInDateTime ge {moment}"
        query = {"$select": PersonActivity.SELECT, "$filter": condition}
        return self._ask.pages("/users", query, PersonActivity.read, page_size=ACTIVITY_PAGE_SIZE)

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

    def directory_roles_of(self, object_id) -> Items[DirectoryRole]:
        """Active directory roles of a person, held directly or through a group.

        https://learn.microsoft.com/graph/api/user-list-transitivememberof
        """
        return self._ask.whole(
            f"/users/{segment(object_id)}/transitiveMemberOf/microsoft.graph.directoryRole",
            {"$select": DirectoryRole.SELECT, "$count": "true"},
            DirectoryRole.read,
            headers=ADVANCED,
        )

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
            tokens.forget_app_token(self.tenant_id, self.cloud)
        hint = tokens.app_token(self.tenant_id, self.cloud).hint
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
            tokens.forget_app_token(self.tenant_id, self.cloud)
        return granted

    def batch(self, calls: Sequence[Call]) -> list[Answer]:
        """Up to 20 calls together, as `Requester.batch` does it."""
        return self._ask.batch(calls)
