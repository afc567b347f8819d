"""Whether the portal can act in a tenant, and what is switched off because it may not."""

from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from accounts import permissions
from accounts.models import Tenant
from accounts.permissions import Feature, Standing
from b2c import selectors as b2c
from directory import features as reading
from graph.client import GraphClient
from graph.errors import Forbidden, GraphError, NotFound
from graph.explain import Words, words
from revocation import actions
from revocation.actions import kinds


def _of(action: str, key: str, text: Promise, *, optional: bool = False, needs: tuple[str, ...] = ()) -> Feature:
    """A feature that is a change: what it needs stands on its action."""
    return Feature(key, needs or actions.get(action).needs, text, optional)


FEATURES = [
    reading.APPS,
    reading.GRANTS,
    _of(
        "delete_grant",
        "remove_consent",
        gettext_lazy(
            "Remove apps: one's own, and consents an admin revokes. Without it apps are shown and cannot be removed."
        ),
    ),
    reading.PEOPLE,
    reading.ROLES,
    reading.GROUPS,
    _of(
        "revoke_sessions",
        "sign_out",
        gettext_lazy("Sign people out everywhere. Without it only sessions of this portal can be ended."),
    ),
    _of(
        "disable_app",
        "change_apps",
        gettext_lazy(
            "Disable, delete and restore apps. Without it apps can be inspected and their consent revoked, no more."
        ),
    ),
    _of(
        "create_assignment",
        "assignments",
        gettext_lazy(
            "Take away, and put back after a restore, who is assigned to an app. Without it that is only shown."
        ),
    ),
    reading.ORGANIZATION,
    reading.LAST_USED,
    reading.CONSENT_POLICY,
    reading.CUSTOM_POLICIES,
    reading.CONSENT_DATES,
    reading.CONSENT_REQUESTS,
    reading.SPONSORS,
    reading.AGENTS,
    _of(
        "create_assignment",
        "app_permissions",
        gettext_lazy(
            "Put an app's own permissions for Microsoft Graph back after a restore. Without it they are only shown."
        ),
        optional=True,
        needs=kinds.ASSIGN_OF_GRAPH,
    ),
    _of(
        "disable_app",
        "disable_agents",
        gettext_lazy("Disable and enable AI agents. Without it agents are only shown."),
        optional=True,
        needs=kinds.ENABLE_AGENTS,
    ),
    _of(
        "disable_app",
        "disable_blueprints",
        gettext_lazy(
            "Disable and enable agent blueprints, with all agents made from them. Without it they are only shown."
        ),
        optional=True,
        needs=kinds.ENABLE_BLUEPRINTS,
    ),
    _of(
        "delete_app",
        "delete_agents",
        gettext_lazy("Delete AI agents and restore them. Without it agents are only shown."),
        optional=True,
        needs=kinds.DELETE_AGENTS,
    ),
    _of(
        "delete_app",
        "delete_blueprints",
        gettext_lazy("Delete agent blueprints and restore them. Without it they are only shown."),
        optional=True,
        needs=kinds.DELETE_BLUEPRINTS,
    ),
]
INVALIDATE_TOKENS = _of(
    "invalidate_tokens",
    "invalidate_tokens",
    gettext_lazy(
        "Sign people out of B2C custom policies, as this tenant is set to. Without it no sign-out reaches them."
    ),
)
UPLOAD_POLICIES = _of(
    "upload_policy",
    "upload_policies",
    gettext_lazy(
        "Azure AD B2C: upload custom policies, and put back what was there. Without it they are uploaded by hand."
    ),
    optional=True,
)
OF_B2C = (INVALIDATE_TOKENS, UPLOAD_POLICIES)  # only there


@dataclass(frozen=True)
class Finding:
    """One feature, and whether this tenant lets the portal do it.

    Attributes:
        permission: the one that is granted, else the least that would do.
        instead: others that would do as well, and allow more.
    """

    feature: str
    permission: str
    instead: tuple[str, ...]
    standing: Standing
    text: str
    optional: bool = False

    @property
    def granted(self) -> bool:
        return self.standing == Standing.GRANTED


