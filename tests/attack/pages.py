"""Every URL by everybody whom it is not for: strangers, roles, another tenant, forms of other sites; and odd input."""

from collections.abc import Iterator
from urllib.parse import urljoin
from uuid import UUID, uuid4

from django.urls import reverse

from tests.access_table import CLOSED, IN_WORKSPACE, NAMES_A_THING, TABLE
from tests.attack.ground import CONTOSO, FABRIKAM, Ground, Tried

SHUT = {403, 404}
COUNTED = {"audit:entry", "consent:not-me"}  # named by numbers that each tenant counts by itself
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE accounts_user; --",
    "' OR '1'='1",
    "%00",
    "\x00",
    "../../etc/passwd",
    "{{7*7}}",
    "${7*7}",
    "%s%s%n",
    "-1",
    "99999999999999999999",
    "1e309",
    "NaN",
    "\u202egnp.exe",
    "\U0001f600" * 50,
    "a" * 5000,
    "=cmd|' /C calc'!A0",
    "javascript:alert(1)",
    "٣",
]
NEXT = [
    "//evil.example",
    "///evil.example",
    "https://evil.example",
    "http:evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "https:evil.example",
    "//evil.example/%2f..",
    "/%09/evil.example",
    "\t//evil.example",
    "https://127.0.0.1@evil.example",
    "/\n/evil.example",
    "////evil.example/x",
    "http://127.0.0.1:8000.evil.example/",
]


def address(name: str, ids: dict, tenant: str = "contoso") -> str:
    return reverse(name, kwargs=({"tenant": tenant} if name in IN_WORKSPACE else {}) | ids)


def strangers(ground: Ground) -> Iterator[Tried]:
    """Nobody signed in: each URL that is not public leads to the door."""
    stranger, ids = ground.visitor(), ground.ids()
    for name in CLOSED:
        answer = stranger.send(TABLE[name].method, address(name, TABLE[name].ids(ids)), TABLE[name].form)
        held = answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/sign-in/")
        yield Tried(f"a stranger opens {name}", held, f"{answer.status_code}")


def roles(ground: Ground) -> Iterator[Tried]:
    """Each URL by each role it is not for."""
    ids = ground.ids()
    for role in ("user", "helpdesk", "auditor"):
        visitor = ground.visitor(role)
        for name in CLOSED:
            if role in TABLE[name].roles:
                continue
            answer = visitor.send(TABLE[name].method, address(name, TABLE[name].ids(ids)), TABLE[name].form)
            yield Tried(f"{role} opens {name}", answer.status_code in SHUT, f"{answer.status_code}")


def tenants(ground: Ground) -> Iterator[Tried]:
    """Another tenant's admin: the workspace is absent, and its things are so in their own."""
    ground.visitor("user")  # so that there is a session of theirs to end
    foreigner, theirs = ground.visitor("foreigner"), ground.ids(CONTOSO)
    for name in IN_WORKSPACE:
        answer = foreigner.send(TABLE[name].method, address(name, TABLE[name].ids(theirs)), TABLE[name].form)
        yield Tried(f"another tenant's admin opens {name}", answer.status_code == 404, f"{answer.status_code}")
    with ground.hand(FABRIKAM) as connection:
        (reached,) = connection.execute("SELECT max(sequence) FROM audit_auditentry").fetchone()
    for name in NAMES_A_THING:
        if name in COUNTED and theirs.entry.sequence <= reached:
            continue  # the number is one of their own entries as well; `test_access` tries one that is not
        answer = foreigner.send(
            TABLE[name].method, address(name, TABLE[name].ids(theirs), "fabrikam"), TABLE[name].form
        )
        yield Tried(f"{name} of another tenant under one's own", answer.status_code == 404, f"{answer.status_code}")


