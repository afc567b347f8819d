"""Our copy of each tenant's directory. Pages read these rows; only `directory.sync` writes them."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import TenantOwned
from directory import figures
from directory.agent_models import AgentTie, InheritedGrant
from directory.figures import MICROSOFT_TENANT_IDS, NOT_STOPPED_BY_MICROSOFT
from directory.sync_models import Progress
from directory.upkeep_models import ConsentRules, Copied, RecentChange, SearchWord, WithdrawnGrant

# Models that live in a file of their own.
__all__ = [
    "AgentTie",
    "ConsentRules",
    "InheritedGrant",
    "Progress",
    "RecentChange",
    "SearchWord",
    "WithdrawnGrant",
]

NEVER = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=models.DateTimeField())  # orders what is not known last
RECENTLY = timedelta(days=7)  # whoever was active in this time likely holds live tokens


class Risk(models.IntegerChoices):
    LOW = 1, _("Low risk")
    MEDIUM = 2, _("Medium risk")
    HIGH = 3, _("High risk")


class ServicePrincipal(Copied):
    """An app as this tenant knows it. The key is its object id."""

    class Kind(models.TextChoices):
        """As Microsoft calls them (`graph.types.AppKind`); whatever else there may be is kept as an app."""

        APP = "Application", _("app")
        MANAGED_IDENTITY = "ManagedIdentity", _("managed identity")
        AGENT = "agentIdentity", _("AI agent")
        BLUEPRINT = "agentIdentityBlueprintPrincipal", _("agent blueprint")
        OLDER_AGENT = "olderAgent", _("AI agent of the older kind")

    id = models.UUIDField(primary_key=True)
    app_id = models.UUIDField()
    display_name = models.CharField(max_length=256)
    publisher_name = models.CharField(max_length=256, blank=True)
    publisher_verified = models.BooleanField(default=False)
    owner_tenant_id = models.UUIDField(null=True)
    type = models.CharField(max_length=32, default="Application")
    kind = models.CharField(max_length=32, choices=Kind, default=Kind.APP)
    blueprint_app_id = models.UUIDField(null=True)  # of an agent: the client id of the blueprint it was made from
    ties_read_at = models.DateTimeField(null=True)  # since when an agent's sponsors and owners are known
    account_enabled = models.BooleanField(default=True)
    secret_added_at = models.DateTimeField(null=True)  # the last secret kept on it in this tenant
    secret_ends_at = models.DateTimeField(null=True)  # the next of them to end
    is_disabled = models.BooleanField(default=False)  # by its publisher, in every tenant; only the publisher undoes it
    disabled_by_microsoft = models.CharField(max_length=128, blank=True)
    homepage = models.CharField(max_length=2048, blank=True)
    reply_urls = ArrayField(models.CharField(max_length=2048), default=list)
    tags = ArrayField(models.CharField(max_length=256), default=list)
    created_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)  # in the recycle bin since
    last_used_at = models.DateTimeField(null=True)  # unknown where the licence hides it
    first_seen_at = models.DateTimeField(auto_now_add=True)
    synced_at = models.DateTimeField()

    # Computed at sync, so that a list of 20,000 apps needs one query.
    risk = models.PositiveSmallIntegerField(choices=Risk, default=Risk.LOW)
    risk_reasons = models.JSONField(default=list)  # [{"rule": "mail", "risk": 3, "params": {...}}], worst first
    user_consent_count = models.PositiveIntegerField(default=0)
    has_admin_consent = models.BooleanField(default=False)
    app_permission_count = models.PositiveIntegerField(default=0)
    assigned_count = models.PositiveIntegerField(default=0)
    works_offline = models.BooleanField(default=False)  # some grant holds offline_access
    facts = ArrayField(
        models.CharField(max_length=32), default=list, db_default=[]
    )  # the rules of `risk_reasons` about the app itself
    danger = models.PositiveSmallIntegerField(
        default=0, db_default=0
    )  # the worst first; 0 for what nobody decides about here
    # What follows from other columns, whoever writes them.
    rank = models.GeneratedField(
        expression=figures.RANK, output_field=models.PositiveSmallIntegerField(), db_persist=True
    )
    figure = models.GeneratedField(
        expression=figures.FIGURE, output_field=models.PositiveSmallIntegerField(), db_persist=True
    )

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-rank", "display_name", "id"], name="sp_by_rank"),
            models.Index(F("tenant"), Coalesce("last_used_at", NEVER).desc(), F("id").desc(), name="sp_by_use"),
            models.Index(F("tenant"), Coalesce("created_at", NEVER).desc(), F("id").desc(), name="sp_by_age"),
            models.Index(fields=["tenant", "display_name", "id"], name="sp_by_name"),
            models.Index(fields=["tenant", "risk", "-rank", "display_name", "id"], name="sp_by_risk"),
            models.Index(fields=["tenant", "kind", "-rank", "display_name", "id"], name="sp_by_kind"),
            models.Index(fields=["tenant", "owner_tenant_id"], name="sp_by_owner"),
            # What the overview counts, so that it reads no rows for it.
            models.Index(
                fields=["tenant", "figure", "last_used_at"],
                include=["app_id"],
                condition=Q(deleted_at__isnull=True),
                name="sp_by_figure",
            ),
            models.Index(fields=["tenant", "created_at"], condition=Q(deleted_at__isnull=True), name="sp_added"),
            models.Index(
                fields=["tenant", "-first_seen_at", "id"],
                condition=Q(deleted_at__isnull=True, risk=Risk.HIGH),
                name="sp_new_and_risky",
            ),
            models.Index(
                fields=["tenant", "id"],
                condition=Q(account_enabled=False)
                | Q(is_disabled=True)
                | ~Q(disabled_by_microsoft__in=NOT_STOPPED_BY_MICROSOFT),
                name="sp_off",
            ),
            models.Index(
                fields=["tenant", "-deleted_at", "id"], condition=Q(deleted_at__isnull=False), name="sp_deleted"
            ),
            models.Index(fields=["tenant", "app_id"], name="sp_by_app"),
            models.Index(fields=["tenant", "-user_consent_count", "display_name", "id"], name="sp_by_consents"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def is_microsoft(self) -> bool:
        return str(self.owner_tenant_id) in MICROSOFT_TENANT_IDS

    @property
    def is_own(self) -> bool:
        """Whether the organisation registered this app itself."""
        return self.owner_tenant_id == self.tenant_id

    @property
    def is_portal(self) -> bool:
        """Whether this is the very portal that shows it."""
        return str(self.app_id) == settings.ENTRA_CLIENT_ID.lower()

    @property
    def is_stopped_here(self) -> bool:
        """Whether an administrator of this tenant disabled or deleted it."""
        return not self.account_enabled or self.deleted_at is not None

    @property
    def can_act(self) -> bool:
        """Whether the app gets tokens: nobody has switched it off, here, at its publisher's or at Microsoft."""
        off = self.is_disabled or self.is_disabled_by_microsoft or self.is_stopped_here
        return not off

    @property
    def is_disabled_by_microsoft(self) -> bool:
        return self.disabled_by_microsoft not in NOT_STOPPED_BY_MICROSOFT


