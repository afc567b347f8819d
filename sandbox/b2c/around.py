"""What really stands around a journey in the running sandbox: a tenant's directory, and services at their address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from sandbox.b2c.engine.choices import Choices
from sandbox.b2c.engine.rest import TRIES
from sandbox.b2c.engine.running import Call, Reply
from sandbox.b2c.engine.transformations import alternative_id
from sandbox.b2c.engine.values import Unknown, written
from sandbox.b2c.memory import Customers
from sandbox.objects import User
from sandbox.tenant import Tenant

LARGEST = 1024 * 1024
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Around:
    """One person at one tenant's policies. Runs in a thread of its own: services may be slow."""

    def __init__(self, b2c: Customers, tenant: Tenant, person: User | None = None):
        self.b2c, self.tenant, self.person = b2c, tenant, person

    # --- the directory -----------------------------------------------------------------------------

    def find(self, key: str, value: Any) -> Any:
        if isinstance(value, Unknown):
            return None
        text, name = str(value).lower(), key.lower()
        if name in ("objectid", "userprincipalname"):
            found = self.tenant.user(text)
            return found if found and (name == "objectid") == (found.id == text) else None
        wanted = {"signinnames.emailaddress": sign_in_name, "alternativesecurityid": social_id}.get(name)
        if wanted is None:
            return None
        return next((one for one in self.tenant.users.values() if (wanted(one) or "").lower() == text), None)

    def attribute(self, account: User, name: str, choices: Choices) -> Any:
        known = {
            "objectid": account.id,
            "tenantid": self.tenant.id,
            "displayname": account.display_name,
            "givenname": account.given_name,
            "surname": account.surname,
            "userprincipalname": account.upn,
            "accountenabled": account.enabled,
            "jobtitle": account.job_title,
            "mail": account.mail,
            "signinnames.emailaddress": sign_in_name(account),
            "refreshtokensvalidfromdatetime": written(account.refresh_from),
        }
        if name.lower() in known:
            return known[name.lower()]
        kept = {key.lower(): value for key, value in (account.extra or {}).items()}
        return kept.get(name.lower())

    def typed(self, claim: str) -> Any:
        if self.person is None:
            return None
        if claim.lower() in ("signinname", "email", "signinnames.emailaddress"):
            return sign_in_name(self.person)
        if claim.lower() == "issueruserid":
            return _identity(self.person, "federated")
        return Unknown(f"what {self.person.display_name} types for {claim}", present=True)

    def write(self, account: User, values: dict[str, Any]) -> None:
        names = {"displayname": "display_name", "givenname": "given_name", "surname": "surname"}
        changes = {names[name.lower()]: value for name, value in values.items() if name.lower() in names}
        if changes:
            self.tenant.update_user(account.id, **changes)
        if "password" in {name.lower() for name in values}:
            self.tenant.revoke_sessions(account.id)

    # --- services ----------------------------------------------------------------------------------

    def call(self, call: Call) -> Reply:
        reply = self._answer(call)
        self.b2c.calls.append(
            {
                "url": call.url,
                "sent": {name: value for name, value in call.body.items() if not isinstance(value, Unknown)},
                "credential": call.credential[0] if call.credential else None,
                "status": None if reply.silent else reply.status,
            }
        )
        return reply

    def _answer(self, call: Call) -> Reply:
        address = self._address(call.url)
        if address is None:
            return Reply(silent=True)  # no such host: this machine is never left
        body = {name: value for name, value in call.body.items() if not isinstance(value, Unknown)}
        sent = {"json": body} if call.method == "POST" else {"params": body}
        headers, auth = self._credential(call)
        with requests.Session() as http:
            http.trust_env = False
            for _ in range(TRIES):
                try:
                    answer = http.request(
                        call.method,
                        address,
                        headers=headers,
                        auth=auth,
                        timeout=self.b2c.seconds,
                        allow_redirects=False,
                        **sent,
                    )
                except requests.RequestException:
                    continue
                return Reply(answer.status_code, _json(answer))
        return Reply(silent=True)

    def _address(self, url: str) -> str | None:
        """Where a ServiceUrl leads: policies name an https host, which is mapped to a real one on this machine."""
        parts = urlsplit(url)
        if mapped := self.b2c.gates.get(f"{parts.scheme}://{parts.netloc}".lower()):
            real = urlsplit(mapped)
            return urlunsplit((real.scheme, real.netloc, real.path.rstrip("/") + parts.path, parts.query, ""))
        return url if parts.hostname in LOOPBACK else None

    def _credential(self, call: Call) -> tuple[dict[str, str], tuple[str, str] | None]:
        kind, names = call.credential or ("", {})
        secrets = {use: self.tenant.policy_keys.get(name, "") for use, name in names.items()}
        if kind == "basic":
            return {}, (secrets["basicauthenticationusername"], secrets["basicauthenticationpassword"])
        if kind == "bearer":
            return {"Authorization": f"Bearer {secrets.get('bearerauthenticationtoken', '')}"}, None
        return (secrets if kind == "apikeyheader" else {}), None


def sign_in_name(user: User) -> str | None:
    """The address a customer signs in with; None for accounts of another kind."""
    return _identity(user, "emailAddress")


def social_id(user: User) -> str | None:
    for one in (user.extra or {}).get("identities", ()):
        if one["signInType"] == "federated":
            return alternative_id(one["issuerAssignedId"], one["issuer"])
    return None


def _identity(user: User, kind: str) -> str | None:
    found = (user.extra or {}).get("identities", ())
    return next((one["issuerAssignedId"] for one in found if one["signInType"] == kind), None)


def _json(answer: requests.Response) -> Any:
    if len(answer.content) > LARGEST:
        return None
    try:
        return answer.json()
    except ValueError:
        return None
