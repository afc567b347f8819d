"""The sandbox answers every documented or recorded exchange as Microsoft does: status, headers, error code, shape.

Each fixture is replayed as it stands, its placeholders filled with objects of the sandbox that were set up for it.
"""

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import quote

import pytest

from tenants.live.exchanges import Cleaner, taken_apart
from tenants.live.expected import Fixture, Provenance, fixtures
from tests.sandbox_client import CONTOSO, PORTAL_CLIENT_ID, Sandbox
from tests.wire.judge import Request, judge

KNOWN = fixtures()
PERSON = "Pradeep Gupta"  # holds no role
APP = "Tailwind Helpdesk Bot"
GRAPH = "00000003-0000-0000-c000-000000000000"
NOBODY = "99999999-9999-4999-8999-999999999999"


class Stage:
    """What the placeholders stand for. Each thing is made when the first fixture asks for it."""

    def __init__(self, entra: Sandbox) -> None:
        self.entra = entra
        self.tenant = next(one for one in entra.world()["tenants"] if one["id"] == CONTOSO)
        self.person = next(one for one in self.tenant["users"] if one["displayName"] == PERSON)

    def graph(self, method: str, path: str, body: dict | None = None) -> dict:
        answer = self.entra.graph(method, path, json=body) if body else self.entra.graph(method, path)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    @cached_property
    def sp(self) -> dict:
        return next(one for one in self.entra.all("servicePrincipals") if one["displayName"] == APP)

    @cached_property
    def resource(self) -> str:
        return self.entra.get(f"servicePrincipals(appId='{GRAPH}')")["id"]

    @cached_property
    def grant(self) -> str:
        body = {
            "clientId": self.sp["id"],
            "consentType": "Principal",
            "principalId": self.person["id"],
            "resourceId": self.resource,
            "scope": "openid profile",
        }
        return self.graph("POST", "oauth2PermissionGrants", body)["id"]

    @cached_property
    def assignment(self) -> str:
        body = {
            "principalId": self.person["id"],
            "resourceId": self.sp["id"],
            "appRoleId": f"{0:08d}-0000-0000-0000-{0:012d}",
        }
        return self.graph("POST", f"servicePrincipals/{self.sp['id']}/appRoleAssignedTo", body)["id"]

    @cached_property
    def deleted(self) -> str:
        self.graph("DELETE", f"servicePrincipals/{self.sp['id']}")
        return self.sp["id"]

    @cached_property
    def used_up(self) -> None:
        """One write may be made, and is."""
        limit = {"amount": 1, "seconds": 60}
        self.entra.control("POST", "quota", json={"enabled": True, "writes_per_app_and_tenant": limit})
        self.entra.graph("POST", f"users/{self.person['id']}/revokeSignInSessions", json={}).raise_for_status()

    def token(self, kind: bool | str) -> dict[str, str]:
        """The header with the portal's token, or with one of an app that was given nothing; or none."""
        if not kind:
            return {}
        if kind is True:
            return {"Authorization": f"Bearer {self.entra.token(CONTOSO)}"}
        app = next(one for one in self.entra.world()["applications"] if one["name"] == APP)
        return {"Authorization": f"Bearer {self.entra.token(CONTOSO, app['client_id'], app['secret'])}"}

    def placeholders(self) -> dict[str, Callable[[], str]]:
        return {
            "user": lambda: self.person["id"],
            "upn": lambda: self.person["upn"],
            "app": lambda: self.sp["id"],
            "appId": lambda: self.sp["appId"],
            "resource": lambda: self.resource,
            "resourceAppId": lambda: GRAPH,
            "ourAppId": lambda: PORTAL_CLIENT_ID,
            "ours": lambda: self.entra.get(f"servicePrincipals(appId='{PORTAL_CLIENT_ID}')")["id"],
            "grant": lambda: self.grant,
            "assignment": lambda: self.assignment,
            "deleted": lambda: self.deleted,
            "group": lambda: self.tenant["groups"][0]["id"],
            "role": lambda: f"{0:08d}-0000-0000-0000-{0:012d}",
            "name": lambda: "a",
            "text": lambda: "openid",
        }

    def fill(self, value: Any) -> Any:
        """The same with objects of the sandbox in place of the placeholders."""
        if isinstance(value, str) and "{missing}" in value:
            # Grants and assignments have no GUIDs for ids.
            opaque = value.endswith(("oauth2PermissionGrants/{missing}", "appRoleAssignedTo/{missing}"))
            value = value.replace("{missing}", "x" * 43 if opaque else NOBODY)
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, str) and "{" in value:
            for name, find in self.placeholders().items():
                if f"{{{name}}}" in value:
                    value = value.replace(f"{{{name}}}", find())
        return value