class PermissionDefinition(TenantOwned):
    """What a resource's scope or app role means, in its publisher's words."""

    class Kind(models.TextChoices):
        DELEGATED = "delegated", _("delegated")
        APPLICATION = "application", _("application")

    resource = models.ForeignKey(ServicePrincipal, on_delete=models.CASCADE, related_name="definitions")
    kind = models.CharField(max_length=16, choices=Kind)
    permission_id = models.UUIDField()
    value = models.CharField(max_length=256)
    admin_only = models.BooleanField(default=False)
    user_display_name = models.TextField(blank=True)
    user_description = models.TextField(blank=True)
    admin_display_name = models.TextField(blank=True)
    admin_description = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "resource", "kind", "permission_id"], name="one_definition")
        ]

    def __str__(self) -> str:
        return self.value


class Person(Copied):
    """A user of the tenant. The key is their object id."""

    id = models.UUIDField(primary_key=True)
    display_name = models.CharField(max_length=256)
    upn = models.CharField(max_length=256)
    mail = models.CharField(max_length=320, blank=True)
    job_title = models.CharField(max_length=256, blank=True)
    is_guest = models.BooleanField(default=False)  # a guest's rights here, which says nothing about where they sign in
    is_external = models.BooleanField(default=False)  # signs in elsewhere: their sessions are not this tenant's to end
    is_agent = models.BooleanField(default=False)  # an agent's user account, and no person
    agent_id = models.UUIDField(null=True)  # of such an account: the agent it belongs to
    # In a restricted unit: its own administrators alone may change them. None: not read yet.
    is_restricted = models.BooleanField(null=True)
    home_domain = models.CharField(max_length=256, blank=True)  # of an external one, from the UPN's #EXT# form or mail
    account_enabled = models.BooleanField(default=True)
    # Active directory roles, in any scope, held directly or through a group. Read them through `directory.roles`,
    # which knows how far to believe them: an empty list that was never read is not "none".
    role_template_ids = ArrayField(models.UUIDField(), default=list)
    # Groups they are in that answer for AI agents, as of the last look at this person alone; None: nobody looked yet.
    answering_groups = ArrayField(models.UUIDField(), null=True)
    has_scoped_role = models.BooleanField(default=False)  # one of them is scoped to an administrative unit
    roles_known_at = models.DateTimeField(null=True)  # since a reading of all their roles took them in
    sessions_valid_from = models.DateTimeField(null=True)
    last_active_at = models.DateTimeField(null=True)  # unknown without the permission, the licence, or activity
    synced_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "display_name", "id"], name="person_by_name"),
            models.Index(fields=["tenant", "upn"], name="person_by_upn"),
            models.Index(
                F("tenant"), Coalesce("sessions_valid_from", NEVER).desc(), F("id").desc(), name="person_by_sessions"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name


class PermissionGrant(Copied):
    """A delegated permission grant (`oauth2PermissionGrant`): `client` may use `resource` for one person or all."""

    class ConsentType(models.TextChoices):
        ALL = "AllPrincipals", _("whole organisation")
        ONE = "Principal", _("one person")

    graph_id = models.CharField(max_length=128)
    # No constraints: a grant may name an app or a person the last walk had not seen yet. No indexes: those below do.
    client = models.ForeignKey(
        ServicePrincipal, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="grants"
    )
    resource = models.ForeignKey(
        ServicePrincipal, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    principal = models.ForeignKey(
        Person, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="grants"
    )
    consent_type = models.CharField(max_length=16, choices=ConsentType)
    scopes = ArrayField(models.CharField(max_length=256), default=list)
    risk = models.PositiveSmallIntegerField(choices=Risk, default=Risk.LOW)
    first_seen_at = models.DateTimeField(default=timezone.now)
    consented_at = models.DateTimeField(null=True)  # as Microsoft's audit log says; unknown where it keeps none
    consented_by = models.CharField(max_length=256, blank=True, db_default="")
    synced_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "graph_id"], name="one_row_per_grant")]
        indexes = [
            models.Index(fields=["tenant", "principal"], name="grant_by_person"),
            models.Index(fields=["tenant", "client", "consent_type", "principal"], name="grant_by_client"),
            models.Index(fields=["tenant", "resource"], name="grant_by_resource"),
            models.Index(fields=["tenant", "first_seen_at", "id"], name="grant_by_first_seen"),
            models.Index(
                fields=["tenant", "-consented_at", "-id"],
                condition=Q(consented_at__isnull=False),
                name="grant_by_consent",
            ),
        ]

    def __str__(self) -> str:
        return self.graph_id