@dataclass(frozen=True)
class Connection:
    """The state of a tenant's connection.

    Attributes:
        checked_at: when Microsoft last told; None when it never did.
        unknown_since: since when it is not known what is granted, where the latest answer did not tell.
        organization: the tenant's name as Microsoft has it, where it was read just now.
        too_much: what is granted beside the rest and spoils some of it, in words.
    """

    findings: list[Finding] = field(default_factory=list)
    problem: Words | None = None
    checked_at: datetime | None = None
    unknown_since: datetime | None = None
    organization: str = ""
    too_much: str = ""

    @property
    def faults(self) -> list[Finding]:
        """What is missing and not optional."""
        return [one for one in self.findings if one.standing == Standing.MISSING and not one.optional]

    @property
    def missing(self) -> set[str]:
        """The permissions to grant for all of that; one may do for several."""
        return {one.permission for one in self.faults}

    @property
    def not_known(self) -> list[Finding]:
        return [one for one in self.findings if one.standing == Standing.NOT_KNOWN]

    @property
    def works(self) -> bool:
        return self.problem is None and not self.faults


def check(tenant: Tenant, fresh: bool = True) -> Connection:
    """What the portal may do in this tenant. Raises no `GraphError`.

    Args:
        fresh: act: ask for a new token and read the organisation. What comes of it is kept on the tenant. Otherwise
            answers from what was found last.
    """
    problem, organization = None, ""
    if fresh:
        try:
            organization = _ask(tenant)
        except (GraphError, ImproperlyConfigured) as error:
            problem = explain(error)
    checked, unknown = tenant.permissions_checked_at, tenant.permissions_unknown_since
    return Connection(_findings(tenant), problem, checked, unknown, organization, _too_much(tenant))


def _too_much(tenant: Tenant) -> str:
    """Granted more, the portal can do less: beside these Microsoft ignores the permissions for agents.

    https://learn.microsoft.com/graph/api/agentidentity-delete
    """
    held = sorted(kinds.SPOILING & set(tenant.granted_permissions))
    if not held:
        return ""
    return _(
        "%(permission)s is granted, which the portal does not need. Beside it Microsoft ignores every permission for AI"
        " agents: take it from the portal, or agents and blueprints cannot be changed here."
    ) % {"permission": held[0]}


def _ask(tenant: Tenant) -> str:
    """Keep what Microsoft says was granted; the organisation's name, where it may be read."""
    client = GraphClient(str(tenant.pk), priority="high")
    try:
        permissions.remember(tenant, client.own_permissions(fresh=True))
    except NotFound:
        permissions.remember(tenant, None)
        raise
    try:
        return client.organization().display_name
    except Forbidden:
        return ""


def features(tenant: Tenant) -> dict[str, str]:
    """The features that are off in this tenant, each with the reason. Asks nobody: as found last."""
    return {one.key: why for one in _wanted(tenant) if (why := permissions.missing(tenant, one.any_of))}


def explain(error: GraphError | ImproperlyConfigured) -> Words:
    """Why the portal cannot act in the tenant at all, and what helps."""
    if isinstance(error, ImproperlyConfigured):
        fix = _("Set ENTRA_CLIENT_ID, and ENTRA_CERTIFICATE with ENTRA_PRIVATE_KEY or ENTRA_CLIENT_SECRET.")
        return Words(_("The portal has no credential: %(why)s") % {"why": error}, fix)
    return words(error)


def _wanted(tenant: Tenant) -> list[Feature]:
    beta = tenant.sign_out_action == Tenant.SignOutAction.INVALIDATE_TOKENS
    uploads = b2c.is_b2c(tenant)
    return [*FEATURES, *([INVALIDATE_TOKENS] if beta else []), *([UPLOAD_POLICIES] if uploads else [])]


def _findings(tenant: Tenant) -> list[Finding]:
    found = []
    for feature in _wanted(tenant):
        held = [permission for permission in feature.any_of if permission in tenant.granted_permissions]
        permission = (held or feature.any_of)[0]
        instead = tuple(one for one in feature.any_of if one != permission)
        standing = permissions.standing(tenant, feature.any_of)
        found.append(Finding(feature.key, permission, instead, standing, str(feature.text), feature.optional))
    return found
