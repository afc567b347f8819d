"""Much of everything: bodies, lists, clicks, guesses; and names that are more than names."""

import http.client
import time
from collections.abc import Iterator
from urllib.parse import quote, urlsplit
from uuid import uuid4

from tests.attack.ground import CONTOSO, Ground, Tried

SLOW = {
    "quotes and ats": "'@a " * 14000,
    "ats": "@" * 60000,
    "half addresses": "a@" * 30000,
    "dots": "a." * 30000 + "@",
    "quotes": '"' * 60001,
    "open quotes": '"a\n' * 15000,
    "ids that are none": "00000000-" * 7000,
    "separators": ";,\t|" * 15000,
    "blank lines": "\n" * 60000,
    "zero-width": "\u200b" * 20000,
    "one long word": "x" * 60000 + "@contoso.example",
    "headings again": "userPrincipalName;mail\n" * 2600,
}
NAMES = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{ settings.SECRET_KEY }}",
    '=HYPERLINK("http://evil.example")',
    "\u202egnp.exe\u202c",
    "\u200b\u200b\u200b",
    "Robert'); DROP TABLE accounts_user;--",
    "%(who)s %s {0}",
]


RAW = ["<script>alert", "<img src=x"]


def sizes(ground: Ground) -> Iterator[Tried]:
    """Bodies that are announced and never sent: answered at once, or the connection is closed."""
    where = urlsplit(ground.portal)
    for path in (
        "/accounts/entra/login/",
        "/onboarding/",
        "/operator/login/",
        "/refresh/",
        "/t/contoso/revocations/new/",
        "/accounts/sign-out/",
    ):
        for size in (2_000_000, 150_000_000):
            link = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
            began = time.monotonic()
            link.putrequest("POST", path)
            link.putheader("Content-Type", "multipart/form-data; boundary=b")
            link.putheader("Content-Length", str(size))
            link.putheader("Cookie", "csrftoken=" + "a" * 32)
            link.endheaders()
            try:
                status = link.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                status = type(error).__name__
            finally:
                link.close()
            yield Tried(
                f"{size // 1_000_000} MB to {path}", status == 413, f"{status} in {time.monotonic() - began:.1f} s"
            )


def lists(ground: Ground) -> Iterator[Tried]:
    henrietta = ground.visitor("helpdesk")
    for what, text in SLOW.items():
        began = time.monotonic()
        answer = henrietta.post("/t/contoso/revocations/new/", {"source": "paste", "recipe": "sign_out", "text": text})
        took = time.monotonic() - began
        yield Tried(f"a list of {what}", answer.status_code < 500 and took < 15, f"{answer.status_code}, {took:.1f} s")


def clicks(ground: Ground) -> Iterator[Tried]:
    adele = ground.visitor("user")
    answers = [adele.post(f"/apps/{uuid4()}/remove/", {}).status_code for _ in range(14)]
    yield Tried("fourteen removals in a row", answers[-1] == 429, f"{answers}")
    read = len([one for one in ground.sandbox.requests() if "/oauth2PermissionGrants" in one["path"]])
    for _ in range(8):
        adele.post("/refresh/", {})
    more = len([one for one in ground.sandbox.requests() if "/oauth2PermissionGrants" in one["path"]]) - read
    yield Tried("eight refreshes in a row", more <= 4, f"{more} reads")
    with ground.hand() as connection:
        before = connection.execute("SELECT count(*) FROM django_session").fetchone()[0]
        for _ in range(10):
            ground.visitor().leave()
            ground.visitor().post("/onboarding/", {})
        after = connection.execute("SELECT count(*) FROM django_session").fetchone()[0]
    yield Tried("twenty trips begun by strangers", before == after, f"{after - before} sessions")


def guesses(ground: Ground) -> Iterator[Tried]:
    stranger = ground.visitor()
    for name in ("admin", "operator", "root", "consentry", "' OR 1=1 --", "megan@contoso.example"):
        for password in ("admin", "password"):
            form = {"username": name, "password": password, "code": "000000", "next": "/operator/"}
            answer = stranger.post("/operator/login/", form)
            yield Tried(
                f"the operator's door with {name}/{password}", answer.status_code == 200, f"{answer.status_code}"
            )
    yield Tried("the operator's pages after that", stranger.get("/operator/").status_code == 302)


def names(ground: Ground) -> Iterator[Tried]:
    """A person and an app that are called like an attack: pages and downloads show a name, and nothing else."""
    henrietta, megan, adele = (ground.visitor(who) for who in ("helpdesk", "tenant_admin", "user"))
    with ground.hand(CONTOSO) as connection:
        person, called = connection.execute(
            "SELECT id, display_name FROM directory_person WHERE display_name = 'Pradeep Gupta'"
        ).fetchone()
        app, named = connection.execute(
            "SELECT id, display_name FROM directory_serviceprincipal WHERE display_name = 'Mail Sidekick'"
        ).fetchone()
        for name in NAMES:
            connection.execute("UPDATE directory_person SET display_name = %s WHERE id = %s", [name, person])
            connection.execute("UPDATE directory_serviceprincipal SET display_name = %s WHERE id = %s", [name, app])
            for reader, path in (
                (henrietta, f"/t/contoso/people/{person}/"),
                (henrietta, f"/t/contoso/people/{person}/sign-out/"),
                (henrietta, f"/t/contoso/people/?q={quote(name)}"),
                (megan, f"/t/contoso/apps/{app}/"),
                (megan, f"/t/contoso/apps/{app}/delete/"),
                (adele, "/"),
            ):
                answer = reader.get(path)
                held = answer.status_code == 200 and not any(raw in answer.text for raw in RAW)
                yield Tried(f"{path[:32]} of {name[:20]!r}", held, f"{answer.status_code}")
        connection.execute("UPDATE directory_person SET display_name = %s WHERE id = %s", [called, person])
        connection.execute("UPDATE directory_serviceprincipal SET display_name = %s WHERE id = %s", [named, app])


SECTIONS = [sizes, lists, names, clicks, guesses]
