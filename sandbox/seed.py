"""How the world begins: five tenants, the cast, their apps and what they allowed. The same in every run.

`--profile large` or numbers of their own fill Contoso with people, apps and grants on top of the cast.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from sandbox import agents, catalogue, crowd, odd_cases
from sandbox.b2c import catalogue as b2c, filling
from sandbox.catalogue import (
    AGENT_PERMISSIONS,
    CONTOSO,
    CONTOSO_CUSTOMERS,
    FABRIKAM,
    PORTAL_APP_ID,
    PORTAL_PERMISSIONS,
    TAILSPIN,
    WOODGROVE,
)
from sandbox.objects import (
    GRAPH_APP_ID,
    MICROSOFT_TENANT,
    ROLE_IDS,
    Group,
    ServicePrincipal,
    User,
    make_id,
)
from sandbox.tenant import Tenant
from sandbox.world import World

# "demo" is the cast with its AI agents.
PROFILES: dict[str, dict[str, int]] = {
    "contoso": {},
    "demo": {},
    "large": {"users": 100_000, "apps": 20_000, "grants": 300_000},
}

# name, job, department, directory role, role in the portal
CONTOSO_PEOPLE = [
    ("Adele Vance", "Retail Manager", "Retail", None, None),
    ("Megan Bowen", "Marketing Manager", "Marketing", "Global Administrator", "Portal.TenantAdmin"),
    ("Isaiah Langer", "Sales Representative", "Sales", "Application Administrator", "Portal.TenantAdmin"),
    ("Henrietta Mueller", "Support Engineer", "Help desk", None, "Portal.Helpdesk"),
    ("Nestor Wilke", "Director", "Operations", None, "Portal.Auditor"),
    ("Miriam Graham", "Director", "Marketing", "Global Reader", None),
    ("Johanna Lorenz", "Senior Engineer", "Engineering", None, None),
    ("Pradeep Gupta", "Accountant", "Finance", None, None),
    ("Diego Siciliani", "HR Manager", "HR", None, None),
    ("Alex Wilber", "Marketing Assistant", "Marketing", None, None),
    ("Lee Gu", "Director", "Manufacturing", None, None),
]
FABRIKAM_PEOPLE = [
    ("Robin Counts", "IT Manager", "IT", "Global Administrator", "Portal.TenantAdmin"),
    ("Lynne Robbins", "Planner", "Sales", None, None),
    ("Allan Deyoung", "IT Admin", "IT", None, None),
]
TAILSPIN_PEOPLE = [("Tara Nowak", "Head of IT", "IT", "Global Administrator", None)]

# app, first names of the people who consented for themselves
CONSENTS = [
    ("Mail Sidekick", "Adele Johanna Pradeep Diego Alex"),
    ("Trey Research Scheduler", "Adele Megan Isaiah Miriam Johanna"),
    ("Northwind Expenses", "Adele Pradeep Nestor Diego"),
    ("Wingtip Notes", "Adele Alex Henrietta"),
    ("Micros0ft Office Viewer", "Adele Pradeep"),
    ("Litware Timesheets", "Adele Lee"),
    ("Relecloud Forms", "Miriam Diego"),
    ("Fourth Coffee Loyalty", "Adele Alex"),
    ("Tailwind Helpdesk Bot", "Henrietta"),
]
# days since an app first appeared, days since it was last used (None: never)
AGES = {
    "Mail Sidekick": (3, 0.02),
    "Trey Research Scheduler": (410, 0.3),
    "Northwind Expenses": (790, 240),
    "Contoso Travel": (1200, 0.1),
    "Wingtip Notes": (95, 2),
    "Micros0ft Office Viewer": (1, 0.5),
    "Proseware Backup": (600, 0.4),
    "Litware Timesheets": (1100, 420),
    "Relecloud Forms": (500, 60),
    "Fourth Coffee Loyalty": (300, 45),
    "Adatum Sign-in Monitor": (200, None),
    "Tailwind Helpdesk Bot": (30, 1),
}


def world(
    profile: str = "contoso",
    *,
    users: int | None = None,
    apps: int | None = None,
    grants: int | None = None,
    latency_ms: float = 0,
    time_scale: float = 1.0,
    quota: str = "window",
    lag_seconds: float = 0,
    consent_lag_seconds: float = 0,
    cloud: str = "global",
) -> World:
    """The world of a profile. `users`, `apps` and `grants` say how many to add to the cast's own.

    Raises:
        ValueError: there is no such profile.
    """
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, not {profile!r}")
    given = {"users": users, "apps": apps, "grants": grants}
    more = {name: PROFILES[profile].get(name, 0) if number is None else number for name, number in given.items()}
    return World(
        partial(_fill, more=more, with_agents=profile == "demo"),
        latency_ms=latency_ms,
        time_scale=time_scale,
        quota=quota,
        lag_seconds=lag_seconds,
        consent_lag_seconds=consent_lag_seconds,
        cloud=cloud,
    )


def _fill(world: World, more: dict[str, int], with_agents: bool) -> None:
    for application in [*catalogue.applications(), *agents.blueprints()]:
        world.add_application(application)
    contoso = _tenant(world, CONTOSO, "Contoso", "contoso.example", CONTOSO_PEOPLE)
    fabrikam = _tenant(world, FABRIKAM, "Fabrikam", "fabrikam.example", FABRIKAM_PEOPLE)
    _tenant(world, TAILSPIN, "Tailspin Toys", "tailspin.example", TAILSPIN_PEOPLE)

    woodgrove = _tenant(world, WOODGROVE, "Woodgrove", "woodgrove.example", odd_cases.PEOPLE)

    customers = _tenant(world, CONTOSO_CUSTOMERS, "Contoso Customers", b2c.DOMAIN, b2c.STAFF)
    filling.fill(world, customers)

    _guest(contoso, fabrikam, "lynne@fabrikam.example")
    contoso.disable_user(_person(contoso, "Lee").id)
    _connect_portal(world, contoso, CONTOSO_PEOPLE)
    _connect_portal(world, fabrikam, FABRIKAM_PEOPLE)
    # Woodgrove's consent is older than the permissions for agents.
    _connect_portal(world, woodgrove, odd_cases.PEOPLE, without=AGENT_PERMISSIONS)
    _connect_portal(world, customers, b2c.STAFF, without=AGENT_PERMISSIONS, more=b2c.POLICY_PERMISSIONS)
    for name in ("Northwind Expenses", "Proseware Backup"):
        _install(world, woodgrove, name)
    odd_cases.fill(world, woodgrove)
    _groups(contoso)
    contoso.consent_requests[catalogue.app_id("Fourth Coffee Loyalty")] = ("User.Read", "Mail.Read")
    _apps_of_contoso(world, contoso)
    for name, first_name in (("Trey Research Scheduler", "Lynne"), ("Mail Sidekick", "Allan")):
        principal = _install(world, fabrikam, name)
        _consent(
            fabrikam, principal, _person(fabrikam, first_name), world.applications[principal.app_id].wanted().scopes
        )
    if with_agents:
        agents.add_cast(world, contoso)
    crowd.add(world, contoso, **more)


# --- the cast ------------------------------------------------------------------------------------


def _tenant(world: World, tenant_id: str, name: str, domain: str, people: list[tuple]) -> Tenant:
    tenant = world.add_tenant(tenant_id, name, domain)
    now = world.clock.now()
    for number, (display_name, job, department, role, _) in enumerate(people):
        given_name, surname = display_name.split()
        upn = f"{given_name.lower()}@{domain}"
        created = now - timedelta(days=900 - 20 * number)
        tenant.add_user(
            User(
                id=make_id(tenant_id, "user", upn),
                display_name=display_name,
                upn=upn,
                mail=upn,
                created=created,
                valid_from=created,
                job_title=job,
                given_name=given_name,
                surname=surname,
                department=department,
                role_template_ids=[ROLE_IDS[role]] if role else [],
                last_sign_in=now - timedelta(hours=(number + 1) ** 3),  # the last of them weeks ago
            )
        )
    for application in world.applications.values():
        # Clients that need no consent come with the first who signs in to them.
        if application.home_tenant_id == MICROSOFT_TENANT and not application.preauthorized:
            principal = tenant.instantiate(application)
            principal.created, principal.tags = tenant.created, []
    return tenant


def _person(tenant: Tenant, first_name: str) -> User:
    return tenant.user(f"{first_name.lower()}@{tenant.domain}")


def _guest(tenant: Tenant, home: Tenant, upn: str) -> None:
    at_home = home.user(upn)
    created = tenant.clock.now() - timedelta(days=80)
    tenant.add_user(
        User(
            id=make_id(tenant.id, "guest", upn),
            display_name=at_home.display_name,
            upn=f"{upn.replace('@', '_')}#EXT#@{tenant.initial_domain}",
            mail=upn,
            created=created,
            valid_from=created,
            user_type="Guest",
            home_tenant_id=home.id,
            home_user_id=at_home.id,
            last_sign_in=tenant.clock.now() - timedelta(days=4),
        )
    )


def _connect_portal(
    world: World, tenant: Tenant, people: list[tuple], without: Sequence[str] = (), more: Sequence[str] = ()
) -> None:
    """What an admin's consent to the portal leaves behind, and who holds which of its roles."""
    portal = tenant.instantiate(world.applications[PORTAL_APP_ID])
    portal.created = tenant.clock.now() - timedelta(days=60)
    graph = tenant.service_principal_for(GRAPH_APP_ID)
    wanted = world.applications[PORTAL_APP_ID].wanted()
    tenant.add_scopes(portal.id, graph.id, None, wanted.scopes)
    for value in [*(one for one in PORTAL_PERMISSIONS if one not in without), *more]:
        tenant.assign(portal.id, "ServicePrincipal", graph.id, graph.app_role(value).id)
    for display_name, *_, role in people:
        if role:
            user = _person(tenant, display_name.split()[0])
            tenant.assign(user.id, "User", portal.id, portal.app_role(role).id)


