"""Rows of the copy, as a reading of the directory leaves them."""

from uuid import UUID, uuid4

from django.utils import timezone

from accounts.models import Tenant
from directory import words
from directory.models import (
    MICROSOFT_TENANT_IDS,
    AppRoleAssignment,
    PermissionDefinition,
    PermissionGrant,
    Person,
    ServicePrincipal,
)

MICROSOFT = UUID(min(MICROSOFT_TENANT_IDS))
SOMEBODY_ELSE = UUID("99999999-9999-4999-8999-999999999999")


def an_app(tenant: Tenant, name: str, **fields) -> ServicePrincipal:
    defaults = {"app_id": uuid4(), "owner_tenant_id": SOMEBODY_ELSE, "synced_at": timezone.now()}
    app = ServicePrincipal.objects.create(id=uuid4(), tenant=tenant, display_name=name, **(defaults | fields))
    words.save(tenant.pk, words.Kind.APP, [(app.pk, words.of(name, app.publisher_name))])
    return app


def graph_api(tenant: Tenant) -> ServicePrincipal:
    """Microsoft Graph, with the words of two of its permissions."""
    api = an_app(tenant, "Microsoft Graph", owner_tenant_id=MICROSOFT)
    for value, text in (("Mail.Read", "Read your mail"), ("User.Read", "Sign you in and read your profile")):
        PermissionDefinition.objects.create(
            tenant=tenant,
            resource=api,
            kind=PermissionDefinition.Kind.DELEGATED,
            permission_id=uuid4(),
            value=value,
            user_display_name=text,
            admin_display_name=text.replace("your", "users'"),
        )
    return api


def somebody(tenant: Tenant, name: str, **fields) -> Person:
    upn = f"{name.split()[0].lower()}@{tenant.domain}"
    defaults = {"upn": upn, "mail": upn, "synced_at": timezone.now(), "roles_known_at": timezone.now()}
    person = Person.objects.create(id=uuid4(), tenant=tenant, display_name=name, **(defaults | fields))
    words.save(tenant.pk, words.Kind.PERSON, [(person.pk, words.of(name, person.upn, person.mail))])
    return person


def a_grant(
    client: ServicePrincipal, api: ServicePrincipal, scopes: str, person: Person | None = None, **fields
) -> PermissionGrant:
    """Granted by `person` for themselves; without one, by an administrator for everyone."""
    types = PermissionGrant.ConsentType
    return PermissionGrant.objects.create(
        tenant_id=client.tenant_id,
        graph_id=fields.pop("graph_id", uuid4().hex),
        client=client,
        resource=api,
        principal_id=fields.pop("principal_id", person.pk if person else None),
        consent_type=types.ONE if person or fields.pop("one", False) else types.ALL,
        scopes=scopes.split(),
        synced_at=timezone.now(),
        **fields,
    )


def an_assignment(
    app: ServicePrincipal, name: str, kind: str = "User", *, principal_id: UUID | None = None, role: UUID | None = None
) -> AppRoleAssignment:
    return AppRoleAssignment.objects.create(
        tenant_id=app.tenant_id,
        graph_id=uuid4().hex,
        resource=app,
        principal_id=principal_id or uuid4(),
        principal_type=kind,
        principal_name=name,
        app_role_id=role or UUID(int=0),
        synced_at=timezone.now(),
    )