class AppPermission(Copied):
    """A permission an app holds, however many people gave it: what grants and assignments come to, per app.

    Computed by `directory.sync.held`, so that "who can read all mail?" is one indexed query.
    """

    Kind = PermissionDefinition.Kind

    app = models.ForeignKey(
        ServicePrincipal, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="held"
    )
    resource_id = models.UUIDField()
    kind = models.CharField(max_length=16, choices=PermissionDefinition.Kind)
    value = models.CharField(max_length=256)
    reason = models.CharField(max_length=32)  # a key of `directory.reasons`
    risk = models.PositiveSmallIntegerField(choices=Risk, default=Risk.LOW)
    people = models.PositiveIntegerField(default=0)  # who gave it for themselves
    everyone = models.BooleanField(default=False)  # an administrator gave it, for everyone or to the app itself

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "app", "resource_id", "kind", "value"], name="one_held")
        ]
        indexes = [
            models.Index(fields=["tenant", "value", "kind", "app"], name="held_by_value"),
            models.Index(fields=["tenant", "value", "kind", "resource_id", "-people", "id"], name="held_by_people"),
            models.Index(fields=["tenant", "reason", "app"], name="held_by_reason"),
        ]

    def __str__(self) -> str:
        return self.value


class PermissionUse(Copied):
    """A permission that some app of the tenant holds, and how many do. Computed with `AppPermission`."""

    Kind = PermissionDefinition.Kind

    resource_id = models.UUIDField()
    kind = models.CharField(max_length=16, choices=PermissionDefinition.Kind)
    value = models.CharField(max_length=256)
    reason = models.CharField(max_length=32)
    risk = models.PositiveSmallIntegerField(choices=Risk, default=Risk.LOW)
    apps = models.PositiveIntegerField(default=0)
    consents = models.PositiveIntegerField(default=0)  # of people for themselves: one person counts for each app
    for_everyone = models.PositiveIntegerField(default=0)  # the apps that hold it for everyone

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "resource_id", "kind", "value"], name="one_permission_in_use")
        ]
        indexes = [models.Index(fields=["tenant", "-risk", "-apps", "value", "id"], name="use_by_risk")]

    def __str__(self) -> str:
        return self.value