def _groups(tenant: Tenant) -> None:
    created = tenant.clock.now() - timedelta(days=700)

    def add(name: str, members: list[str], **more) -> Group:
        return tenant.add_group(
            Group(id=make_id(tenant.id, "group", name), display_name=name, created=created, members=members, **more)
        )

    def people(names: str) -> list[str]:
        return [_person(tenant, name).id for name in names.split()]

    add("All Staff", [user.id for user in tenant.users.values() if not user.guest], description="Everybody at Contoso")
    europe = add("Sales Europe", people("Johanna Pradeep"), description="Sales, Europe")
    add("Sales", [*people("Isaiah Adele"), europe.id], description="Sales, with its regions")
    add("Project Falcon", [*people("Adele Alex"), _guest_id(tenant)], description="With a guest from Fabrikam")
    add(
        "Identity Operations",
        people("Diego"),
        owners=people("Megan"),
        role_assignable=True,
        role_template_ids=[ROLE_IDS["User Administrator"]],
    )


def _guest_id(tenant: Tenant) -> str:
    return next(user.id for user in tenant.users.values() if user.guest)


# --- apps ----------------------------------------------------------------------------------------


def _install(world: World, tenant: Tenant, name: str) -> ServicePrincipal:
    principal = tenant.instantiate(world.applications[catalogue.app_id(name)])
    age, unused = AGES[name]
    principal.created = tenant.clock.now() - timedelta(days=age)
    principal.last_sign_in = None if unused is None else tenant.clock.now() - timedelta(days=unused)
    return principal


