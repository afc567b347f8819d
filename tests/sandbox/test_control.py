"""The controls: how tests and demonstrations look into the world and make it misbehave."""

import asyncio
import json

import pytest
import requests
from starlette.applications import Starlette

from sandbox import control
from sandbox.catalogue import CONTOSO, CONTOSO_CUSTOMERS, FABRIKAM, PORTAL_APP_ID, PORTAL_PERMISSIONS, WOODGROVE, app_id
from sandbox.control import without_secrets
from tests.sandbox.graph import Graph, refused


class Controls:
    def __init__(self, url):
        self.url = f"{url}/_sandbox/"

    def send(self, method, path, **options):
        with requests.Session() as http:
            http.trust_env = False
            return http.request(method, self.url + path, timeout=10, **options)

    def get(self, path):
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path, **body):
        answer = self.send("POST", path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def do(self, what, tenant=CONTOSO, **more):
        return self.post("world", tenant=tenant, do=what, **more)


@pytest.fixture
def controls(served):
    return Controls(served.url)


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


def test_the_world_names_people_and_credentials(controls, served):
    world = controls.get("world")

    contoso = next(one for one in world["tenants"] if one["id"] == CONTOSO)
    megan = next(one for one in contoso["users"] if one["displayName"] == "Megan Bowen")
    portal = next(one for one in world["applications"] if one["client_id"] == PORTAL_APP_ID)
    assert [one["domain"] for one in world["tenants"]] == [
        "contoso.example",
        "fabrikam.example",
        "tailspin.example",
        "woodgrove.example",
        "contosocustomers.onmicrosoft.com",
    ]
    assert megan["upn"] == megan["userPrincipalName"] == "megan@contoso.example"
    assert megan["roles"] == ["Global Administrator"]
    assert portal["secret"] == "sandbox-portal-secret"
    assert "http://127.0.0.1/onboarding/callback/" in portal["redirect_uris"]
    assert sorted(portal["granted"][CONTOSO]["application"]) == sorted(PORTAL_PERMISSIONS)
    assert set(portal["granted"]) == {CONTOSO, FABRIKAM, WOODGROVE, CONTOSO_CUSTOMERS}


def test_requests_are_listed_as_they_came(controls, graph):
    graph.get("users?$top=1")
    graph.patch("oauth2PermissionGrants/x", {"scope": "openid"})

    read, written = controls.get("requests")["requests"]

    assert (read["method"], read["path"], read["query"], read["status"]) == ("GET", "/v1.0/users", "$top=1", 200)
    assert (read["tenant"], read["app"], read["in_batch"]) == (CONTOSO, PORTAL_APP_ID, False)
    assert (written["status"], written["body"]) == (400, {"scope": "openid"})
    assert read["time"] < written["time"]
    assert controls.get("requests?last=1")["requests"] == [written]


def test_secrets_are_left_out_of_what_is_listed():
    body = {
        "client_secret": "s",
        "refresh_token": "r",
        "client_assertion": "a",
        "scope": "x",
        "in": [{"password": "p"}],
    }

    shown = without_secrets(body)

    assert shown["scope"] == "x"
    assert not {"s", "r", "a", "p"} & set(json.dumps(shown).replace('"', " ").split())


def test_faults_are_set_shown_and_cleared(controls, graph):
    controls.post("faults", rules=[{"path": "/users$", "status": 503, "count": 1}])

    refused(graph.send("GET", "users"), 503, "serviceNotAvailable")
    assert [(rule["status"], rule["struck"]) for rule in controls.get("faults")["rules"]] == [(503, 1)]
    assert controls.post("faults", rules=[])["rules"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"rules": [{"pathh": "x"}]}),
        ("faults", {"rules": [{"mode": "sometimes"}]}),
        ("clock", {"forward": 3}),
        ("clock", {"set": "2026-08-22T12:00:00"}),
        ("lag", {"minutes": 3}),
        ("latency", {"ms": "much"}),
        ("quota", {"writes": 3}),
        ("world", {"tenant": CONTOSO, "do": "explode"}),
        ("world", {"tenant": "nobody.example", "do": "delete_user", "user": "x"}),
        ("world", {"tenant": CONTOSO, "do": "delete_user", "user": "nobody@contoso.example"}),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(controls, path, body):
    answer = controls.send("POST", path, json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_clock_moves(controls, served):
    before = served.world.clock.now()

    controls.post("clock", advance=3600)
    assert 3599 < (served.world.clock.now() - before).total_seconds() < 3660
    controls.post("clock", set="2031-01-01T00:00:00Z")
    assert served.world.clock.now().year == 2031
    controls.post("clock", reset=True)

    assert (served.world.clock.now() - before).total_seconds() < 60


def test_lag_latency_and_quota_are_set(controls, served):
    controls.post("lag", seconds=7, incomplete_grants=True, consent_seconds=9)
    controls.post("latency", ms=3)
    controls.post("quota", writes_per_app_and_tenant={"amount": 5, "seconds": 10}, count_reads=True, reading="bucket")

    world = served.world
    assert (world.lag_seconds, world.incomplete_grants, world.latency_ms) == (7, True, 3)
    assert {tenant.consent_lag_seconds for tenant in world.tenants.values()} == {world.consent_lag_seconds} == {9}
    assert world.quota.writes_per_app_and_tenant.amount == 5
    assert controls.get("quota")["count_reads"] is True
    assert controls.get("quota")["reading"] == world.quota.reading == "bucket"


def test_a_reset_needs_no_body(controls, graph):
    graph.post("users/adele@contoso.example/revokeSignInSessions")
    graph.tenant.delete_user(graph.user("adele").id)

    assert controls.send("POST", "reset").status_code == 200

    assert controls.get("requests")["requests"] == []
    assert Graph.as_portal(graph).get("users/adele@contoso.example")
    # Tokens from before work on, as they would after a restart of anything at Microsoft's.
    assert graph.get("users/adele@contoso.example")


def test_people_are_changed_behind_everybodys_back(controls, graph):
    adele = graph.user("adele")

    controls.do("disable_user", user="adele@contoso.example")
    assert graph.get(f"users/{adele.id}?$select=accountEnabled")["accountEnabled"] is False
    controls.do("set_roles", user=adele.id, roles=["Helpdesk Administrator"])
    assert graph.tenant.directory_roles_of(adele.id)
    controls.do("delete_user", user=adele.id)
    refused(graph.send("GET", f"users/{adele.id}"), 404, "Request_ResourceNotFound")
    controls.do("restore_user", user=adele.id)

    assert graph.get(f"users/{adele.id}")


def test_apps_are_changed_behind_everybodys_back(controls, graph):
    sidekick = graph.tenant.service_principal_for(app_id("Mail Sidekick")).id
    path = f"servicePrincipals/{sidekick}"

    controls.do("disable_app", app=app_id("Mail Sidekick"))
    assert graph.get(path)["accountEnabled"] is False
    controls.do("delete_app", app=sidekick)
    refused(graph.send("GET", path), 404, "Request_ResourceNotFound")
    controls.do("restore_app", app=sidekick)
    assert graph.get(path)

    controls.do("consent", app=sidekick, user="nestor@contoso.example", scopes=["Mail.Read"])
    assert len(graph.get(f"{path}/oauth2PermissionGrants")["value"]) == 6
    controls.do("withdraw", app=sidekick, user="nestor@contoso.example")
    assert len(graph.get(f"{path}/oauth2PermissionGrants")["value"]) == 5


def test_a_registration_is_changed_by_its_owner(controls, served):
    controls.do("registration", app=PORTAL_APP_ID, multi_tenant=False, group_membership_claims=None)

    portal = served.world.applications[PORTAL_APP_ID]
    assert (portal.multi_tenant, portal.group_membership_claims) == (False, None)
    answer = controls.send("POST", "world", json={"tenant": CONTOSO, "do": "registration", "app": "x", "secrets": []})
    assert answer.status_code == 400


def test_other_machines_get_nothing(served):
    """Asked in process, because the tests only ever come from this machine."""
    app = Starlette(routes=control.routes(served.world))
    sent = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/_sandbox/world",
        "raw_path": b"/_sandbox/world",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("192.0.2.7", 4711),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))

    assert sent[0]["status"] == 403
    assert b"secret" not in sent[1]["body"]
