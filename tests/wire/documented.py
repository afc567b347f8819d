"""What the recorder knows beyond metadata and permission table: short lists, each line with the page that says it.

A request that needs a new line here needs a page to cite; without one it is a guess, and the recorder refuses guesses.
"""

from dataclasses import dataclass

API = "https://learn.microsoft.com/graph/api"


@dataclass(frozen=True)
class Beta:
    """A call that exists in beta only: the published metadata is v1.0's."""

    method: str
    template: str
    type: str | None  # of what a GET gives
    options: frozenset[str]
    source: str


BETA = [
    Beta(
        "GET",
        "/reports/serviceprincipalsigninactivities",
        "servicePrincipalSignInActivity",
        frozenset({"$top", "$filter", "$orderby", "$skiptoken"}),
        f"{API}/reportroot-list-serviceprincipalsigninactivities",
    ),
    *(
        Beta(
            "GET",
            f"/serviceprincipals/{{id}}/{name}",
            type_,
            frozenset(),  # "doesn't support any OData query parameters"
            f"{API}/agentidentity-list-{name}?view=graph-rest-beta",
        )
        for name, type_ in (
            ("inheritedapproleassignments", "appRoleAssignment"),
            ("inheritedoauth2permissiongrants", "oAuth2PermissionGrant"),
        )
    ),
    Beta(
        "GET",
        "/trustframework/policies",
        "",
        frozenset(),
        f"{API}/trustframework-list-trustframeworkpolicies?view=graph-rest-beta",
    ),
    Beta(
        "GET",
        "/trustframework/policies/{id}/$value",
        "",
        frozenset(),
        f"{API}/trustframework-list-trustframeworkpolicies?view=graph-rest-beta",
    ),
    Beta(
        "PUT",
        "/trustframework/policies/{id}/$value",
        "",
        frozenset(),
        f"{API}/trustframework-put-trustframeworkpolicy?view=graph-rest-beta",
    ),
    Beta(
        "DELETE",
        "/trustframework/policies/{id}",
        "",
        frozenset(),
        f"{API}/trustframeworkpolicy-delete?view=graph-rest-beta",
    ),
    Beta(  # the one property that v1.0 lacks: refreshTokensValidFromDateTime
        "GET",
        "/users/{id}",
        "user",
        frozenset({"$select"}),
        "https://learn.microsoft.com/graph/api/resources/user?view=graph-rest-beta#properties",
    ),
    Beta(
        "POST",
        "/users/{id}/invalidateallrefreshtokens",
        None,
        frozenset(),
        f"{API}/user-invalidateallrefreshtokens?view=graph-rest-beta",
    ),
]

# Properties the live service has though the metadata does not declare them: the types are open.
OPEN_PROPERTIES = {
    # Asked for and answered in Microsoft's own recordings of the Azure CLI, and listed as a column of $orderby:
    # https://learn.microsoft.com/graph/aad-advanced-queries#properties-of-directory-objects-that-support-sorting
    ("servicePrincipal", "createddatetime"): "DateTimeOffset",
}

# Properties of beta alone: https://learn.microsoft.com/graph/api/resources/user?view=graph-rest-beta#properties
BETA_PROPERTIES = {("user", "refreshtokensvalidfromdatetime")}

# What reads service principals, by the table.
_READS_APPS = frozenset({"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"})
_CHANGES_APPS = frozenset({"Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"})

