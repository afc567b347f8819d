"""What reading the directory is good for, and which permission each reading needs: the least powerful first.

https://learn.microsoft.com/graph/permissions-reference
"""

from django.utils.translation import gettext_lazy as _

from accounts.models import Tenant
from accounts.permissions import Feature, missing

APPS = Feature(
    "apps",
    ("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"),
    _("Read the apps, who is assigned to them and what they may do alone. Without it there is no list."),
)
GRANTS = Feature(
    "grants",
    ("DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All"),
    _("Read who allowed which app what. Without it nobody sees their own apps."),
)
PEOPLE = Feature(
    "people",
    ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All"),
    _("Find people. Without it helpdesk finds nobody."),
)
ROLES = Feature(
    "roles",
    ("RoleManagement.Read.Directory", "Directory.Read.All"),
    _("Know who holds which directory role. Without it it is not known, and nobody signs out others."),
)
ORGANIZATION = Feature(
    "organization",
    ("Organization.Read.All", "User.Read.All", "Directory.Read.All"),
    _("Read the organisation's name and domains. Without it they stay as they were entered."),
    optional=True,
)
GROUPS = Feature(
    "groups",
    ("GroupMember.Read.All", "Directory.Read.All", "Group.Read.All"),
    _("Know who holds a role through a group, and choose people by group. Without it helpdesk signs out nobody."),
)
LAST_USED = Feature(
    "last_used",
    ("AuditLog.Read.All",),
    _("Know when apps and people were last active (needs a P1 licence too). Without it “last used” is unknown."),
    optional=True,
)
SPONSORS = Feature(
    "sponsors",
    ("Application.Read.All", "Application.ReadWrite.All"),
    _("Know who sponsors AI agents, asked one by one. Without it that is not known."),
    optional=True,
)
AGENTS = Feature(
    "agents",
    ("AgentIdentity.Read.All", "AgentIdentity.ReadWrite.All"),
    _("Know of all AI agents at once who sponsors them. Without it it takes days in a large organisation."),
    optional=True,
)
CUSTOM_POLICIES = Feature(
    "custom_policies",
    ("Policy.Read.All", "Policy.ReadWrite.TrustFramework"),
    _("Azure AD B2C: read the custom policies. Without it they are read from files."),
    optional=True,
)
CONSENT_POLICY = Feature(
    "consent_policy",
    ("Policy.Read.All",),
    _("Know whether people may consent for themselves. Without it nobody undoes their own removal of a consent."),
    optional=True,
)
CONSENT_DATES = Feature(
    "consent_dates",
    ("AuditLog.Read.All", "Directory.Read.All"),
    _("Know who consented and when, as far as Microsoft's log goes back. Without it only when it was first seen."),
    optional=True,
)
CONSENT_REQUESTS = Feature(
    "consent_requests",
    ("ConsentRequest.Read.All", "ConsentRequest.ReadWrite.All"),
    _("List the apps that people asked an administrator to let in. Without it they are in Entra only."),
    optional=True,
)
_READING = (
    APPS,
    GRANTS,
    PEOPLE,
    ROLES,
    ORGANIZATION,
    GROUPS,
    LAST_USED,
    SPONSORS,
    AGENTS,
    CONSENT_POLICY,
    CONSENT_DATES,
    CONSENT_REQUESTS,
)
READING = {one.key: one for one in _READING}


def switched_off(tenant: Tenant, key: str) -> str:
    """Why the directory cannot be read for this, in words; empty unless the permission is known to be missing."""
    return missing(tenant, READING[key].any_of)
