"""Who can sign in, where, and whether they still may: accounts, their homes, and the tenants they are guests in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sandbox.identity import errors
from sandbox.identity.authority import CONSUMERS, Authority
from sandbox.identity.errors import Refusal
from sandbox.objects import ROLE_NAMES, Application, User, make_id
from sandbox.world import Tenant, World

PERSONAL_NAME = "Pat Lindqvist"
PERSONAL_UPN = "pat.lindqvist@outlook.example"
PERSONAL_ID = "00000000-0000-0000-" + make_id("personal", PERSONAL_UPN)[19:]
CONSENT_ROLES = {  # may consent for the organisation; the first two to application permissions of Graph as well
    "62e90394-69f5-4237-9190-012177145e10",
    "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "158c047a-c907-4556-b7ef-446551a6b5f7",
}
ALL_CONSENT_ROLES = {"62e90394-69f5-4237-9190-012177145e10", "e8611ab8-c189-46e8-94e1-60213ab1f814"}


@dataclass(frozen=True)
class Account:
    """Somebody as the sign-in page knows them: by their home."""

    home_tenant_id: str
    home_user_id: str
    name: str
    upn: str
    organisation: str
    note: str = ""  # what makes the person interesting: their roles

    @property
    def personal(self) -> bool:
        return self.home_tenant_id == CONSUMERS


PERSONAL = Account(CONSUMERS, PERSONAL_ID, PERSONAL_NAME, PERSONAL_UPN, "Personal account")


def account_of(tenant: Tenant, user: User) -> Account:
    return Account(tenant.id, user.id, user.display_name, user.upn, tenant.name)


def accounts(world: World, limit: int = 60) -> list[Account]:
    """The people one can click: everybody at home in a tenant, and one personal account.

    A large world shows the first of each tenant; everybody else is typed.
    """
    found = []
    for tenant in world.tenants.values():
        at_home = (user for user in tenant.users.values() if not (user.external or user.agent_id or user.customer))
        for user, _ in zip(at_home, range(limit), strict=False):
            found.append(replace(account_of(tenant, user), note=_note(tenant, user)))
    return [*found, PERSONAL]


def _note(tenant: Tenant, user: User) -> str:
    roles = [ROLE_NAMES.get(one, one) for one in tenant.directory_roles_of(user.id)]
    for assignment in tenant.assignments_of(user.id):
        resource = tenant.service_principals.get(assignment.resource_id)
        if resource and (role := resource.app_role(assignment.app_role_id)):
            roles.append(f"{role.name} in {resource.display_name}")
    return ", ".join(roles if user.enabled else [*roles, "disabled"])


def find_account(world: World, text: str) -> Account | None:
    """By sign-in name, by object id, or by the `login_hint` claim of an ID token."""
    text = text.strip().lower()
    if text in (PERSONAL_UPN, PERSONAL_ID):
        return PERSONAL
    if text.startswith("o."):
        return next((one for one in accounts(world, 1_000_000) if login_hint(one).lower() == text), None)
    for tenant in world.tenants.values():
        user = tenant.user(text)
        if user is not None and not (user.external or user.customer):
            return account_of(tenant, user)
    return None


def login_hint(account: Account) -> str:
    """The opaque value of the `login_hint` claim."""
    return "O." + make_id("login-hint", account.home_tenant_id, account.home_user_id).replace("-", "")


def home_user(world: World, home_tenant_id: str, home_user_id: str) -> User | None:
    tenant = world.tenants.get(home_tenant_id)
    return tenant.users.get(home_user_id) if tenant else None


def in_tenant(tenant: Tenant, account_home_tenant: str, account_home_user: str) -> User | None:
    """The person's object in a tenant: themselves at home, their guest object elsewhere."""
    if tenant.id == account_home_tenant:
        return tenant.users.get(account_home_user)
    for user in tenant.users.values():
        if user.home_user_id == account_home_user and user.home_tenant_id == account_home_tenant:
            return user
    return None


def landing(world: World, authority: Authority, account: Account, application: Application) -> tuple[Tenant, User]:
    """Which tenant a sign-in ends in, and who the person is there.

    Raises:
        Refusal: a personal account, a stranger to the tenant, a single-tenant app on a shared path, a disabled person.
    """
    if account.personal:
        raise _personal(authority, account, application)
    tenant = authority.tenant or world.tenants.get(account.home_tenant_id)
    provider = sts(world, account.home_tenant_id)
    if authority.name == "consumers" or tenant is None:
        raise errors.foreign_user(
            account.upn, provider, "Microsoft Services", application.app_id, application.display_name
        )
    require_reach(application, authority)
    user = in_tenant(tenant, account.home_tenant_id, account.home_user_id)
    if user is None:
        raise errors.foreign_user(account.upn, provider, tenant.name, application.app_id, application.display_name)
    require_enabled(world, user, account.home_tenant_id, account.home_user_id, tenant)
    return tenant, user


def _personal(authority: Authority, account: Account, application: Application) -> Refusal:
    if authority.tenant is not None:
        return errors.foreign_user(
            account.upn, "live.com", authority.tenant.name, application.app_id, application.display_name
        )
    if authority.name == "organizations":
        return Refusal(
            500201,
            "You can't sign in here with a personal account. Use your work or school account instead.",
            on_page=True,
        )
    return Refusal(
        90013,
        "The client does not exist or is not enabled for consumers. If you are the application developer, configure a "
        "new application through the App Registrations in the Azure Portal.",
        error="unauthorized_client",
        on_page=True,
    )


def require_reach(application: Application, authority: Authority) -> None:
    """A single-tenant app serves its own tenant, by that tenant's path.

    Raises:
        Refusal: 50194 on a shared path, 700016 in another tenant.
    """
    if application.multi_tenant:
        return
    if authority.tenant is None:
        raise Refusal(
            50194,
            f"Application '{application.app_id}'({application.display_name}) is not configured as a multi-tenant "
            "application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use "
            "a tenant-specific endpoint or configure the application to be multi-tenant.",
            on_page=True,
        )
    if authority.tenant.id != application.home_tenant_id:
        raise errors.no_application(application.app_id, authority.tenant.name)


def require_enabled(world: World, user: User, home_tenant_id: str, home_user_id: str, tenant: Tenant) -> None:
    """Both the person's object here and, for a guest, the one at home must be there and switched on.

    Raises:
        Refusal: 50034 gone at home, 50057 disabled.
    """
    home = home_user(world, home_tenant_id, home_user_id)
    if home is None and home_tenant_id in world.tenants:
        raise errors.no_user(user.upn, world.tenants[home_tenant_id].name)
    if not user.enabled or (home is not None and not home.enabled):
        raise errors.user_disabled()


def valid_from(world: World, user: User, home_tenant_id: str, home_user_id: str) -> datetime:
    """Sign-ins at or before this don't count. A guest's hang on the account at home, as at Entra."""
    home = home_user(world, home_tenant_id, home_user_id)
    return home.valid_from if home is not None else user.valid_from


def sts(world: World, tenant_id: str) -> str:
    """The issuer of tokens of the first version."""
    return f"https://{world.cloud.sts}/{tenant_id}/"
