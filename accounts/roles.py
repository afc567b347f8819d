"""Who may do what: one table from role to capability, and how Entra's facts become roles.

Views and services ask for a capability, never for a role.
"""

from collections.abc import Iterable

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.directory_roles import DirectoryRole


class Role(TextChoices):
    USER = "user", _("User")
    HELPDESK = "helpdesk", _("Helpdesk")
    APP_ADMIN = "app_admin", _("App admin")
    TENANT_ADMIN = "tenant_admin", _("Tenant admin")
    AUDITOR = "auditor", _("Auditor")


class Capability(TextChoices):
    OWN_APPS = "own_apps", _("see and remove one's own apps, sign oneself out")
    VIEW_WORKSPACE = "view_workspace", _("open the tenant's workspace")
    VIEW_APPS = "view_apps", _("see the tenant's apps and who consented")
    CHANGE_APPS = "change_apps", _("revoke consent, disable, delete and restore apps")
    VIEW_PEOPLE = "view_people", _("find people")
    SIGN_OUT_PEOPLE = "sign_out_people", _("sign people out everywhere")
    VIEW_REVOCATIONS = "view_revocations", _("see revocations and their results")
    APPROVE = "approve", _("approve a revocation someone else asked for")
    VIEW_AUDIT = "view_audit", _("read and export the audit record")
    MANAGE_TENANT = "manage_tenant", _("change the tenant's settings and connection")


CAPABILITIES: dict[str, frozenset[Capability]] = {
    Role.USER: frozenset({Capability.OWN_APPS}),
    Role.HELPDESK: frozenset(
        {
            Capability.VIEW_WORKSPACE,
            Capability.VIEW_PEOPLE,
            Capability.SIGN_OUT_PEOPLE,
            Capability.VIEW_REVOCATIONS,
        }
    ),
    # What Entra gives an Application Administrator: apps and consent, and nobody's sessions.
    Role.APP_ADMIN: frozenset(
        {Capability.VIEW_WORKSPACE, Capability.VIEW_APPS, Capability.CHANGE_APPS, Capability.VIEW_REVOCATIONS}
    ),
    Role.TENANT_ADMIN: frozenset(Capability),  # who answers for a tenant must be able to read what was done in it
    Role.AUDITOR: frozenset(
        {
            Capability.VIEW_WORKSPACE,
            Capability.VIEW_APPS,
            Capability.VIEW_PEOPLE,
            Capability.VIEW_REVOCATIONS,
            Capability.VIEW_AUDIT,
        }
    ),
}

APP_ROLES = {
    "Portal.Helpdesk": Role.HELPDESK,
    "Portal.TenantAdmin": Role.TENANT_ADMIN,
    "Portal.Auditor": Role.AUDITOR,
}

DIRECTORY_ROLES = {
    DirectoryRole.GLOBAL_ADMINISTRATOR: Role.TENANT_ADMIN,
    DirectoryRole.PRIVILEGED_ROLE_ADMINISTRATOR: Role.TENANT_ADMIN,  # the least role that consents for the portal
    DirectoryRole.APPLICATION_ADMINISTRATOR: Role.APP_ADMIN,
    DirectoryRole.CLOUD_APPLICATION_ADMINISTRATOR: Role.APP_ADMIN,
    DirectoryRole.USER_ADMINISTRATOR: Role.HELPDESK,
    DirectoryRole.HELPDESK_ADMINISTRATOR: Role.HELPDESK,
    DirectoryRole.GLOBAL_READER: Role.AUDITOR,
}


def roles_from_claims(app_roles: Iterable[str], wids: Iterable[str]) -> list[str]:
    """The roles a person holds in their own tenant: our app roles when any is assigned, else their directory roles.

    Everyone is at least a user. Sorted, so that two equal sets compare equal.
    """
    assigned = {APP_ROLES[value] for value in app_roles if value in APP_ROLES}
    if not assigned:
        assigned = {DIRECTORY_ROLES[value] for value in wids if value in DIRECTORY_ROLES}
    return sorted({Role.USER, *assigned})


def capabilities(roles: Iterable[str]) -> frozenset[Capability]:
    return frozenset().union(*(CAPABILITIES.get(role, frozenset()) for role in roles))
