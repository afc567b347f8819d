"""Azure CLI, led to the sandbox by a proxy: sign-in as documented, and the directory commands that touch our subject.

https://learn.microsoft.com/cli/azure/authenticate-azure-cli
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.conformance.certificates import make
from tests.conformance.commands import Program
from tests.conformance.proxy import Proxy
from tests.conformance.stage import CONTOSO, PORTAL, SECRET, TAILSPIN, Running

NAME = "azure-cli"
CODE = re.compile(r"enter the code ([A-Z0-9]{9})")
AS_APP = ("login", "--service-principal", "--allow-no-subscriptions", "--username", PORTAL)
GRAPH = "https://graph.microsoft.com/v1.0"


def version(folder: Path) -> str:
    (found,) = folder.glob("lib/python*/site-packages/azure_cli-*.dist-info")
    return found.name.removeprefix("azure_cli-").removesuffix(".dist-info")


def flows(folder: Path, sandbox: Running, proxy: Proxy, home: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    number = 0

    def az(proxied: bool = True) -> Program:
        """Azure CLI that nobody is signed in to: it keeps tokens by its configuration folder."""
        nonlocal number
        number += 1
        own = home / f"az-{number}"
        settings = {
            "AZURE_CONFIG_DIR": str(own),
            "REQUESTS_CA_BUNDLE": sandbox.authority,
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
        }
        return Program([str(folder / "bin" / "az")], own, **settings, **({"HTTPS_PROXY": proxy.url} if proxied else {}))

    def as_app() -> Program:
        found = az()
        found.run(*AS_APP, "--password", SECRET, "--tenant", CONTOSO)
        return found

    def login_as_an_app() -> None:
        account = az().run(*AS_APP, "--password", SECRET, "--tenant", CONTOSO)
        assert account[0]["user"] == {"name": PORTAL, "type": "servicePrincipal"}, account

    def login_with_a_certificate() -> None:
        file, pem = make(home)
        sandbox.control("world", tenant=CONTOSO, do="registration", app=PORTAL, certificates=[pem])
        account = az().run(*AS_APP, "--certificate", file, "--tenant", CONTOSO)
        assert account[0]["tenantId"] == CONTOSO, account

    def wrong_secret() -> None:
        assert "AADSTS7000215" in az().refused(*AS_APP, "--password", "wrong", "--tenant", CONTOSO)

    def no_consent() -> None:
        assert "AADSTS7000229" in az().refused(*AS_APP, "--password", SECRET, "--tenant", TAILSPIN)

    def unknown_tenant() -> None:
        assert "AADSTS90002" in az().refused(*AS_APP, "--password", SECRET, "--tenant", "nobody.example")

    def as_person() -> Program:
        found = az()
        sign_in = lambda code: sandbox.enter_code(code, "Megan Bowen")  # noqa: E731
        found.waiting("login", "--use-device-code", code=CODE, typed=sign_in)
        return found

    def login_as_a_person() -> None:
        (account,) = as_person().run("account", "list")
        assert account["user"] == {"name": "megan@contoso.example", "type": "user"}, account
        assert (account["tenantId"], account["state"]) == (CONTOSO, "Enabled"), account

    def token_for_graph() -> None:
        person = as_person()
        found = person.run("account", "get-access-token", "--resource-type", "ms-graph")
        assert found["tenant"] == CONTOSO, found
        assert person.run("ad", "signed-in-user", "show")["userPrincipalName"] == "megan@contoso.example"

    def signed_out_everywhere() -> None:
        person = as_person()
        sandbox.control("world", tenant=CONTOSO, do="revoke_sessions", user="megan@contoso.example")
        assert "AADSTS50173" in person.refused("account", "get-access-token", "--resource-type", "ms-graph")

    def service_principals() -> None:
        app = as_app()
        (found,) = app.run("ad", "sp", "list", "--display-name", "Mail Sidekick")
        path = ("--id", found["id"])
        app.run("ad", "sp", "update", *path, "--set", "accountEnabled=false")
        assert app.run("ad", "sp", "show", *path)["accountEnabled"] is False
        app.run("ad", "sp", "delete", *path)
        assert "does not exist" in app.refused("ad", "sp", "show", *path)

    def users_and_groups() -> None:
        app = as_app()
        assert len(app.run("ad", "user", "list")) == 12
        assert app.run("ad", "user", "show", "--id", "adele@contoso.example")["displayName"] == "Adele Vance"
        assert "Sales" in {one["displayName"] for one in app.run("ad", "group", "list")}
        assert app.run("ad", "group", "member", "list", "--group", "Sales")

    def grants() -> None:
        app = as_app()
        (found,) = app.run("ad", "sp", "list", "--display-name", "Contoso Travel")
        (grant,) = app.run("ad", "app", "permission", "list-grants", "--id", found["appId"])
        assert grant["consentType"] == "AllPrincipals", grant
        app.run("rest", "--method", "delete", "--url", f"{GRAPH}/oauth2PermissionGrants/{grant['id']}")
        assert app.run("ad", "app", "permission", "list-grants", "--id", found["appId"]) == []

    def sign_out() -> None:
        app = as_app()
        answer = app.run(
            "rest", "--method", "post", "--url", f"{GRAPH}/users/adele@contoso.example/revokeSignInSessions"
        )
        assert answer["value"] is True, answer

    def batch() -> None:
        items = [{"id": "1", "method": "GET", "url": "/users/adele@contoso.example"}]
        items.append({"id": "2", "method": "GET", "url": "/users/nobody@contoso.example"})
        body = json.dumps({"requests": items})
        answer = as_app().run("rest", "--method", "post", "--url", f"{GRAPH}/$batch", "--body", body)
        assert {one["id"]: one["status"] for one in answer["responses"]} == {"1": 200, "2": 404}

    def cloud() -> None:
        here = az(proxied=False)
        here.run("config", "set", "core.instance_discovery=false")
        here.run("cloud", "register", "--name", "Sandbox", "--endpoint-resource-manager", sandbox.tls_url)
        here.run("cloud", "set", "--name", "Sandbox")
        here.run(*AS_APP, "--password", SECRET, "--tenant", CONTOSO)
        assert len(here.run("ad", "user", "list")) == 12

    yield "login as an app with a secret", login_as_an_app
    yield "login as an app with a certificate", login_with_a_certificate
    yield "wrong secret", wrong_secret
    yield "a tenant without consent", no_consent
    yield "an unknown tenant", unknown_tenant
    yield "login as a person with a device code", login_as_a_person
    yield "a token for Graph, and one's own profile", token_for_graph
    yield "signed out everywhere", signed_out_everywhere
    yield "an app found, switched off, deleted", service_principals
    yield "people and groups", users_and_groups
    yield "grants listed and deleted", grants
    yield "a person's sessions revoked", sign_out
    yield "a batch", batch
    yield "a cloud registered by its resource manager", cloud