@pytest.fixture
def stage(entra: Sandbox) -> Stage:
    return Stage(entra)


def request_of(fixture: Fixture, stage: Stage) -> tuple[str, str, dict, Any]:
    """Method, URL below the version, headers and body."""
    one = fixture.exchange
    query = "&".join(f"{name}={quote(stage.fill(value), safe='')}" for name, value in one.query.items())
    path = quote(stage.fill(one.path), safe="/()='$@#.-_~").replace("#", "%23")
    return one.method, f"{path}?{query}" if query else path, dict(one.sent_headers), stage.fill(one.sent)


@pytest.mark.parametrize("fixture", KNOWN, ids=[f"{one.name}, known by: {one.provenance}" for one in KNOWN])
def test_the_sandbox_answers_as_microsoft_does(stage, fixture):
    for name in fixture.needs:
        getattr(stage, name)
    method, path, headers, body = request_of(fixture, stage)
    url = f"{stage.entra.url}/{fixture.exchange.version}"
    bearer = stage.token(fixture.token)

    if fixture.exchange.batched:
        item = {"id": "0", "method": method, "url": path}
        item |= (
            {"headers": {key: headers[key] for key in fixture.exchange.sent_headers}}
            if fixture.exchange.sent_headers
            else {}
        )
        item |= {"body": body} if body is not None else {}
        answer = stage.entra.http.post(f"{url}/$batch", json={"requests": [item]}, headers=bearer, timeout=30)
    else:
        answer = stage.entra.http.request(method, f"{url}{path}", headers={**headers, **bearer}, json=body, timeout=30)

    (got,) = taken_apart(Cleaner({}), answer.request, answer)
    assert got.differs_from(fixture.exchange, partial=fixture.partial) == []


@pytest.mark.parametrize("fixture", [one for one in KNOWN if one.exchange.status < 300], ids=lambda one: one.name)
def test_what_is_answered_well_was_asked_well(stage, fixture):
    """The fixtures are held to the same rules as the portal."""
    method, path, headers, body = request_of(fixture, stage)
    sent = Request(
        method,
        f"https://graph.microsoft.com/{fixture.exchange.version}{path}",
        {"authorization": "Bearer x", **{name.lower(): value for name, value in headers.items()}},
        json.dumps(body).encode() if body is not None else b"",
    )

    assert [str(violation) for violation in judge(sent)] == []


def test_every_fixture_says_where_it_comes_from():
    for fixture in KNOWN:
        assert fixture.about, fixture.name
        assert fixture.source, fixture.name
        seen = fixture.provenance == Provenance.TENANT
        assert all(("tenant" in one) if seen else one.startswith("https://") for one in fixture.source), fixture.name
        assert (fixture.provenance == Provenance.REPORTED) == any("/issues/" in one for one in fixture.source)
        if fixture.provenance == Provenance.EXAMPLE:
            assert any("/graph/api/" in one for one in fixture.source), fixture.name
            assert fixture.exchange.status < 300, fixture.name  # the pages' examples show no refusal
        assert fixture.partial or seen, fixture.name  # only what was seen is whole
