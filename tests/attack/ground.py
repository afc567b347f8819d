"""What the attacks stand on: a running demo with its processes, people with browsers, and a hand in its database."""

import base64
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urljoin
from uuid import UUID, uuid4

import psycopg
import requests

from tests.accounts.browser import _Ways, forms
from tests.sandbox_client import CONTOSO, FABRIKAM, Sandbox

PROJECT = Path(__file__).resolve().parents[2]
READY_WITHIN = 240  # seconds, on a machine that others use
SEARCHED = 6  # redirects and pages of Microsoft's on the way
PEOPLE = {
    "user": "adele@contoso.example",
    "helpdesk": "henrietta@contoso.example",
    "auditor": "nestor@contoso.example",
    "tenant_admin": "megan@contoso.example",
    "second_admin": "isaiah@contoso.example",
    "foreigner": "robin@fabrikam.example",
}


@dataclass(frozen=True)
class Tried:
    """One attack: what was tried, and whether the portal held."""

    what: str
    held: bool
    seen: str = ""


@dataclass
class Ground:
    """A running portal, its pretend Microsoft, and the database as the portal's own role sees it."""

    portal: str
    sandbox: Sandbox
    database: str

    def visitor(self, who: str = "", **options) -> "Visitor":
        """Somebody with a browser of their own: signed in as `who`, or a stranger."""
        visitor = Visitor(self.portal, self.sandbox.url, **options)
        if who:
            visitor.sign_in(PEOPLE[who])
        return visitor

    @contextmanager
    def hand(self, tenant: str = "") -> Iterator[psycopg.Connection]:
        """The database by hand, with the password that the portal has; `tenant` is the scope."""
        with psycopg.connect(self.database.replace("postgres://", "postgresql://", 1), autocommit=True) as connection:
            if tenant:
                connection.execute("SELECT set_config('consentry.tenant', %s, false)", [tenant])
            yield connection

    def ids(self, tenant: str = CONTOSO) -> SimpleNamespace:
        """Ids of things that there are in a tenant, in the shape that `access_table` takes them from; else made up."""

        def one(query: str):
            row = connection.execute(query).fetchone()
            return Thing(row[0]) if row else Thing()

        with self.hand(tenant) as connection:
            request = one("SELECT id FROM revocation_revocationrequest ORDER BY created_at LIMIT 1")
            found = {
                "app": one("SELECT id FROM directory_serviceprincipal WHERE deleted_at IS NULL ORDER BY id LIMIT 1"),
                "deleted_app": one("SELECT id FROM directory_serviceprincipal WHERE deleted_at IS NOT NULL LIMIT 1"),
                "person": one("SELECT id FROM directory_person ORDER BY id LIMIT 1"),
                # Sessions have no scope of their own: whose they are has.
                "session": one(
                    "SELECT coalesce(max(session.id), 2147483647) FROM usersessions_usersession session"
                    " JOIN accounts_user person ON person.id = session.user_id"
                ),
                "entry": SimpleNamespace(sequence=one("SELECT max(sequence) FROM audit_auditentry").pk),
            }
        return Anything(request=request, **found)


class Thing:
    """Something a URL names: by the id it has, or by one that nobody has."""

    def __init__(self, pk: UUID | int | None = None) -> None:
        self.pk = pk or uuid4()

    def __getattr__(self, name: str) -> UUID:
        return uuid4()


class Anything(SimpleNamespace):
    """Whatever else a URL names."""

    def __getattr__(self, name: str) -> Thing:
        return Thing()


