"""Whether the portal can act in a tenant, and what is switched off because it may not."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy as lazy

from accounts.models import Tenant
from graph.client import GraphClient
from graph.errors import Forbidden, GraphError
from graph.explain import Words, words


@dataclass(frozen=True)
class Feature:
    """Something the portal does that needs a permission.

    Attributes:
        any_of: application permissions, the least powerful first; one of them is enough.
        optional: the portal is whole without it.
    """

    key: str
    any_of: tuple[str, ...]
    text: str | Promise
    optional: bool = False


# https://learn.microsoft.com/graph/permissions-reference
FEATURES = [
    Feature(
        "apps",
        ("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"),
        lazy("Read the apps, who is assigned to them and what they may do alone. Without it there is no list."),
    ),
    Feature(
        "grants",
        ("Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"),
        lazy("Read who allowed which app what. Without it nobody sees their own apps."),
    ),
    Feature(
        "remove_consent",
        ("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"),
        lazy("Remove apps: one's own, and consents an admin revokes. Without it apps are shown and cannot be removed."),
    ),
    Feature(
        "people",
        ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
        lazy("Find people. Without it helpdesk finds nobody."),
    ),
    Feature(
        "roles",
        ("RoleManagement.Read.Directory", "Directory.Read.All", "Directory.ReadWrite.All"),
        lazy("Know who holds which directory role. Without it it is not known, and nobody signs out others."),
    ),
    Feature(
        "sign_out",
        ("User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"),
        lazy("Sign people out everywhere. Without it only sessions of this portal can be ended."),
    ),
    Feature(
        "change_apps",
        ("Application.ReadWrite.All",),
        lazy("Disable, delete and restore apps. Without it apps can be inspected and their consent revoked, no more."),
    ),
    Feature(
        "assignments",
        ("AppRoleAssignment.ReadWrite.All",),
        lazy("Put assignments and app-only permissions back after a restore. Without it they are only shown."),
    ),
    Feature(
        "organization",
        ("Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"),
        lazy("Read the organisation's name and domains. Without it they stay as they were entered."),
        optional=True,
    ),
    Feature(
        "groups",
        ("GroupMember.Read.All", "Directory.Read.All", "Group.Read.All"),
        lazy(
            "Know who holds a role through a group, and choose people by group. Without it helpdesk signs out nobody."
        ),
    ),
    Feature(
        "last_used",
        ("AuditLog.Read.All",),
        lazy("Know when apps and people were last active (needs a P1 licence too). Without it “last used” is unknown."),
        optional=True,
    ),
]
INVALIDATE_TOKENS = Feature(
    "invalidate_tokens",
    ("User.RevokeSessions.All",),
    lazy("Sign people out of B2C custom policies, as this tenant is set to. Without it no sign-out reaches them."),
)


@dataclass(frozen=True)
class Finding:
    """One feature, and whether this tenant lets the portal do it."""

    feature: str
    permission: str
    granted: bool
    text: str
    optional: bool = False


@dataclass(frozen=True)
class Connection:
    """The state of a tenant's connection.

    Attributes:
        checked_at: when Microsoft was asked; None when it could not be asked now or before.
        organization: the tenant's name as Microsoft has it, where it was read just now.
    """

    findings: list[Finding] = field(default_factory=list)
    problem: Words | None = None
    checked_at: datetime | None = None
    organization: str = ""

    @property
    def missing(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.granted]

    @property
    def faults(self) -> list[Finding]:
        """What is missing and not optional."""
        return [finding for finding in self.missing if not finding.optional]

    @property
    def works(self) -> bool:
        return self.problem is None and not self.faults


def check(tenant: Tenant, fresh: bool = True) -> Connection:
    """What the portal may do in this tenant. Raises no `GraphError`.

    Args:
        fresh: act: ask for a new token and read the organisation. What comes of it is kept on the tenant. Otherwise
            answers from what was found last.
    """
    if not fresh:
        return Connection(_findings(tenant, tenant.granted_permissions), None, tenant.permissions_checked_at)
    client = GraphClient(str(tenant.pk), priority="high")
    try:
        permissions = client.own_permissions(fresh=True)
    except (GraphError, ImproperlyConfigured) as error:
        findings = _findings(tenant, tenant.granted_permissions)
        return Connection(findings, explain(error), tenant.permissions_checked_at)
    if permissions is not None:
        remember(tenant, permissions)
    findings = _findings(tenant, tenant.granted_permissions)
    try:
        organization = client.organization()
    except Forbidden:
        return Connection(findings, None, tenant.permissions_checked_at)
    except GraphError as error:
        return Connection(findings, explain(error), tenant.permissions_checked_at)
    return Connection(findings, None, tenant.permissions_checked_at, organization.display_name)


def features(tenant: Tenant) -> dict[str, str]:
    """The features that are off in this tenant, each with the reason. Asks nobody: as found last."""
    return {
        finding.feature: _("This organisation has not granted the portal %(permission)s.")
        % {"permission": finding.permission}
        for finding in _findings(tenant, tenant.granted_permissions)
        if not finding.granted
    }


def remember(tenant: Tenant, permissions: Iterable[str]) -> None:
    """Keep what the tenant granted: features switch themselves by it."""
    tenant.granted_permissions = sorted(permissions)
    tenant.permissions_checked_at = timezone.now()
    tenant.save(update_fields=["granted_permissions", "permissions_checked_at"])


def explain(error: GraphError | ImproperlyConfigured) -> Words:
    """Why the portal cannot act in the tenant at all, and what helps."""
    if isinstance(error, ImproperlyConfigured):
        fix = _("Set ENTRA_CLIENT_ID, and ENTRA_CERTIFICATE with ENTRA_PRIVATE_KEY or ENTRA_CLIENT_SECRET.")
        return Words(_("The portal has no credential: %(why)s") % {"why": error}, fix)
    return words(error)


def _findings(tenant: Tenant, granted: Iterable[str]) -> list[Finding]:
    granted = set(granted)
    wanted = list(FEATURES)
    if tenant.sign_out_action == Tenant.SignOutAction.INVALIDATE_TOKENS:
        wanted.append(INVALIDATE_TOKENS)
    found = []
    for feature in wanted:
        held = [permission for permission in feature.any_of if permission in granted]
        permission = held[0] if held else feature.any_of[0]
        found.append(Finding(feature.key, permission, bool(held), str(feature.text), feature.optional))
    return found
