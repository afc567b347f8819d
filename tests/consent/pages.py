"""What the tests of the pages share: a copy of the sandbox's directory, and rows made by hand where many are needed."""

from uuid import UUID, uuid4

from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import tenant_context
from audit.models import AuditEvent
from audit.services import Draft, record_many
from directory.models import AppRoleAssignment, PermissionGrant, Person as DirectoryPerson, Risk, ServicePrincipal
from revocation.models import RevocationRequest, RevocationStep
from tests.factories import Person

GRAPH = UUID("00000003-0000-0000-c000-000000000000")
Types = PermissionGrant.ConsentType


def app_named(tenant: Tenant, name: str) -> ServicePrincipal:
    with tenant_context(tenant.pk):
        return ServicePrincipal.objects.get(tenant=tenant, display_name=name)


def fill(tenant: Tenant, person: Person, count: int, app: ServicePrincipal | None = None) -> ServicePrincipal:
    """Add `count` apps that can act for `person`, a removal and a record of each, and `count` others to one app.

    Args:
        app: the one that gets the others; one of the new ones when left out. It is returned.
    """
    now = timezone.now()
    with tenant_context(tenant.pk):
        resource = _app(tenant, "Microsoft Graph")
        apps = [_app(tenant, f"App {uuid4()}", risk=Risk.HIGH, user_consent_count=1) for _ in range(count)]
        others = [_person(tenant, f"Person {uuid4()}", uuid4()) for _ in range(count)]
        wide = app or apps[0]
        me = DirectoryPerson.objects.filter(tenant=tenant, pk=person.object_id).first()
        me = me or _person(tenant, person.user.display_name, person.object_id)
        for one in apps:
            _grant(one, resource, me)
            _grant(one, resource, None)
        for other in others:
            _grant(wide, resource, other)
            for kind, principal in (("User", other.pk), ("Group", uuid4())):
                AppRoleAssignment.objects.create(
                    tenant=tenant,
                    graph_id=str(uuid4()),
                    resource=wide,
                    principal_id=principal,
                    principal_type=kind,
                    principal_name=f"Assigned {uuid4()}",
                    app_role_id=UUID(int=0),
                    synced_at=now,
                )
        for one in apps:
            _app(tenant, f"Deleted {uuid4()}", deleted_at=now)
            _removal(tenant, person, one, resource)
        entry = {"event": AuditEvent.SIGNED_IN, "tenant_id": tenant.pk, "actor": _Somebody(person)}
        record_many([Draft(**entry) for _ in range(count)])
    return wide


class _Somebody:
    def __init__(self, person: Person) -> None:
        self.id, self.label = str(person.object_id), person.user.display_name


def _app(tenant: Tenant, name: str, **facts) -> ServicePrincipal:
    defaults = {"id": uuid4(), "app_id": uuid4(), "synced_at": timezone.now()}
    return ServicePrincipal.objects.create(tenant=tenant, display_name=name, **(defaults | facts))


def _person(tenant: Tenant, name: str, object_id: UUID) -> DirectoryPerson:
    return DirectoryPerson.objects.create(
        id=object_id,
        tenant=tenant,
        display_name=name,
        upn=f"{object_id}@{tenant.domain}",
        synced_at=timezone.now(),
        roles_known_at=timezone.now(),
    )


def _grant(app: ServicePrincipal, resource: ServicePrincipal, principal: DirectoryPerson | None) -> None:
    PermissionGrant.objects.create(
        tenant_id=app.tenant_id,
        graph_id=str(uuid4()),
        client=app,
        resource=resource,
        principal=principal,
        consent_type=Types.ONE if principal else Types.ALL,
        scopes=["Mail.Read", "offline_access"],
        synced_at=timezone.now(),
    )


def _removal(tenant: Tenant, person: Person, app: ServicePrincipal, resource: ServicePrincipal) -> None:
    now = timezone.now()
    request = RevocationRequest.objects.create(
        tenant=tenant,
        kind="remove_own_app",
        title=f"Remove {app.display_name}",
        actor_id=str(person.object_id),
        actor_label=person.user.display_name,
        digest="0" * 64,
        step_count=1,
        state=RevocationRequest.State.FINISHED,
        finished_at=now,
    )
    RevocationStep.objects.create(
        tenant=tenant,
        request=request,
        position=0,
        action="delete_grant",
        target_type="grant",
        target_id=str(uuid4()),
        target_label=app.display_name,
        before={"client_id": str(app.pk), "resource_id": str(resource.pk), "scopes": ["Mail.Read"]},
        state=RevocationStep.State.VERIFIED,
        accepted_at=now,
        finished_at=now,
    )