class Visitor:
    """A browser, as HTTP sees it."""

    def __init__(self, portal: str, microsoft: str, user_agent: str = "Mozilla/5.0 Firefox/140.0") -> None:
        self.portal, self.microsoft = portal, microsoft
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["User-Agent"] = user_agent
        self.there = requests.Session()
        self.there.trust_env = False

    # --- the portal ------------------------------------------------------------------------------

    def get(self, path: str, **options) -> requests.Response:
        return self.http.get(self.portal + path, timeout=60, allow_redirects=False, **options)

    def post(self, path: str, data: dict | bytes | None = None, *, csrf: bool = True, **options) -> requests.Response:
        """Send a form, with the token that the portal's own pages hold."""
        headers = {"Origin": self.portal, "Referer": self.portal + path} | options.pop("headers", {})
        if csrf:
            headers["X-CSRFToken"] = self.token()
        return self.http.post(
            self.portal + path, data=data, headers=headers, timeout=90, allow_redirects=False, **options
        )

    def token(self) -> str:
        if "csrftoken" not in self.http.cookies:
            self.get("/onboarding/")
        return self.http.cookies.get("csrftoken", "")

    def send(self, method: str, path: str, form: dict | None = None, **options) -> requests.Response:
        return self.post(path, form or {}, **options) if method == "post" else self.get(path, **options)

    @property
    def signed_in(self) -> bool:
        answer = self.get("/accounts/sessions/")
        return answer.status_code == 200

    # --- Microsoft -------------------------------------------------------------------------------

    def leave(self, next_url: str = "") -> str:
        """Press "sign in"; the address at Microsoft it leads to."""
        page = self.post("/accounts/entra/login/", {"next": next_url} if next_url else {})
        return unescape(_Ways(page.text).by_itself)

    def at_microsoft(self, address: str, upn: str) -> str:
        """Through Microsoft's pages; the address of the portal they lead back to."""
        answer = self.there.get(address, timeout=30, allow_redirects=False)
        for _ in range(SEARCHED):
            if answer.is_redirect:
                address = urljoin(answer.url, answer.headers["Location"])
                if address.startswith(self.portal):
                    return address.removeprefix(self.portal)
                answer = self.there.get(address, timeout=30, allow_redirects=False)
                continue
            found = {form.action: form.fields for form in forms(answer.text)}
            action, more = (
                ("/_signin/consent", {"decision": "accept"})
                if "/_signin/consent" in found
                else ("/_signin/account", {"other": upn})
            )
            answer = self.there.post(
                self.microsoft + action,
                data=found[action] | more,
                headers={"Origin": self.microsoft},
                timeout=30,
                allow_redirects=False,
            )
        raise RuntimeError("Microsoft never sent the browser back")

    def sign_in(self, upn: str) -> requests.Response:
        answer = self.get(self.at_microsoft(self.leave(), upn))
        if not self.signed_in:
            raise RuntimeError(f"{upn} cannot sign in: {answer.status_code}")
        return answer


# --- the demo -----------------------------------------------------------------------------------------


@contextmanager
def demo() -> Iterator[Ground]:
    """`make demo` with a folder and ports of its own, for as long as the attacks take."""
    import socket

    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        port, sandbox_port = one.getsockname()[1], other.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="consentry-attack-", ignore_cleanup_errors=True) as folder:
        var = Path(folder)
        var.chmod(0o711)
        chosen = {"PORT": str(port), "SANDBOX_PORT": str(sandbox_port), "VAR_DIR": folder, "PACE": "none"}
        unwanted = {"DATABASE_URL", "DATABASE_OWNER_URL", "CELERY_BROKER_URL", "SANDBOX_URL"}
        environment = {name: value for name, value in os.environ.items() if name not in unwanted}
        with (var / "output").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "portal.local.demo"],
                cwd=PROJECT,
                env=environment | chosen,
                stdout=output,
                stderr=output,
            )
        try:
            _wait(process, var / "output")
            database = (var / "postgres.url").read_text().strip()
            yield Ground(f"http://127.0.0.1:{port}", Sandbox(f"http://127.0.0.1:{sandbox_port}"), database)
        finally:
            process.terminate()
            process.wait(60)


def _wait(process: subprocess.Popen, output: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while "Ready:" not in output.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the demo did not get ready:\n{output.read_text(errors='replace')[-2000:]}")
        time.sleep(0.2)


def spelled(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode().rstrip("=")


__all__ = ["CONTOSO", "FABRIKAM", "PEOPLE", "Ground", "Tried", "Visitor", "demo", "spelled"]
