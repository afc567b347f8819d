"""Rows for tests: tenants as onboarding leaves them, and people as sign-in leaves them."""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from accounts.models import Membership, Tenant, User
from accounts.tenancy import tenant_context
from directory.models import Collection

PERMISSIONS = [
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
    "User.Read.All",
    "User.RevokeSessions.All",
    "User.ReadWrite.All",
]


@dataclass(frozen=True)
class Person:
    """One of the cast: an account of the portal with a membership in their own tenant."""

    user: User
    membership: Membership
    tenant: Tenant

    @property
    def object_id(self) -> UUID:
        return self.user.object_id

    @property
    def upn(self) -> str:
        return self.user.upn


def make_tenant(tenant_id: str | UUID, name: str, domain: str, **fields) -> Tenant:
    now = timezone.now()
    defaults = {
        "slug": name.lower(),
        "state": Tenant.State.ACTIVE,
        "connected_at": now,
        "granted_permissions": PERMISSIONS,
        "permissions_checked_at": now,
    }
    return Tenant.objects.create(id=UUID(str(tenant_id)), name=name, domain=domain, **(defaults | fields))


def with_known_roles(tenant: Tenant) -> Tenant:
    """The tenant, as a whole reading of who holds which directory role leaves it: nobody holds one through a group."""
    with tenant_context(tenant.id):
        Collection.objects.update_or_create(
            tenant=tenant,
            kind=Collection.Kind.ROLES,
            defaults={"complete_at": timezone.now(), "role_groups_known": True},
        )
    return tenant


def make_person(tenant: Tenant, object_id: str | UUID, name: str, *roles: str, upn: str = "") -> Person:
    """Someone who has signed in once. `roles` come on top of the role every person has."""
    oid = UUID(str(object_id))
    with tenant_context(tenant.id):
        user = User.objects.create_user(
            username=f"{tenant.id}.{oid}",
            tenant=tenant,
            object_id=oid,
            display_name=name,
            upn=upn,
            identity_checked_at=timezone.now(),
        )
        membership = Membership.objects.create(tenant=tenant, user=user, roles=sorted({"user", *roles}))
    return Person(user, membership, tenant)
