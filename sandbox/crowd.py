"""Many more people, apps and grants than the cast has, to see how big tenants fare."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sandbox import agents
from sandbox.objects import (
    GRAPH_APP_ID,
    MICROSOFT_TENANT,
    Application,
    Grant,
    Group,
    RequiredAccess,
    User,
    grant_id,
    make_id,
)
from sandbox.tenant import Tenant
from sandbox.world import World

FIRST_NAMES = [
    "Anna",
    "Ben",
    "Chidi",
    "Dana",
    "Emre",
    "Fatima",
    "Goran",
    "Hana",
    "Igor",
    "Jonas",
    "Keiko",
    "Lucia",
    "Mateo",
    "Noor",
    "Olga",
    "Priya",
    "Quinn",
    "Rosa",
]
SURNAMES = [
    "Abara",
    "Berg",
    "Costa",
    "Diaz",
    "Eriksen",
    "Fischer",
    "Gomez",
    "Haas",
    "Ito",
    "Jansen",
    "Khan",
    "Lopez",
    "Moreau",
    "Novak",
    "Okafor",
    "Patel",
]
KINDS = [
    "Notes",
    "Planner",
    "Mailer",
    "Insights",
    "Forms",
    "Boards",
    "Signatures",
    "Reports",
    "Surveys",
    "Calendar",
    "Backup",
    "Vault",
    "Connect",
    "Sync",
]
LARGE = 10_000  # grants
AGENT_IN = 40  # apps, one is an AI agent
SCOPE_SETS = [
    "openid profile User.Read",
    "openid profile email User.Read",
    "openid profile offline_access User.Read Calendars.Read",
    "openid profile offline_access User.Read Files.Read",
    "openid profile offline_access User.Read Mail.Read",
    "openid profile offline_access User.Read Mail.ReadWrite Mail.Send",
    "openid profile offline_access User.Read Files.ReadWrite.All",
]


def add(world: World, tenant: Tenant, *, users: int, apps: int, grants: int) -> None:
    """So many people, apps and grants, the same in every run."""
    chance = random.Random(20260822)
    now = tenant.clock.now()
    graph = tenant.service_principal_for(GRAPH_APP_ID)
    people = [_one_more_user(tenant, number, now) for number in range(users)] or list(tenant.users)
    agents_among = apps // AGENT_IN
    others = apps - agents_among - agents.blueprints_for(agents_among)
    clients = [_one_more_app(world, tenant, number, now) for number in range(others)]
    before = len(tenant.grants)
    clients += agents.add_many(world, tenant, agents_among, now)
    made = len(tenant.grants) - before
    if people and users:
        tenant.add_group(
            Group(
                id=make_id(tenant.id, "group", "Everybody"),
                display_name="Everybody",
                created=now - timedelta(days=400),
                description="The people beside the cast",
                members=people,
            )
        )
    if not grants:
        return
    clients = clients or [
        one.id for one in tenant.service_principals.values() if one.owner_tenant_id != MICROSOFT_TENANT
    ]
    limit = len(people) * len(clients) // 2
    if grants >= LARGE:  # then there is an app that a third of all people let in
        for person in people[: min(len(people) // 3, grants // 12)]:
            tenant.put_grant(
                Grant(grant_id(clients[0], graph.id, person), clients[0], "Principal", person, graph.id, SCOPE_SETS[3])
            )
            made += 1
    while made < min(grants, limit):
        # Squaring makes some apps popular and leaves most with few people, as in real tenants.
        client = clients[int(len(clients) * chance.random() ** 2)]
        person = people[int(len(people) * chance.random())]
        new_id = grant_id(client, graph.id, person)
        if new_id not in tenant.grants:
            scope = SCOPE_SETS[int(len(SCOPE_SETS) * chance.random() ** 2)]
            tenant.put_grant(Grant(new_id, client, "Principal", person, graph.id, scope))
            made += 1


def _one_more_user(tenant: Tenant, number: int, now: datetime) -> str:
    given_name = FIRST_NAMES[number % len(FIRST_NAMES)]
    surname = SURNAMES[number // len(FIRST_NAMES) % len(SURNAMES)]
    upn = f"user{number:06}@{tenant.domain}"
    created = now - timedelta(days=30 + number % 1500)
    user = User(
        id=make_id(tenant.id, "user", upn),
        display_name=f"{given_name} {surname} {number:06}",
        upn=upn,
        mail=upn,
        created=created,
        valid_from=created,
        given_name=given_name,
        surname=surname,
        department="Field",
        last_sign_in=now - timedelta(days=number % 60, hours=1),
    )
    return tenant.add_user(user).id


def _one_more_app(world: World, tenant: Tenant, number: int, now: datetime) -> str:
    maker = SURNAMES[number % len(SURNAMES)]
    name = f"{maker} {KINDS[number // len(SURNAMES) % len(KINDS)]} {number:05}"
    application = Application(
        app_id=make_id("application", "bulk", str(number)),
        display_name=name,
        home_tenant_id=make_id("tenant", maker),
        redirect_uris=[f"https://app{number:05}.example/signin-oidc"],
        required_access=[RequiredAccess(GRAPH_APP_ID, scopes=["openid", "profile", "User.Read"])],
        publisher=f"{maker} Software",
        verified=number % 3 == 0,
        homepage=f"https://app{number:05}.example",
    )
    principal = tenant.instantiate(world.add_application(application))
    principal.created = now - timedelta(days=number % 1200)
    principal.last_sign_in = now - timedelta(days=number % 400)
    return principal.id
