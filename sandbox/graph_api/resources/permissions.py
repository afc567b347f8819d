"""Which permissions and directory roles open what. https://learn.microsoft.com/graph/permissions-reference"""

from __future__ import annotations

from sandbox.graph_api.callers import Access, roles

GRANT_WRITERS = roles(
    "Application Administrator",
    "Application Developer",
    "Cloud Application Administrator",
    "Directory Writers",
    "Privileged Role Administrator",
    "User Administrator",
)
GRANT_READERS = GRANT_WRITERS | roles("Global Reader", "Directory Readers")
APP_WRITERS = roles("Application Administrator", "Cloud Application Administrator")
BIN_READERS = APP_WRITERS | roles("Hybrid Identity Administrator")
ASSIGNMENT_WRITERS = APP_WRITERS | roles(
    "Directory Writers",
    "Hybrid Identity Administrator",
    "Identity Governance Administrator",
    "User Administrator",
    "Privileged Role Administrator",
)
GRAPH_ROLE_WRITERS = roles("Privileged Role Administrator")
AUDIT_READERS = roles("Reports Reader", "Security Reader", "Security Administrator", "Global Reader")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _both(text: str, needed_roles: frozenset[str] | None = None) -> Access:
    return Access(_names(text), _names(text), needed_roles)


READ_DIRECTORY = "Directory.Read.All Directory.ReadWrite.All"
READ_GRANTS = _both(f"{READ_DIRECTORY} DelegatedPermissionGrant.ReadWrite.All", GRANT_READERS)
READ_USERS_GRANTS = _both(
    f"{READ_DIRECTORY} DelegatedPermissionGrant.ReadWrite.All", GRANT_READERS | roles("Guest Inviter")
)
READ_OWN_GRANTS = Access(None, READ_GRANTS.delegated, me=True)
WRITE_GRANTS = _both("DelegatedPermissionGrant.ReadWrite.All Directory.ReadWrite.All", GRANT_WRITERS)

_READ_APPS = f"Application.Read.All Application.ReadWrite.All {READ_DIRECTORY}"
READ_APPS = Access(_names(f"{_READ_APPS} Application.ReadWrite.OwnedBy"), _names(_READ_APPS))
READ_ONE_APP = Access(None, READ_APPS.delegated, handler_checks_apps=True)  # an app by itself may read itself
WRITE_APPS = _both("Application.ReadWrite.All Directory.ReadWrite.All", APP_WRITERS)
READ_BIN = _both("Application.Read.All Application.ReadWrite.All Directory.Read.All", BIN_READERS)
WRITE_BIN = _both("Application.ReadWrite.All", BIN_READERS)

READ_ASSIGNMENTS = _both(f"{_READ_APPS} AppRoleAssignment.ReadWrite.All")
READ_USERS_ASSIGNMENTS = _both(f"AppRoleAssignment.ReadWrite.All {READ_DIRECTORY}")
READ_OWN_ASSIGNMENTS = Access(None, READ_USERS_ASSIGNMENTS.delegated, me=True)
GIVE_ASSIGNMENTS = _both("AppRoleAssignment.ReadWrite.All", ASSIGNMENT_WRITERS)
TAKE_APPS_ASSIGNMENTS = _both("AppRoleAssignment.ReadWrite.All Application.ReadWrite.All", ASSIGNMENT_WRITERS)

_FULL_PROFILES = f"User.Read.All User.ReadWrite.All {READ_DIRECTORY}"
FULL_PROFILES = _names(_FULL_PROFILES)
READ_USERS = _both(f"User.ReadBasic.All {_FULL_PROFILES}")
READ_FULL_USERS = _both(_FULL_PROFILES)
READ_ME = Access(None, _names(f"User.Read User.ReadWrite User.ReadBasic.All {_FULL_PROFILES}"), me=True)
WRITE_USERS = _both("User.ReadWrite.All Directory.ReadWrite.All", roles("User Administrator"))

_REVOKE = "User.RevokeSessions.All User.ReadWrite.All Directory.ReadWrite.All"
REVOKE = _both(_REVOKE)
REVOKE_ME = Access(None, _names(_REVOKE), me=True)
INVALIDATE = _both("User.RevokeSessions.All Directory.ReadWrite.All")
INVALIDATE_ME = Access(None, _names("User.RevokeSessions.All Directory.ReadWrite.All User.ReadWrite"), me=True)

READ_GROUPS = _both(f"GroupMember.Read.All Group.Read.All Group.ReadWrite.All {READ_DIRECTORY}")
READ_MEMBERSHIPS = _both(f"{_FULL_PROFILES} RoleManagement.Read.Directory GroupMember.Read.All Group.Read.All")
READ_OWN_MEMBERSHIPS = Access(None, READ_MEMBERSHIPS.delegated | _names("User.Read"), me=True)
READ_ROLES = _both(f"RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory {READ_DIRECTORY}")
FULL_ORGANIZATION = _names(f"Organization.Read.All {READ_DIRECTORY}")
READ_ORGANIZATION = Access(FULL_ORGANIZATION, FULL_ORGANIZATION | _names("User.Read"))
READ_AUDIT = _both("AuditLog.Read.All", AUDIT_READERS)
READ_OBJECTS = _both(_READ_APPS)
