"""CLI for Microsoft 365, led to the sandbox by a proxy. It has Microsoft's addresses built in.

https://pnp.github.io/cli-microsoft365/
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.conformance.commands import Program
from tests.conformance.proxy import Proxy
from tests.conformance.stage import CONTOSO, PORTAL, SECRET, Running

NAME = "cli-microsoft365"
PACKAGE = "@pnp/cli-microsoft365"
COMMAND_LINE = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
CODE = re.compile(r"enter the code ([A-Z0-9]{9})")


def flows(folder: Path, sandbox: Running, proxy: Proxy, home: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    number = 0
    program = ["node", str(folder / "node_modules" / "@pnp" / "cli-microsoft365" / "dist" / "index.js")]

    def m365() -> Program:
        """The program with nobody signed in: it keeps connections in its home."""
        nonlocal number
        number += 1
        settings = {"NODE_EXTRA_CA_CERTS": sandbox.authority, "HTTPS_PROXY": proxy.url}
        found = Program(program, home / f"m365-{number}", **settings)
        found.run("cli", "config", "set", "--key", "disableTelemetry", "--value", "true")
        return found

    def login(found: Program, secret: str = SECRET) -> tuple[str, ...]:
        return ("login", "--authType", "secret", "--appId", PORTAL, "--tenant", CONTOSO, "--secret", secret)

    def as_app() -> Program:
        found = m365()
        found.run(*login(found))
        return found

    def login_as_an_app() -> None:
        status = as_app().run("status")
        assert status["connectedAs"] == "Consentry", status

    def wrong_secret() -> None:
        found = m365()
        assert "AADSTS7000215" in found.refused(*login(found, "wrong"))

    def login_as_a_person() -> None:
        found = m365()
        arguments = ("login", "--authType", "deviceCode", "--appId", COMMAND_LINE, "--tenant", CONTOSO)
        found.waiting(*arguments, code=CODE, typed=lambda code: sandbox.enter_code(code, "Megan Bowen"))
        assert found.run("status")["connectedAs"] == "megan@contoso.example"

    def people() -> None:
        found = as_app()
        assert len(found.run("entra", "user", "list")) == 12
        adele = found.run("entra", "user", "get", "--userName", "adele@contoso.example")
        assert adele["displayName"] == "Adele Vance", adele

    def sessions() -> None:
        as_app().run("entra", "user", "session", "revoke", "--userName", "adele@contoso.example", "--force")
        paths = [one["path"] for one in sandbox.requests()]
        assert any(path.endswith("/revokeSignInSessions") for path in paths), paths[-3:]

    def apps() -> None:
        found = as_app()
        app = found.run("entra", "enterpriseapp", "get", "--displayName", "Mail Sidekick")
        grants = found.run("entra", "oauth2grant", "list", "--spObjectId", app["id"])
        found.run(
            "entra",
            "oauth2grant",
            "remove",
            "--grantId",
            grants[0]["objectId" if "objectId" in grants[0] else "id"],
            "--force",
        )
        assert len(found.run("entra", "oauth2grant", "list", "--spObjectId", app["id"])) == len(grants) - 1
        found.run("entra", "enterpriseapp", "remove", "--id", app["appId"], "--force")
        assert "does not exist" in found.refused("entra", "enterpriseapp", "get", "--displayName", "Mail Sidekick")

    def groups() -> None:
        assert "Sales" in {one["displayName"] for one in as_app().run("entra", "group", "list")}

    def any_request() -> None:
        answer = as_app().run("request", "--url", "@graph/organization?$select=displayName")
        assert answer["value"][0]["displayName"] == "Contoso", answer

    def tenant_id() -> None:
        found = as_app().run("tenant", "id", "get", "--domainName", "contoso.example")
        assert str(found).strip().strip('"') == CONTOSO, found

    yield "login as an app with a secret", login_as_an_app
    yield "wrong secret", wrong_secret
    yield "login as a person with a device code", login_as_a_person
    yield "people listed and found", people
    yield "a person's sessions revoked", sessions
    yield "an app, its grants, and both removed", apps
    yield "groups", groups
    yield "any request", any_request
    yield "a tenant's id by its domain", tenant_id