# Rows the permission table lacks.
MORE_PERMISSIONS: dict[tuple[str, str], frozenset[str]] = {
    # directory-deleteditems-list, -get, -delete, -restore: the least for each type of object; what is the portal's
    # there are service principals, which the same permissions read that read them elsewhere.
    ("/directory/deleteditems/microsoft.graph.serviceprincipal", "GET"): _READS_APPS,
    ("/directory/deleteditems/{id}", "GET"): _READS_APPS,
    ("/directory/deleteditems/{id}", "DELETE"): _CHANGES_APPS,
    ("/directory/deleteditems/{id}/restore", "POST"): _CHANGES_APPS,
    # The item of a contained list is read with what reads the list.
    ("/serviceprincipals/{id}/approleassignedto/{id}", "GET"): _READS_APPS,
    # group-list-owners
    ("/groups/{id}/owners", "GET"): frozenset(
        {
            "GroupMember.Read.All",
            "GroupMember.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
        }
    ),
    # The content of a policy is read with what lists the policies.
    ("/trustframework/policies/{id}/$value", "GET"): frozenset({"Policy.Read.All", "Policy.ReadWrite.TrustFramework"}),
    # trustframework-put-trustframeworkpolicy, trustframeworkpolicy-delete
    ("/trustframework/policies/{id}/$value", "PUT"): frozenset({"Policy.ReadWrite.TrustFramework"}),
    ("/trustframework/policies/{id}", "DELETE"): frozenset({"Policy.ReadWrite.TrustFramework"}),
    # reportroot-list-serviceprincipalsigninactivities
    ("/reports/serviceprincipalsigninactivities", "GET"): frozenset({"AuditLog.Read.All", "Directory.Read.All"}),
}

# user-list: reading signInActivity needs this one beside what reads the person.
SIGN_IN_ACTIVITY = "AuditLog.Read.All"

# Operators that work on a property: "plain" by default, "advanced" with ConsistencyLevel and $count.
# https://learn.microsoft.com/graph/aad-advanced-queries and the page of each list.
_TEXT = {"eq": "plain", "in": "plain", "startswith": "plain", "ne": "advanced", "not": "advanced"}
_SAME = {"eq": "plain", "in": "plain", "ne": "advanced", "not": "advanced"}
FILTERS: dict[tuple[str, str], dict[str, str]] = {
    ("user", "id"): {"eq": "plain", "in": "plain"},
    ("user", "displayname"): _TEXT | {"endswith": "never"},
    ("user", "mail"): _TEXT | {"endswith": "advanced"},
    ("user", "userprincipalname"): _TEXT | {"endswith": "advanced"},
    ("user", "accountenabled"): _SAME,
    ("user", "usertype"): _SAME,
    ("user", "signinactivity/lastsuccessfulsignindatetime"): {"ge": "plain", "le": "plain"},
    ("user", "signinactivity/lastsignindatetime"): {"eq": "plain", "ge": "plain", "le": "plain"},
    ("group", "id"): {"eq": "plain", "in": "plain"},
    ("group", "displayname"): _TEXT,
    ("group", "isassignabletorole"): _SAME,
    ("servicePrincipal", "id"): {"eq": "plain", "in": "plain"},
    ("servicePrincipal", "appid"): _SAME,
    ("servicePrincipal", "displayname"): _TEXT,
    ("servicePrincipal", "accountenabled"): _SAME,
    ("servicePrincipal", "serviceprincipaltype"): _SAME,
    # oauth2permissiongrant-list: eq on these four
    ("oAuth2PermissionGrant", "clientid"): {"eq": "plain"},
    ("oAuth2PermissionGrant", "consenttype"): {"eq": "plain"},
    ("oAuth2PermissionGrant", "principalid"): {"eq": "plain"},
    ("oAuth2PermissionGrant", "resourceid"): {"eq": "plain"},
    # serviceprincipal-list-approleassignedto, user-list-approleassignments
    ("appRoleAssignment", "resourceid"): {"eq": "plain"},
    ("appRoleAssignment", "principaldisplayname"): {"eq": "plain", "startswith": "plain"},
    # directoryaudit-list
    ("directoryAudit", "category"): {"eq": "plain"},
    ("directoryAudit", "activitydisplayname"): {"eq": "plain"},
    ("directoryAudit", "activitydatetime"): {"eq": "plain", "ge": "plain", "le": "plain"},
    # rbacapplication-list-roleassignments, -roleeligibilityscheduleinstances
    ("unifiedRoleAssignment", "principalid"): {"eq": "plain", "in": "plain"},
    ("unifiedRoleAssignment", "roledefinitionid"): {"eq": "plain", "in": "plain"},
    ("unifiedRoleEligibilityScheduleInstance", "principalid"): {"eq": "plain"},
    ("unifiedRoleEligibilityScheduleInstance", "roledefinitionid"): {"eq": "plain"},
    ("unifiedRoleDefinition", "isbuiltin"): {"eq": "plain"},
}