class AppRoleAssignment(Copied):
    """Someone assigned to an app, or (principal type ServicePrincipal) an application permission held by an app."""

    graph_id = models.CharField(max_length=128)
    resource = models.ForeignKey(
        ServicePrincipal, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="assigned_to"
    )
    principal_id = models.UUIDField()
    principal_type = models.CharField(max_length=32)  # User, Group, ServicePrincipal
    principal_name = models.CharField(max_length=256, blank=True)
    app_role_id = models.UUIDField()
    created_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "graph_id"], name="one_row_per_assignment")]
        indexes = [
            models.Index(fields=["tenant", "resource"], name="assignment_by_resource"),
            models.Index(fields=["tenant", "principal_id"], name="assignment_by_principal"),
        ]

    def __str__(self) -> str:
        return self.graph_id


class Collection(TenantOwned):
    """How fresh one part of the copy is. A list that was never complete says so."""

    class Kind(models.TextChoices):
        SERVICE_PRINCIPALS = "service_principals", _("apps")
        GRANTS = "grants", _("grants")
        ASSIGNMENTS = "assignments", _("assignments")
        PEOPLE = "people", _("people")
        DELETED_APPS = "deleted_apps", _("deleted apps")
        ROLES = "roles", _("directory roles")
        AGENTS = "agents", _("agents' sponsors and what they inherit")

    kind = models.CharField(max_length=32, choices=Kind)
    complete_at = models.DateTimeField(null=True)
    # What was there at the first complete walk is older than we can know: only later rows count as new.
    first_complete_at = models.DateTimeField(null=True)
    graph_count = models.PositiveIntegerField(null=True)  # Graph's own $count at that time
    row_count = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)  # rows Graph listed and nobody can make sense of: left out
    started_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    rated_with = models.CharField(
        max_length=32, blank=True, db_default=""
    )  # of grants: the version of the ratings in force
    rated_at = models.DateTimeField(null=True)
    activity_at = models.DateTimeField(null=True)  # of people: when their last activity was read to the end
    # Of directory roles. Anybody may hold `possible_roles`: those of groups whose members may not be read.
    possible_roles = ArrayField(models.UUIDField(), default=list)
    role_groups_known = models.BooleanField(default=False)  # all role-assignable groups, their members and owners
    role_group_people = ArrayField(models.UUIDField(), default=list)  # the members and owners of such groups

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "kind"], name="one_row_per_collection")]

    def __str__(self) -> str:
        return self.kind

    @property
    def lacks(self) -> int:
        """How many more Microsoft counts than were read; 0 where it does not tell. It may only have to catch up."""
        return max(0, (self.graph_count or 0) - self.row_count - self.unreadable)