def _consent(tenant: Tenant, principal: ServicePrincipal, user: User | None, scopes: list[str]) -> None:
    graph = tenant.service_principal_for(GRAPH_APP_ID)
    tenant.add_scopes(principal.id, graph.id, user.id if user else None, scopes)


def _apps_of_contoso(world: World, contoso: Tenant) -> None:
    for name in AGES:
        application = world.applications[catalogue.app_id(name)]
        principal = _install(world, contoso, name)
        graph = contoso.service_principal_for(GRAPH_APP_ID)
        for value in application.wanted().roles:
            contoso.assign(principal.id, "ServicePrincipal", graph.id, graph.app_role(value).id)
    for name, first_names in CONSENTS:
        application = world.applications[catalogue.app_id(name)]
        principal = contoso.service_principal_for(application.app_id)
        for first_name in first_names.split():
            _consent(contoso, principal, _person(contoso, first_name), application.wanted().scopes)
    travel = world.applications[catalogue.app_id("Contoso Travel")]
    _consent(contoso, contoso.service_principal_for(travel.app_id), None, travel.wanted().scopes)
    northwind = contoso.service_principal_for(catalogue.app_id("Northwind Expenses"))
    for first_name in ("Adele", "Pradeep"):
        contoso.assign(_person(contoso, first_name).id, "User", northwind.id)
    contoso.assign(make_id(contoso.id, "group", "Sales"), "Group", contoso.service_principal_for(travel.app_id).id)
    contoso.update_service_principal(_present(contoso, "Relecloud Forms").id, enabled=False)
    deleted = _present(contoso, "Fourth Coffee Loyalty").id
    contoso.delete_service_principal(deleted)
    contoso.deleted_service_principals[deleted].deleted_at = contoso.clock.now() - timedelta(days=6)


def _present(tenant: Tenant, name: str) -> ServicePrincipal:
    return tenant.service_principal_for(catalogue.app_id(name))
