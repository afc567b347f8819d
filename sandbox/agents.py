"""AI agents of the pretend world: their blueprints, how one is made, and the demo's cast of them.

The demo's Contoso has what a tenant meets this year: a vendor's blueprint with agents for three departments, of which
one has lost its sponsor; an agent of its own that works without anybody and has an account; an older agent that is a
plain app by its tags; an AI connector that is a pair of apps, and half a dozen people who allowed it within two days.

https://learn.microsoft.com/graph/api/resources/agentidentityblueprint
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.catalogue import CONTOSO, FABRIKAM, app_id
from sandbox.objects import (
    AGENT,
    GRAPH_APP_ID,
    Application,
    Inheritable,
    RequiredAccess,
    Scope,
    ServicePrincipal,
    User,
    make_id,
)
from sandbox.tenant import Tenant
from sandbox.world import World

MINUTES, RESEARCH, DESK, TRAVEL = "Minutes Helper", "Research Assistant", "Service Desk Agent", "Travel Planner"
# Public client ids: https://support.claude.com/en/articles/12684923
CONNECTOR_CLIENT = ("08ad6f98-a4f8-4635-bb8d-f1a3044760f0", "M365 MCP Client for Claude")
CONNECTOR_SERVER = ("07c030f6-5743-41b7-ba00-0a6e85f37c17", "M365 MCP Server for Claude")
CONNECTOR_SCOPES = (
    "openid profile offline_access User.Read User.ReadBasic.All Mail.Read Calendars.Read Chat.Read Files.Read.All"
    " Sites.Read.All"
)
# Who allowed it, and how many hours ago: most within two days.
WAVE = [("Johanna", 190), ("Adele", 44), ("Pradeep", 41), ("Diego", 40), ("Alex", 27), ("Miriam", 20), ("Nestor", 3)]
EVERYTHING_OF_GRAPH = [Inheritable(GRAPH_APP_ID)]
PER_BLUEPRINT = 50  # agents of one, in a large tenant


@dataclass(frozen=True)
class Consenter:
    """Somebody who consents on Microsoft's own page."""

    object_id: str
    app_only: bool = False
    app_id: str = ""
    name: str = ""


def blueprint(
    name: str, slug: str, publisher: str, home: str, *, inheritable: Iterable[Inheritable] = EVERYTHING_OF_GRAPH
) -> Application:
    """A registration that agents are made from; it holds all their credentials."""
    return Application(
        app_id=app_id(name),
        display_name=name,
        home_tenant_id=home,
        secrets=[f"sandbox-{slug}-secret"],
        redirect_uris=[f"http://{host}/apps/{slug}/callback" for host in ("localhost", "127.0.0.1")],
        any_loopback_port=True,
        reply_urls=[f"https://{slug}.example/signin-oidc"],
        required_access=[RequiredAccess(GRAPH_APP_ID, scopes=["User.Read"])],
        identifier_uris=[f"api://{app_id(name)}"],
        publisher=publisher,
        verified=True,
        slug=slug,
        blueprint=True,
        inheritable=list(inheritable),
    )


def blueprints() -> list[Application]:
    """Vendors' registrations of blueprints, fresh."""
    return [
        blueprint(MINUTES, "minutes-helper", "Fabrikam", FABRIKAM),
        blueprint(RESEARCH, "research-assistant", "Trey Research", make_id("tenant", "Trey Research")),
    ]


def add_agent(
    tenant: Tenant,
    made_from: ServicePrincipal,
    name: str,
    *,
    created: datetime,
    object_id: str = "",
    shows_app_id: bool = True,
    sponsors: Iterable[str] = (),
    owners: Iterable[str] = (),
) -> ServicePrincipal:
    """An agent of this blueprint, in the tenant of its principal. It is named nobody's: only its blueprint is."""
    object_id = object_id or make_id(tenant.id, "agent", name)
    agent = ServicePrincipal(
        id=object_id,
        app_id=object_id if shows_app_id else "",
        display_name=name,
        owner_tenant_id=None,
        created=created,
        type="ServiceIdentity",
        kind=AGENT,
        blueprint_app_id=made_from.app_id,
        sponsors=list(sponsors),
        owners=list(owners),
    )
    return tenant.add_service_principal(agent)


def add_account(tenant: Tenant, agent: ServicePrincipal, upn: str, name: str) -> User:
    """An agent's own user account, which no password opens."""
    return tenant.add_user(
        User(
            id=make_id(tenant.id, "user", upn),
            display_name=name,
            upn=upn,
            mail=None,
            created=agent.created,
            valid_from=agent.created,
            agent_id=agent.id,
        )
    )


# --- the demo's cast -------------------------------------------------------------------------------


def add_cast(world: World, tenant: Tenant) -> None:
    """Contoso's agents and what came with them."""
    _research(world, tenant)
    _desk(world, tenant)
    _older_agent(world, tenant)
    _connector(world, tenant)


def _person(tenant: Tenant, first_name: str) -> str:
    return tenant.user(f"{first_name.lower()}@{tenant.domain}").id


def _research(world: World, tenant: Tenant) -> None:
    """A vendor's: an admin allowed its blueprint to read mail and files, and every agent of it inherits that."""
    now, graph = tenant.clock.now(), tenant.service_principal_for(GRAPH_APP_ID)
    made_from = tenant.instantiate(world.applications[app_id(RESEARCH)])
    made_from.created, made_from.owners = now - timedelta(days=40), [_person(tenant, "Isaiah")]
    made_from.sponsors = [_person(tenant, "Megan")]
    scopes = "User.Read User.ReadBasic.All Mail.Read Files.Read.All offline_access"
    tenant.add_scopes(made_from.id, graph.id, None, scopes.split())
    for place, sponsors in (("Retail", ["Adele"]), ("Sales", ["Isaiah", "Miriam"]), ("Finance", [])):
        agent = add_agent(
            tenant,
            made_from,
            f"{RESEARCH} ({place})",
            created=now - timedelta(days=35),
            sponsors=[_person(tenant, one) for one in sponsors],
        )
        if place == "Retail":  # a person's own consent, part of which the agent inherits all the same
            own = "User.Read Mail.Read Calendars.Read offline_access"
            tenant.add_scopes(agent.id, graph.id, _person(tenant, "Adele"), own.split())


