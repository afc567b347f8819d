"""Woodgrove: a tenant in which nearly everything is an exception that Microsoft's documents know and lists do not show.

Contoso is what a tenant usually is; here are custom and scoped roles, a group that may hold roles with its owner, units
whose members only their own administrators manage, people who are external without being guests and the other way
round, and agents with their accounts.

https://learn.microsoft.com/entra/identity/role-based-access-control/custom-overview
https://learn.microsoft.com/entra/identity/role-based-access-control/admin-units-restricted-management
https://learn.microsoft.com/entra/external-id/user-properties
https://learn.microsoft.com/graph/api/resources/agentidentity
"""

from __future__ import annotations

from datetime import timedelta

from sandbox import agents
from sandbox.catalogue import FABRIKAM, app_id
from sandbox.objects import (
    GRAPH_APP_ID,
    ROLE_IDS,
    AdministrativeUnit,
    Group,
    RoleAssignment,
    RoleDefinition,
    ServicePrincipal,
    User,
    make_id,
)
from sandbox.tenant import Tenant
from sandbox.world import World

# name, job, department, directory role, role in the portal
PEOPLE = [
    ("Wilma Stein", "Head of IT", "IT", "Global Administrator", "Portal.TenantAdmin"),
    ("Oscar Brandt", "Support Engineer", "Help desk", "Helpdesk Administrator", "Portal.Helpdesk"),
    ("Paula Reyes", "Security Engineer", "IT", None, None),  # a custom role
    ("Karl Lindqvist", "Directory Engineer", "IT", None, None),  # in a group that holds a role
    ("Greta Ohm", "Team Lead", "IT", None, None),  # owns that group
    ("Ines Duarte", "Office Manager", "Munich", None, None),  # a role for the Munich unit
    ("Hugo Marsh", "Chair", "Board", None, None),  # in a restricted unit
    ("Bea Cole", "Assistant", "Board", None, None),  # administers that unit
    ("Iris Falk", "Contractor", "Munich", None, None),  # a guest who signs in here
]
MUNICH, BOARD = "Munich", "Board"
KEEPERS = "Tier Zero Operators"
SESSION_KEEPER = make_id("role", "Session Keeper")
BLUEPRINT_APP_ID = app_id(agents.MINUTES)


def fill(world: World, tenant: Tenant) -> None:
    """Give the people of Woodgrove what makes them odd, and add what else is."""
    now = tenant.clock.now()
    person = {user.given_name: user for user in tenant.users.values()}
    person["Iris"].user_type = "Guest"
    _external_member(world, tenant)
    _roles(tenant, {name: user.id for name, user in person.items()})
    _agents(world, tenant, person["Greta"].id, person["Wilma"].id)
    identity = ServicePrincipal(
        id=make_id(tenant.id, "managedIdentity", "backup-vm"),
        app_id=make_id("managedIdentity", "backup-vm"),
        display_name="backup-vm",
        owner_tenant_id=None,
        created=now - timedelta(days=300),
        type="ManagedIdentity",
    )
    tenant.add_service_principal(identity)


def _external_member(world: World, tenant: Tenant) -> None:
    """As between the tenants of one multitenant organisation: external, and yet a member."""
    home = world.tenants[FABRIKAM]
    at_home = home.user("allan@fabrikam.example")
    created = tenant.clock.now() - timedelta(days=120)
    tenant.add_user(
        User(
            id=make_id(tenant.id, "external", at_home.upn),
            display_name=at_home.display_name,
            upn=f"{at_home.upn.replace('@', '_')}#EXT#@{tenant.initial_domain}",
            mail=at_home.upn,
            created=created,
            valid_from=created,
            home_tenant_id=home.id,
            home_user_id=at_home.id,
            last_sign_in=tenant.clock.now() - timedelta(days=2),
        )
    )


def _roles(tenant: Tenant, person: dict[str, str]) -> None:
    for name, members, restricted in (
        (MUNICH, (person["Ines"], person["Iris"]), False),
        (BOARD, (person["Hugo"],), True),
    ):
        unit_id = make_id(tenant.id, "unit", name)
        tenant.administrative_units[unit_id] = AdministrativeUnit(
            unit_id, name, members=list(members), restricted=restricted
        )
    tenant.custom_roles[SESSION_KEEPER] = RoleDefinition(
        SESSION_KEEPER,
        "Session Keeper",
        built_in=False,
        actions=("microsoft.directory/users/invalidateAllRefreshTokens",),
    )
    tenant.add_group(
        Group(
            id=make_id(tenant.id, "group", KEEPERS),
            display_name=KEEPERS,
            created=tenant.clock.now() - timedelta(days=600),
            description="Holds a directory role",
            members=[person["Karl"]],
            owners=[person["Greta"]],
            role_assignable=True,
            role_template_ids=[ROLE_IDS["Privileged Role Administrator"]],
        )
    )
    backup = tenant.service_principal_for(app_id("Proseware Backup"))
    for holder, role, scope in (
        (person["Paula"], SESSION_KEEPER, "/"),
        (person["Ines"], ROLE_IDS["User Administrator"], f"/administrativeUnits/{make_id(tenant.id, 'unit', MUNICH)}"),
        (person["Bea"], ROLE_IDS["User Administrator"], f"/administrativeUnits/{make_id(tenant.id, 'unit', BOARD)}"),
        (backup.id, ROLE_IDS["Directory Readers"], "/"),
    ):
        new_id = make_id(tenant.id, "roleAssignment", holder, role, scope)
        tenant.other_role_assignments[new_id] = RoleAssignment(new_id, holder, role, scope)


def _agents(world: World, tenant: Tenant, user_id: str, wilma_id: str) -> None:
    """A vendor's blueprint, two agents made from it (one without a client id and a sponsor), and an agent's account.

    One of the permissions that its principal was granted is one that no agent can have, inherited or not.
    """
    now, graph = tenant.clock.now(), tenant.service_principal_for(GRAPH_APP_ID)
    made_from = tenant.instantiate(world.applications[BLUEPRINT_APP_ID])
    made_from.created, made_from.owners = now - timedelta(days=70), [wilma_id]
    made_from.sponsors = [wilma_id]
    tenant.add_scopes(made_from.id, graph.id, None, ["User.Read", "Mail.Read", "Directory.ReadWrite.All"])
    tenant.assign(made_from.id, "ServicePrincipal", graph.id, graph.app_role("User.Read.All").id)
    for place, named, sponsors in (("Berlin", True, [user_id]), ("Oslo", False, [])):
        agent = agents.add_agent(
            tenant,
            made_from,
            f"Minutes Helper ({place})",
            created=now - timedelta(days=30),
            object_id=make_id(tenant.id, "agent", place),
            shows_app_id=named,
            sponsors=sponsors,
            owners=[wilma_id],
        )
        tenant.add_scopes(agent.id, graph.id, user_id, ["User.Read", "Calendars.Read", "offline_access"])
        if named:
            agents.add_account(tenant, agent, f"minutes@{tenant.domain}", "Minutes Helper")
