"""Callers of the sandbox's Graph: the portal by itself, or a person through some app."""

import uuid
from typing import Any

import requests

from sandbox.catalogue import CONTOSO, PORTAL_APP_ID
from sandbox.identity import state, tokens
from sandbox.objects import GRAPH_APP_ID, User
from sandbox.world import Tenant, World

EVENTUAL = {"ConsistencyLevel": "eventual"}


class Graph:
    """Somebody with a token. Paths are relative to v1.0 unless they name a version."""

    def __init__(self, served: Any, token: str | None, tenant: Tenant):
        self.world: World = served.world
        self.tenant = tenant
        self.url, self.token = served.url, token

    @classmethod
    def as_portal(cls, served: Any, tenant_id: str = CONTOSO, *, capable: bool = False) -> "Graph":
        """The portal's own identity, with every permission the tenant granted it."""
        return cls.as_app(served, PORTAL_APP_ID, tenant_id, capable=capable)

    @classmethod
    def as_app(cls, served: Any, app_id: str, tenant_id: str = CONTOSO, *, capable: bool = False) -> "Graph":
        world, tenant = served.world, served.world.tenants[tenant_id]
        client, resource = tenant.service_principal_for(app_id), tenant.service_principal_for(GRAPH_APP_ID)
        issued = tokens.access_token_for_app(
            world, tenant, client, world.applications[app_id], resource, capable=capable, credential="1"
        )
        return cls(served, issued.value, tenant)

    @classmethod
    def as_app_with(cls, served: Any, *roles: str, tenant_id: str = CONTOSO) -> "Graph":
        """The portal's identity, with these application permissions and no others."""
        tenant = served.world.tenants[tenant_id]
        portal = tenant.service_principal_for(PORTAL_APP_ID)
        return cls._with(served, tenant, {"idtyp": "app", "oid": portal.id, "roles": list(roles)})

    @classmethod
    def as_person(cls, served: Any, upn: str, *scopes: str, capable: bool = False) -> "Graph":
        """A person through the portal, who consented to `scopes`; their directory roles come with the token."""
        tenant = served.world.tenant(upn.partition("@")[2])
        user = tenant.user(upn)
        claims = {"idtyp": "user", "oid": user.id, "scp": " ".join(scopes), "wids": tenant.directory_roles_of(user.id)}
        return cls._with(served, tenant, claims | ({"xms_cc": ["CP1"]} if capable else {}))

    @classmethod
    def _with(cls, served: Any, tenant: Tenant, own: dict[str, Any]) -> "Graph":
        now = served.world.clock.now()
        claims = tokens.times(now, 3600) | {
            "aud": "https://graph.microsoft.com",
            "tid": tenant.id,
            "appid": PORTAL_APP_ID,
            "aio": tokens.exact(now),
            "uti": str(uuid.uuid4()),
        }
        return cls(served, state.of(served.world).keys.sign(claims | own, v1=True), tenant)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        named = path.lstrip("/").split("/", 1)[0] in ("v1.0", "beta")
        url = f"{self.url}/{'' if named else 'v1.0/'}{path.lstrip('/')}" if not path.startswith("http") else path
        with requests.Session() as http:
            http.trust_env = False
            return http.request(method, url, json=body, headers=headers, timeout=10)

    def get(self, path: str, **headers: str) -> dict:
        answer = self.send("GET", path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def values(self, path: str, name: str, **headers: str) -> list:
        """One property of every item of a list."""
        return [item[name] for item in self.get(path, **headers)["value"]]

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any) -> requests.Response:
        return self.send("PATCH", path, body)

    def delete(self, path: str) -> requests.Response:
        return self.send("DELETE", path)

    def batch(self, *items: dict, version: str = "v1.0") -> dict[str, dict]:
        """The answers by id. Items without an id get their place's number."""
        numbered = [{"id": str(number), **item} for number, item in enumerate(items)]
        answer = self.post(f"{version}/$batch", {"requests": numbered})
        assert answer.status_code == 200, answer.text
        return {item["id"]: item for item in answer.json()["responses"]}

    def user(self, first_name: str) -> User:
        return self.tenant.user(f"{first_name}@{self.tenant.domain}")


def refused(answer: requests.Response | dict, status: int, code: str, words: str = "") -> dict:
    """Assert that it is this refusal, in Graph's envelope; the error itself is returned."""
    body = answer["body"] if isinstance(answer, dict) else answer.json()
    found = answer["status"] if isinstance(answer, dict) else answer.status_code
    assert (found, body["error"]["code"]) == (status, code), body
    assert words in body["error"]["message"]
    assert set(body) == {"error"}
    assert {"date", "request-id", "client-request-id"} <= set(body["error"]["innerError"])
    return body["error"]
