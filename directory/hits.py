"""What deleting an app takes away with it. Read through `directory.selectors`."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from directory.models import AppRoleAssignment, PermissionGrant, ServicePrincipal

Types = PermissionGrant.ConsentType


@dataclass(frozen=True)
class Hits:
    """What deleting an app takes away with it.

    Attributes:
        people: who let it act for them, as counted when its grants were written.
        grants: of permissions to it, by people and by administrators.
        resource_grants: of permissions on it, to other apps, which then stop reaching it.
        agents: made from it, and deleted by Microsoft about a day later where it is an agent blueprint.
            https://learn.microsoft.com/entra/agent-id/cascade-deletion-agent-identities
    """

    people: int
    grants: int
    organisation_wide: bool
    assigned_people: int
    assigned_groups: int
    app_permissions: int
    resource_grants: int
    agents: int

    @property
    def assignments(self) -> int:
        return self.assigned_people + self.assigned_groups


def what_deleting_hits(app: ServicePrincipal) -> Hits:
    """Counted on the spot but for the people, in three queries, and a fourth for an agent blueprint.

    Microsoft's own apps can be deleted by nobody here, and everybody's grants are of permissions to them: not counted.
    """
    of_tenant = PermissionGrant.objects.filter(tenant_id=app.tenant_id)
    grants = of_tenant.filter(client=app).aggregate(
        grants=Count("*"), tenant_wide=Count("tenant_id", filter=Q(consent_type=Types.ALL))
    )
    on_it = 0 if app.is_microsoft else of_tenant.filter(resource=app).exclude(client=app).count()
    to_it = Q(resource=app)
    assignments = AppRoleAssignment.objects.filter(to_it | Q(principal_id=app.pk), tenant_id=app.tenant_id).aggregate(
        people=Count("tenant_id", filter=to_it & Q(principal_type="User")),
        groups=Count("tenant_id", filter=to_it & Q(principal_type="Group")),
        held=Count("tenant_id", filter=Q(principal_id=app.pk)),
    )
    return Hits(
        people=app.user_consent_count,
        grants=grants["grants"],
        organisation_wide=grants["tenant_wide"] > 0,
        assigned_people=assignments["people"],
        assigned_groups=assignments["groups"],
        app_permissions=assignments["held"],
        resource_grants=on_it,
        agents=_agents_of(app).count() if app.kind == ServicePrincipal.Kind.BLUEPRINT else 0,
    )


def _agents_of(app: ServicePrincipal) -> QuerySet[ServicePrincipal]:
    return ServicePrincipal.objects.filter(
        tenant_id=app.tenant_id,
        deleted_at__isnull=True,
        kind=ServicePrincipal.Kind.AGENT,
        blueprint_app_id=app.app_id,
    )
