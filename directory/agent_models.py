"""What the copy knows of AI agents beside what it knows of every app. `directory.sync.agents` writes these rows.

https://learn.microsoft.com/graph/api/resources/agentidentity
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import TenantOwned


class InheritedGrant(TenantOwned):
    """What an agent may do because its blueprint may: for everybody, or with nobody signed in.

    Nobody gives this to the agent and nobody takes it from the agent: an administrator grants it to the blueprint.
    """

    class Kind(models.TextChoices):
        DELEGATED = "delegated", _("delegated")
        APPLICATION = "application", _("application")

    # No constraints: an agent may be read before what it names.
    agent = models.ForeignKey(
        "directory.ServicePrincipal", on_delete=models.DO_NOTHING, db_constraint=False, related_name="inherited"
    )
    blueprint = models.ForeignKey(
        "directory.ServicePrincipal",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,  # its principal is not in this tenant, or not known here
        related_name="passed_on",
    )
    resource = models.ForeignKey(
        "directory.ServicePrincipal", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    kind = models.CharField(max_length=16, choices=Kind)
    scopes = ArrayField(models.CharField(max_length=256), default=list)  # values, of either kind
    app_role_ids = ArrayField(models.UUIDField(), default=list)  # of the application kind: which roles those are
    synced_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "agent", "resource", "kind"], name="one_inherited_grant")
        ]
        indexes = [
            models.Index(fields=["tenant", "kind", "agent"], name="inherited_by_agent"),
            GinIndex(fields=["scopes"], name="inherited_by_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.kind} {self.resource_id}"


class AgentTie(TenantOwned):
    """Somebody who answers for an agent or a blueprint: a sponsor, or an owner.

    https://learn.microsoft.com/entra/agent-id/agent-owners-sponsors-managers
    """

    class Role(models.TextChoices):
        SPONSOR = "sponsor", _("sponsor")
        OWNER = "owner", _("owner")

    agent = models.ForeignKey(
        "directory.ServicePrincipal", on_delete=models.DO_NOTHING, db_constraint=False, related_name="ties"
    )
    role = models.CharField(max_length=16, choices=Role)
    holder_id = models.UUIDField()
    holder_type = models.CharField(max_length=32)  # user, group or servicePrincipal
    holder_name = models.CharField(max_length=256, blank=True)  # empty where Microsoft does not show it to the portal

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "agent", "role", "holder_id"], name="one_agent_tie")]
        indexes = [models.Index(fields=["tenant", "holder_id", "role"], name="agent_tie_by_holder")]

    def __str__(self) -> str:
        return f"{self.role} {self.holder_id}"