def other_sites(ground: Ground) -> Iterator[Tried]:
    """Forms that another site sends: without the token, with another's, with a wrong origin."""
    megan, adele, ids = ground.visitor("tenant_admin"), ground.visitor("user"), ground.ids()
    foreign = {"Origin": "https://evil.example", "Referer": "https://evil.example/"}
    for name in CLOSED:
        if TABLE[name].method != "post" and "POST" not in megan.http.options(
            megan.portal + address(name, TABLE[name].ids(ids)), timeout=60
        ).headers.get("Allow", "POST"):
            continue
        answer = megan.post(address(name, TABLE[name].ids(ids)), {}, csrf=False)
        yield Tried(f"a form without a token at {name}", answer.status_code == 403, f"{answer.status_code}")
    for what, options in (
        ("another's token", {"headers": {"X-CSRFToken": adele.token()}, "csrf": False}),
        ("another site's origin", {"headers": foreign}),
        ("no origin but a foreign referrer", {"headers": {"Origin": "null", "Referer": "https://evil.example/"}}),
    ):
        answer = megan.post("/accounts/sign-out/", {}, **options)
        yield Tried(f"signed out by {what}", answer.status_code == 403 and megan.signed_in, f"{answer.status_code}")


def odd_input(ground: Ground) -> Iterator[Tried]:
    """Hostile values wherever a page takes one: no fault of the server, and nothing comes back as markup."""
    megan, henrietta = ground.visitor("tenant_admin"), ground.visitor("helpdesk")
    asked = [
        (megan, "/t/contoso/apps/", "q"),
        (megan, "/t/contoso/apps/", "after"),
        (megan, "/t/contoso/audit/", "actor"),
        (megan, "/t/contoso/revocations/", "state"),
        (henrietta, "/t/contoso/people/", "q"),
        (henrietta, "/t/contoso/revocations/new/", "source"),
    ]
    for visitor, path, parameter in asked:
        for value in HOSTILE:
            answer = visitor.get(path, params={parameter: value})
            raw = value in answer.text and ("<script" in value or "<img" in value)
            yield Tried(f"{path}?{parameter}={value[:30]!r}", answer.status_code < 500 and not raw, answer.reason)
    for value in ["0", "not-an-id", "%2e%2e", str(uuid4()).upper(), "{" + str(UUID(int=0)) + "}"]:
        answer = megan.get(f"/t/contoso/apps/{value}/")
        yield Tried(f"an app called {value}", answer.status_code in (302, 404), f"{answer.status_code}")


def ways_out(ground: Ground) -> Iterator[Tried]:
    """Addresses that would lead somebody elsewhere, and names of the portal that are none."""
    for value in NEXT:
        visitor = ground.visitor()
        back = visitor.at_microsoft(visitor.leave(next_url=value), "adele@contoso.example")
        to = visitor.get(back).headers.get("Location", "")
        yield Tried(f"sign-in leads to {value!r}", _stays(ground, to), to)
    signed_in = ground.visitor("user")
    for value in NEXT:
        to = signed_in.get("/accounts/step-up/", params={"next": value}).headers.get("Location", "/")
        yield Tried(f"a confirmation leads to {value!r}", _stays(ground, to), to)
    stranger = ground.visitor()
    for host in ("evil.example", "127.0.0.1.evil.example", "[::1]", "localhost:1@evil.example"):
        answer = stranger.get("/accounts/sign-in/", headers={"Host": host})
        yield Tried(f"asked for as {host}", answer.status_code == 400 and host not in answer.text, answer.reason)
    for path in (
        "/static/../portal/settings.py",
        "/static/%2e%2e/manage.py",
        "/static/..%2f.env",
        "/.env",
        "/.git/HEAD",
    ):
        answer = stranger.get(path)
        yield Tried(f"a file at {path}", answer.status_code in (302, 400, 404), f"{answer.status_code}")
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"):
        answer = stranger.get("/metrics", headers={header: "for=192.0.2.1"})
        yield Tried(f"figures through a proxy that sets {header}", answer.status_code != 500, f"{answer.status_code}")


def _stays(ground: Ground, to: str) -> bool:
    """Whether a browser stays with the portal: it drops tabs and line ends, and takes a backslash for a slash."""
    read = to.translate(dict.fromkeys(map(ord, "\t\r\n"))).replace("\\", "/")
    return urljoin(ground.portal, read).startswith(f"{ground.portal}/")


SECTIONS = [strangers, roles, tenants, other_sites, odd_input, ways_out]
