"""Which permissions and directory roles open what.

Permissions are Microsoft's own table (`sandbox.facts.permissions`). Roles, which a person needs beside the app's
permission, and the few calls that are not in the table, stand here with their source.

https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox import facts
from sandbox.objects import ROLE_IDS


def roles(*names: str) -> frozenset[str]:
    return frozenset(ROLE_IDS[name] for name in names)


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(slots=True, frozen=True)
class Access:
    """What opens an endpoint: one permission of an app by itself, or one that a person gave to an app.

    `roles`: a person needs one of these directory roles too; None: none. `own`: permissions of a person that open
    nothing but that person's own things. `me`: there must be a signed-in person. `itself`: an app may read itself.
    """

    app: frozenset[str]
    delegated: frozenset[str]
    roles: frozenset[str] | None = None
    own: frozenset[str] = frozenset()
    me: bool = False
    itself: bool = False


# --- roles -----------------------------------------------------------------------------------------
# The pages of the calls say which: https://learn.microsoft.com/graph/api/oauth2permissiongrant-delete,
# https://learn.microsoft.com/graph/api/serviceprincipal-delete, .../directory-deleteditems-list and so on.

GRANT_WRITERS = roles(
    "Application Administrator",
    "Application Developer",
    "Cloud Application Administrator",
    "Directory Writers",
    "Privileged Role Administrator",
    "User Administrator",
)
GRANT_READERS = GRANT_WRITERS | roles("Global Reader", "Directory Readers")
USERS_GRANT_READERS = GRANT_READERS | roles("Guest Inviter")
APP_WRITERS = roles("Application Administrator", "Cloud Application Administrator")
BIN_READERS = APP_WRITERS | roles("Hybrid Identity Administrator")
USER_WRITERS = roles("User Administrator")
GROUP_WRITERS = roles("Groups Administrator", "User Administrator", "Directory Writers")
ASSIGNMENT_WRITERS = APP_WRITERS | roles(
    "Directory Writers",
    "Hybrid Identity Administrator",
    "Identity Governance Administrator",
    "User Administrator",
    "Privileged Role Administrator",
)
GRAPH_ROLE_WRITERS = roles("Privileged Role Administrator")
# "B2C IEF Policy Administrator" and "... Keyset Administrator": https://learn.microsoft.com/graph/api/resources/trustframeworkpolicy
POLICY_WRITERS = frozenset({"3edaf663-341e-4475-9f94-5c398ef6c070"})
KEY_SET_READERS = frozenset({"aaf43236-0c0d-4d5f-883a-6955382ac081"})
CONSENT_REQUEST_READERS = roles("Global Reader", "Cloud Application Administrator", "Application Administrator")
AUDIT_READERS = roles("Reports Reader", "Security Reader", "Security Administrator", "Global Reader")

# --- what the table leaves out or says otherwise ---------------------------------------------------

OWN_ONLY = names("User.Read User.ReadWrite")  # of whoever is signed in
OWNED_ONLY = "Application.ReadWrite.OwnedBy"
_GRANT = "/oauth2permissiongrants/{id}"
_APP = "/serviceprincipals/{id}"
_READ_APPS = ("GET", _APP)
_GROUP_MEMBERS = "GroupMember.Read.All GroupMember.ReadWrite.All Group.Read.All Group.ReadWrite.All Directory.Read.All"
_OBJECT_MEMBERSHIPS = f"{_GROUP_MEMBERS} Directory.ReadWrite.All"
_ORGANIZATION = "Organization.Read.All Organization.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
_UNITS = "AdministrativeUnit.Read.All AdministrativeUnit.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
_DOMAINS = "Domain.Read.All Domain.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
_POLICY = "/trustframework/policies/{id}"
_KEY_SETS = "TrustFrameworkKeySet.Read.All TrustFrameworkKeySet.ReadWrite.All"
_BIN = "Application.Read.All Application.ReadWrite.All Directory.Read.All"
_GIVE = "AppRoleAssignment.ReadWrite.All Application.ReadWrite.All"
_BIN_KINDS = (
    " User.DeleteRestore.All AgentIdentity.DeleteRestore.All AgentIdentityBlueprintPrincipal.DeleteRestore.All"
    " AgentIdUser.ReadWrite.All"
)

# Either another call whose row counts, or the permissions of apps and of people. What a handler narrows further by the
# object it finds is here in its widest form.
UNLISTED: dict[tuple[str, str], tuple[str, str]] = {
    # Writing through a list of grants is refused for everybody who may write grants at all.
    **{(method, f"{one}{_GRANT}"): (method, _GRANT) for method in ("PATCH", "DELETE") for one in ("/users/{id}", _APP)},
    # An element of a list, as the list.
    ("GET", f"{_APP}/approleassignments/{{id}}"): ("GET", f"{_APP}/approleassignments"),
    ("GET", f"{_APP}/approleassignedto/{{id}}"): ("GET", f"{_APP}/approleassignedto"),
    # https://learn.microsoft.com/graph/api/serviceprincipal-list-delegatedpermissionclassifications
    ("GET", f"{_APP}/delegatedpermissionclassifications"): _READ_APPS,
    # https://learn.microsoft.com/graph/api/serviceprincipal-list-memberof
    ("GET", f"{_APP}/memberof"): ("GET", f"{_APP}/transitivememberof"),
    # https://learn.microsoft.com/graph/api/serviceprincipal-list-ownedobjects
    ("GET", f"{_APP}/ownedobjects"): _READ_APPS,
    # https://learn.microsoft.com/graph/api/directory-deleteditems-list and .../directory-deleteditems-delete
    ("GET", "/directory/deleteditems"): (_BIN, _BIN),
    ("GET", "/directory/deleteditems/microsoft.graph.serviceprincipal"): (_BIN, _BIN),
    ("GET", "/directory/deleteditems/microsoft.graph.application"): (_BIN, _BIN),
    ("GET", "/directory/deleteditems/microsoft.graph.user"): ("GET", "/users/delta"),
    ("GET", "/directory/deleteditems/{id}"): (f"{_BIN} User.Read.All User.ReadWrite.All",) * 2,
    ("DELETE", "/directory/deleteditems/{id}"): (
        f"Application.ReadWrite.All {OWNED_ONLY}{_BIN_KINDS}",
        f"Application.ReadWrite.All User.ReadWrite.All{_BIN_KINDS}",
    ),
    # https://learn.microsoft.com/graph/api/user-list-memberof
    ("GET", "/users/{id}/memberof"): (
        "Directory.Read.All Directory.ReadWrite.All",
        "User.Read Directory.Read.All Directory.ReadWrite.All GroupMember.Read.All",
    ),
    # https://learn.microsoft.com/graph/api/user-list-messages
    ("GET", "/users/{id}/messages"): (
        "Mail.ReadBasic.All Mail.Read Mail.ReadWrite",
        "Mail.ReadBasic Mail.Read Mail.ReadWrite",
    ),
    # https://learn.microsoft.com/graph/api/user-list-ownedobjects
    ("GET", "/users/{id}/ownedobjects"): (
        "User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All",
        "User.Read User.ReadWrite User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All",
    ),
    # https://learn.microsoft.com/graph/api/group-list-approleassignments, group-list-owners, group-list-memberof
    ("GET", "/groups/{id}/approleassignments"): ("GET", "/users/{id}/approleassignments"),
    ("GET", "/groups/{id}/owners"): (_GROUP_MEMBERS, _GROUP_MEMBERS),
    ("GET", "/groups/{id}/memberof"): (_GROUP_MEMBERS, _GROUP_MEMBERS),
    ("GET", "/groups/{id}/transitivememberof"): (_GROUP_MEMBERS, _GROUP_MEMBERS),
    # https://learn.microsoft.com/graph/api/directoryobject-getmembergroups and .../directoryobject-checkmembergroups
    **{
        ("POST", f"{kind}/{{id}}/{call}membergroups"): (_OBJECT_MEMBERSHIPS, _OBJECT_MEMBERSHIPS)
        for kind in ("/users", "/groups", "/serviceprincipals", "/directoryobjects")
        for call in ("get", "check")
    },
    # https://learn.microsoft.com/graph/api/reportroot-list-serviceprincipalsigninactivities
    ("GET", "/reports/serviceprincipalsigninactivities"): ("AuditLog.Read.All", "AuditLog.Read.All"),
    # https://learn.microsoft.com/graph/api/directory-list-administrativeunits
    ("GET", "/directory/administrativeunits"): (_UNITS, _UNITS),
    ("GET", "/directory/administrativeunits/{id}"): (_UNITS, _UNITS),
    ("GET", "/directory/administrativeunits/{id}/members"): (_UNITS, _UNITS),
    # https://learn.microsoft.com/graph/api/application-addpassword, .../serviceprincipal-addpassword
    **{
        ("POST", f"/{kind}/{{id}}/{call}password"): ("PATCH", f"/{kind}/{{id}}")
        for kind in ("applications", "serviceprincipals")
        for call in ("add", "remove")
    },
    ("GET", "/applications/{id}/owners"): ("GET", "/applications/{id}"),
    # https://learn.microsoft.com/graph/api/domain-list and .../subscribedsku-list
    ("GET", "/domains"): (_DOMAINS, _DOMAINS),
    ("GET", "/subscribedskus"): (_ORGANIZATION, _ORGANIZATION),
    # https://learn.microsoft.com/graph/api/trustframework-put-trustframeworkpolicy, .../trustframework-list-keysets
    **{(method, f"{_POLICY}/$value"): (method, _POLICY) for method in ("GET", "PUT")},
    ("GET", "/trustframework/keysets"): (_KEY_SETS, _KEY_SETS),
    ("GET", "/trustframework/keysets/{id}"): (_KEY_SETS, _KEY_SETS),
}
CORRECTED: dict[tuple[str, str], tuple[str, str]] = {
    # The table's rows for reading stand for "AppRoleAssignment.ReadWrite.All and Application.Read.All", both needed:
    # https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto. The handler asks for the second.
    ("POST", f"{_APP}/approleassignedto"): (_GIVE, _GIVE),
    ("POST", f"{_APP}/approleassignments"): (_GIVE, _GIVE),
    # One organisation of the list of one: https://learn.microsoft.com/graph/api/organization-get
    ("GET", "/organization/{id}"): ("GET", "/organization"),
    # Beside people and agents, apps: https://learn.microsoft.com/graph/api/directory-deleteditems-restore
    ("POST", "/directory/deleteditems/{id}/restore"): (
        f"Application.ReadWrite.All {OWNED_ONLY} User.ReadWrite.All{_BIN_KINDS}",
        f"Application.ReadWrite.All User.ReadWrite.All{_BIN_KINDS}",
    ),
}


def access_to(method: str, path: str, needed_roles: frozenset[str] | None = None, also: tuple[str, ...] = ()) -> Access:
    """What opens a path as it is registered; `also` names paths whose permissions count as well.

    Raises:
        KeyError: neither Microsoft's table nor the list above knows the call.
    """
    rows = [allowed(method, one) for one in (path, *also)]
    app, delegated = (frozenset().union(*(row[kind] for row in rows)) for kind in (0, 1))
    me = path.split("/")[1].lower() == "me"
    own = delegated & OWN_ONLY if path.lower().startswith("/users/{}") else frozenset()
    itself = (method, path.lower()) == ("GET", "/serviceprincipals/{}")
    return Access(app, delegated, needed_roles, own, me, itself)


def allowed(method: str, path: str) -> tuple[frozenset[str], frozenset[str]]:
    """The permissions of apps by themselves and those given by people, one of which lets a call through."""
    for call in _spellings(method, path):
        row = CORRECTED.get(call) or UNLISTED.get(call)
        if row is not None and row[1].startswith("/"):
            return allowed(*row)
        if row is not None:
            return names(row[0]), names(row[1])
        if listed := facts.permissions().get(call):
            return listed["application"], listed["delegated"]
    raise KeyError(f"nothing says which permissions open {method} {path}")


def _spellings(method: str, path: str) -> list[tuple[str, str]]:
    """The ways a call may stand in the table: as it is, under `/users/{id}` for `/me`, without a cast or `$count`."""
    parts = [part.lower().replace("{}", "{id}") for part in path.strip("/").split("/")]
    parts = [f"microsoft.{part}" if part.startswith("graph.") else part for part in parts]
    found = [parts]
    if parts[0] == "me":
        found.append(["users", "{id}", *parts[1:]])
    found += [[part for part in one if part != "$count"] for one in list(found)]
    found += [[part for part in one if not part.startswith("microsoft.graph.")] for one in list(found)]
    return [(method, "/" + "/".join(one)) for one in found]


# --- objects in the lists of others ----------------------------------------------------------------

_DIRECTORY = "Directory.Read.All Directory.ReadWrite.All"
_READS_USERS = names(f"User.ReadBasic.All User.Read.All User.ReadWrite.All {_DIRECTORY}")
_READS_APPS = names(f"Application.Read.All Application.ReadWrite.All {_DIRECTORY}")
READS = {
    "user": _READS_USERS,
    "agentUser": _READS_USERS,
    "group": names(f"GroupMember.Read.All GroupMember.ReadWrite.All Group.Read.All Group.ReadWrite.All {_DIRECTORY}"),
    "servicePrincipal": _READS_APPS,
    "agentIdentity": _READS_APPS,
    "agentIdentityBlueprintPrincipal": _READS_APPS,
    "application": _READS_APPS,
    "administrativeUnit": names(_UNITS),
    "directoryRole": names(f"RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory {_DIRECTORY}"),
}


def may_read(type_: str, permissions: frozenset[str]) -> bool:
    """Whether objects of a type are shown in full in the lists of other objects: members, memberships, owners."""
    wanted = READS.get(type_)
    return wanted is None or not permissions.isdisjoint(wanted)