def _desk(world: World, tenant: Tenant) -> None:
    """Contoso's own: it works with nobody signed in, by a permission that its blueprint's principal holds."""
    now, graph = tenant.clock.now(), tenant.service_principal_for(GRAPH_APP_ID)
    made_from = tenant.instantiate(world.add_application(blueprint(DESK, "service-desk", "Contoso", CONTOSO)))
    made_from.created, made_from.owners = now - timedelta(days=120), [_person(tenant, "Megan")]
    made_from.sponsors = [_person(tenant, "Megan")]
    tenant.assign(made_from.id, "ServicePrincipal", graph.id, graph.app_role("User.Read.All").id)
    agent = add_agent(
        tenant,
        made_from,
        f"{DESK} (Helpdesk)",
        created=now - timedelta(days=110),
        sponsors=[_person(tenant, "Henrietta")],
        owners=[_person(tenant, "Megan")],
    )
    add_account(tenant, agent, f"desk-agent@{tenant.domain}", DESK)


def _older_agent(world: World, tenant: Tenant) -> None:
    """Made before agents had identities of their own: a plain app that only its tags give away.

    https://learn.microsoft.com/entra/agent-id/migrate-copilot-studio-agents-to-agent-id
    """
    application = world.add_application(
        Application(
            app_id=app_id(TRAVEL),
            display_name=TRAVEL,
            home_tenant_id=tenant.id,
            required_access=[RequiredAccess(GRAPH_APP_ID, scopes=["User.Read", "Calendars.Read"])],
            publisher=tenant.name,
        )
    )
    principal = tenant.instantiate(application)
    principal.created = tenant.clock.now() - timedelta(days=260)
    principal.tags = [
        "AgentCreatedBy:CopilotStudio",
        "AgenticApp",
        f"power-virtual-agents-{make_id('copilot', TRAVEL)}",
    ]
    graph = tenant.service_principal_for(GRAPH_APP_ID)
    tenant.add_scopes(principal.id, graph.id, _person(tenant, "Diego"), ["User.Read", "Calendars.Read"])


def _connector(world: World, tenant: Tenant) -> None:
    """Two apps, one product: people allow the client to reach the server, and the server to read at Graph."""
    home, publisher = make_id("tenant", "connector"), "Anthropic, PBC"
    server = Application(
        app_id=CONNECTOR_SERVER[0],
        display_name=CONNECTOR_SERVER[1],
        home_tenant_id=home,
        scopes=[Scope(make_id("scope", "connector"), "access_as_user", name="Reach the server as the signed-in user")],
        identifier_uris=[f"api://{CONNECTOR_SERVER[0]}"],
        required_access=[RequiredAccess(GRAPH_APP_ID, scopes=CONNECTOR_SCOPES.split())],
        publisher=publisher,
        verified=True,
    )
    client = Application(
        app_id=CONNECTOR_CLIENT[0],
        display_name=CONNECTOR_CLIENT[1],
        home_tenant_id=home,
        required_access=[RequiredAccess(server.app_id, scopes=["access_as_user"])],
        publisher=publisher,
        verified=True,
    )
    graph, now = tenant.service_principal_for(GRAPH_APP_ID), tenant.clock.now()
    to, came = (tenant.instantiate(world.add_application(one)) for one in (server, client))
    for one in (to, came):
        one.created = now - timedelta(hours=WAVE[0][1])
        one.last_sign_in = now - timedelta(hours=1)
    for first_name, hours in WAVE:
        who = _person(tenant, first_name)
        at = now - timedelta(hours=hours)
        for principal, resource, scopes in ((came, to, "access_as_user"), (to, graph, CONNECTOR_SCOPES)):
            tenant.add_scopes(principal.id, resource.id, who, scopes.split())
            tenant.audit.consented(principal, scopes, Consenter(who), at)


# --- a large tenant --------------------------------------------------------------------------------


def blueprints_for(number: int) -> int:
    """How many blueprints so many agents are made from."""
    return -(-number // PER_BLUEPRINT)


def add_many(world: World, tenant: Tenant, number: int, now: datetime) -> list[str]:
    """So many agents, of blueprints with at most fifty each, the same in every run. Their object ids are returned.

    Every fifth has no sponsor. What agents inherit their blueprints' principals were granted for everybody.
    """
    graph = tenant.service_principal_for(GRAPH_APP_ID)
    people, found = list(tenant.users), list[str]()
    made_from = None
    for at in range(number):
        if at % PER_BLUEPRINT == 0:
            name = f"Assistant {at // PER_BLUEPRINT:03}"
            made_from = tenant.instantiate(
                world.add_application(blueprint(name, "", "Trey Research", make_id("tenant", "Trey Research")))
            )
            made_from.created = now - timedelta(days=200)
            tenant.add_scopes(made_from.id, graph.id, None, ["User.Read", "Mail.Read", "offline_access"])
        sponsors = [people[at % len(people)]] if at % 5 else []
        name, created = f"{made_from.display_name} agent {at:05}", now - timedelta(days=at % 180)
        agent = add_agent(tenant, made_from, name, created=created, sponsors=sponsors)
        found.append(agent.id)
    return found
