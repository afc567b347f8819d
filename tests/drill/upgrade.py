"""The release before, its database brought up to this one's schema under it, and this one after it.

The release before is `portal.released.COMMIT`, checked out beside this code. Where the history does not reach so far
back, as in a shallow clone, it is said and not counted.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bed import wait_until
from portal import released
from tests.drill.ground import PROJECT, Drilled, Ground, Visitor, Web

ADMIN, SECOND, USER = "megan@contoso.example", "isaiah@contoso.example", "adele@contoso.example"
LAST = ("/accounts/", "/operator/logout")  # what ends sessions
# Run in the old code: each of its addresses, with what it names spelled as {what}.
ROUTES = """
import re, json, django
from django.urls import URLResolver, get_resolver
django.setup()
def walk(patterns, before):
    for one in patterns:
        route = before + str(one.pattern).removeprefix("^")
        if isinstance(one, URLResolver):
            yield from walk(one.url_patterns, route)
        elif "(" not in route and "static" not in route:
            yield "/" + re.sub(r"<(?:\\w+:)?(\\w+)>", r"{\\1}", route.removesuffix("$").replace("\\\\Z", ""))
print(json.dumps(sorted(set(walk(get_resolver().url_patterns, "")))))
"""
PREPARE = """
import json, django
django.setup()
from uuid import UUID
from django.core.management import call_command
from accounts.access import Actor
from accounts.tenancy import tenant_context
from directory import sync
from directory.models import Person
from revocation import drafting, services
from tenants import connecting
call_command("migrate", interactive=False, verbosity=0)
key = UUID("11111111-1111-4111-8111-111111111111")
tenant = connecting.connect(key, actor=Actor.command_line(key))
sync.sync_tenant(tenant)
with tenant_context(tenant.pk):
    person = Person.objects.filter(upn__startswith="user").order_by("upn").first()
    asked = services.submit(
        tenant=tenant, actor=Actor.command_line(tenant.pk), kind="sign_out", title="Sign out one person",
        steps=list(drafting.sign_out(tenant, person.pk, person.display_name)), interactive=False, run_inline=False,
        needs_approval=True,
    )
print(json.dumps({"request": str(asked.pk), "person": str(person.pk)}))
"""
APP = "SELECT id FROM directory_serviceprincipal WHERE deleted_at IS NULL AND display_name = 'Mail Sidekick'"
STATE = "SELECT state FROM revocation_revocationrequest WHERE id = %s"
UNDER_WAY = "SELECT count(*) FROM revocation_revocationrequest WHERE state = 'running'"


def upgrade() -> Iterator[Drilled]:
    """The old web works on the new schema, and what was under way goes on under the new code."""
    with TemporaryDirectory(prefix="consentry-before-") as folder:
        code = Path(folder) / "code"
        if git("worktree", "add", "--detach", str(code), released.COMMIT).returncode:
            print(f"upgrade    not run: the history does not reach back to {released.COMMIT[:8]}")
            return
        try:
            with Before(code) as ground:
                yield from _upgraded(ground)
        finally:
            git("worktree", "remove", "--force", str(code))


def _upgraded(ground: "Before") -> Iterator[Drilled]:
    options = ("--workers", "1", "--threads", "4", "--no-control-socket")
    old = Web(ground, code=ground.code, options=options).start()
    admin, user = ground.visitor(old, ADMIN), ground.visitor(old, USER)
    ground.manage("migrate", "--verbosity", "0")

    yield _over_every_address(ground, admin)
    yield _does_what_people_do(ground, old, user)

    stays = Visitor("", ground.sandbox.url)
    stays.http.cookies = ground.visitor(old, USER).http.cookies
    old.stop()
    new = Web(ground).start()
    stays.portal = new.address
    status = stays.get("/").status_code
    yield Drilled("who is signed in stays so", status == 200, f"{status}")
    ground.start_workers(1)
    ground.start_beat()
    wait_until(lambda: ground.by_hand(UNDER_WAY)[0][0] == 0, 120)
    waiting = ground.prepared["request"]
    page = ground.visitor(new, SECOND).get(f"/t/contoso/revocations/{waiting}/").status_code
    state = ground.by_hand(STATE, waiting)[0][0]
    yield Drilled("what waits for approval still does", (state, page) == ("awaiting_approval", 200), f"{state}, {page}")
    ground.drill("export_heads")
    said = ground.manage("verify_audit", may_fail=True)
    yield Drilled("verify_audit is green", said.returncode == 0, said.stdout.strip().splitlines()[-1])


def _over_every_address(ground: "Before", admin: Visitor) -> Drilled:
    given = {
        "tenant": "contoso",
        "request_id": ground.prepared["request"],
        "person_id": ground.prepared["person"],
        "app_id": str(ground.by_hand(APP)[0][0]),
        "resource_id": str(ground.by_hand(APP)[0][0]),
        "scope": "Mail.Read",
        "value": "Mail.Read",
    }
    faults, opened = [], 0
    routes = sorted(json.loads(ground.in_old_code(ROUTES)), key=lambda one: one.startswith(LAST))
    for method in ("get", "post"):
        for route in routes:
            kind = "person_id" if "people" in route else "app_id" if "apps" in route else "request_id"
            address = route.format_map(Named(given | {"pk": given[kind]}))
            status = admin.send(method, address).status_code
            opened += status == 200
            faults += [f"{method} {address} {status}"] if status >= 500 else []
    seen = f"{len(routes)} addresses, GET and POST, {opened} pages" + "".join(f"; {fault}" for fault in faults[:6])
    return Drilled("the old web on the new schema: no 5xx over every URL", not faults and opened > 20, seen)


class Named(dict):
    """What an address names and nobody has."""

    def __missing__(self, name: str) -> str:
        return "99999999-9999-4999-8999-999999999999" if name.endswith("_id") or name == "pk" else "1"


def _does_what_people_do(ground: "Before", old: Web, user: Visitor) -> Drilled:
    """In the old code, on the new schema: rows of every kind are written."""
    signed_in = ground.visitor(old, "henrietta@contoso.example")
    seen = {
        "signs in": signed_in.get("/").status_code,
        "signs somebody out": signed_in.post(
            f"/t/contoso/people/{ground.prepared['person']}/sign-out/", {}
        ).status_code,
        "asks for a list": signed_in.post(
            "/t/contoso/revocations/new/",
            {"source": "paste", "recipe": "sign_out", "text": "user000003@contoso.example"},
        ).status_code,
        "signs out everywhere": user.post("/sign-out-everywhere/", {}).status_code,
    }
    kept = ground.by_hand("SELECT count(*) FROM revocation_listdraft")[0][0]
    held = kept == 1 and all(one < 400 for one in seen.values())
    return Drilled("the old web on the new schema: writes rows", held, str(seen))


def git(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True)


class Before(Ground):
    """A ground that the old code prepares, under the role that owned its tables: one did both then."""

    def __init__(self, code: Path) -> None:
        super().__init__(people=40, read=False)
        self.code = code

    def _settings(self) -> dict[str, str]:
        found = super()._settings()
        return found | {"DATABASE_URL": found["DATABASE_OWNER_URL"]}

    def inside(self, *arguments: object) -> None:
        """Instead of connecting by this code."""
        self.prepared = json.loads(self.in_old_code(PREPARE))

    def in_old_code(self, script: str) -> str:
        environment = self.environment | {"PYTHONPATH": str(self.code)}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=self.code, env=environment, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(f"the old code failed:\n{done.stderr[-3000:]}")
        return done.stdout.splitlines()[-1]


SECTIONS = [upgrade]