# Of what another row belongs to: "you can also apply $filter (eq) on the collection of objects in the
# userConsentRequests relationship", appconsentapprovalroute-list-appconsentrequests.
OF_RELATED = {("appConsentRequest", "userconsentrequests/status"): {"eq"}}

# https://learn.microsoft.com/graph/search-query-parameter#using-search-on-directory-object-collections
SEARCHABLE = {
    "user": {"displayname", "mail", "userprincipalname", "givenname", "surname", "mailnickname"},
    "group": {"displayname", "description", "mail", "mailnickname"},
    "servicePrincipal": {"displayname"},
}

# The most that `$top` may ask for: the pages of the lists. Lists of contained links give 999 too, as Microsoft's own
# tools ask for it. Asking for sign-in activity brings it down to 500 (user-list).
PAGE_SIZES = dict.fromkeys(
    ("servicePrincipal", "user", "group", "directoryObject", "oAuth2PermissionGrant", "appRoleAssignment"), 999
)
ACTIVITY_PAGE_SIZE = 500

# directoryroles and delta take no $top: https://learn.microsoft.com/graph/delta-query-overview#optional-query-parameters
DELTA_OPTIONS = frozenset({"$select", "$filter", "$expand", "$deltatoken", "$skiptoken"})

# Lists that take fewer options than others: rbacapplication-list-roleassignments, -roledefinitions.
OPTIONS = {
    "unifiedRoleAssignment": frozenset({"$select", "$filter", "$expand", "$skiptoken"}),
    "unifiedRoleDefinition": frozenset({"$select", "$filter", "$expand", "$skiptoken"}),
}

# Types whose lists are directory objects, or counted like them: the advanced options work on these.
# https://learn.microsoft.com/graph/aad-advanced-queries#microsoft-entra-id-directory-objects-that-support-advanced-query-capabilities
ADVANCED = {
    "application",
    "appRoleAssignment",
    "device",
    "directoryObject",
    "directoryRole",
    "group",
    "oAuth2PermissionGrant",
    "orgContact",
    "servicePrincipal",
    "user",
}

# What PATCH may change, of what else is read-only: the pages of the updates.
CHANGEABLE = {
    # agentidentity-update, and the permission named after it: AgentIdentity.EnableDisable.All
    "agentIdentity": {"accountEnabled", "displayName", "tags"},
    # agentidentityblueprintprincipal-update
    "agentIdentityBlueprintPrincipal": {"accountEnabled", "tags"},
    "oAuth2PermissionGrant": {"scope"},
    "servicePrincipal": {
        "accountEnabled",
        "addIns",
        "alternativeNames",
        "appRoleAssignmentRequired",
        "appRoles",
        "displayName",
        "homepage",
        "isDisabled",
        "keyCredentials",
        "loginUrl",
        "logoutUrl",
        "notes",
        "oauth2PermissionScopes",
        "preferredSingleSignOnMode",
        "replyUrls",
        "tags",
    },
    "user": {"accountEnabled", "displayName", "jobTitle", "mail", "userPrincipalName", "userType"},
}

# What POST to a list must name: the pages of the creations.
NEEDED = {
    "oAuth2PermissionGrant": {"clientId", "consentType", "resourceId", "scope"},
    "appRoleAssignment": {"principalId", "resourceId", "appRoleId"},
}
SCOPE_LENGTH = 3850  # https://learn.microsoft.com/graph/api/resources/oauth2permissiongrant#properties

# `Prefer` values that Graph knows for what the portal asks: search-query-parameter, and OData's own.
PREFERENCES = ("legacysearch=false", "odata.maxpagesize", "return=minimal", "return=representation")
