"""`doctor --live`: every kind of call is tried, nothing is left behind, and nobody unfit is tried on."""

import io
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from accounts.tenancy import tenant_context
from audit.models import AuditEntry, AuditEvent
from revocation.models import RevocationRequest
from tenants.live import run
from tenants.live.expected import fixtures
from tests.revocation.processes import PROJECT, environment
from tests.sandbox_client import CONTOSO, PORTAL_CLIENT_ID, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

APP = "Tailwind Helpdesk Bot"  # has one consent, which the fixture withdraws
USER = "pradeep@contoso.example"


@pytest.fixture
def app(entra: Sandbox, contoso) -> dict:
    """A test app: one that nobody uses."""
    found = next(one for one in entra.all("servicePrincipals") if one["displayName"] == APP)
    for grant in entra.all(f"servicePrincipals/{found['id']}/oauth2PermissionGrants"):
        entra.graph("DELETE", f"oauth2PermissionGrants/{grant['id']}").raise_for_status()
    return found


def doctor(*more: str, user: str = USER, app: str) -> str:
    output = io.StringIO()
    named = ["--tenant", CONTOSO, "--user", user, "--app", app]
    try:
        call_command("doctor", "--live", *named, "--yes", *more, stdout=output)
    finally:
        print(output.getvalue())  # a failing test shows what was said
    return output.getvalue()


def asked_for(tenant) -> int:
    with tenant_context(tenant.pk):
        return RevocationRequest.objects.count()


def directory(entra: Sandbox) -> dict:
    """All of the tenant's directory, without when sessions begin to count."""
    return {
        "apps": sorted(entra.all("servicePrincipals"), key=lambda one: one["id"]),
        "deleted": entra.all("directory/deletedItems/microsoft.graph.servicePrincipal"),
        "grants": entra.grants(),
        "people": entra.all("users?$select=id,displayName,userPrincipalName,accountEnabled,userType"),
        "assigned": {
            one["id"]: entra.all(f"servicePrincipals/{one['id']}/appRoleAssignedTo")
            for one in entra.all("servicePrincipals")
        },
    }


def test_it_passes_on_the_sandbox_and_leaves_the_directory_as_it_was(entra, app):
    before = directory(entra)

    said = doctor(app=app["appId"])

    assert directory(entra) == before
    assert "DIFFERS" not in said
    assert " 0 differ, 0 without a fixture." in said


def test_every_kind_of_write_is_tried(entra, app):
    said = doctor(app=app["id"])

    for call in (
        "POST /v1.0/users/{user}/revokeSignInSessions → 200",
        "POST /beta/users/{user}/invalidateAllRefreshTokens → 200",
        "POST /v1.0/oauth2PermissionGrants → 201",
        "PATCH /v1.0/oauth2PermissionGrants/{grant} → 204",
        "DELETE /v1.0/oauth2PermissionGrants/{grant} → 204",
        "PATCH /v1.0/servicePrincipals/{app} → 204",
        "DELETE /v1.0/servicePrincipals/{app} → 204",
        "POST /v1.0/directory/deletedItems/{deleted}/restore → 200",
        "POST /v1.0/servicePrincipals/{app}/appRoleAssignedTo → 201",
        "DELETE /v1.0/servicePrincipals/{app}/appRoleAssignedTo/{assignment} → 204",
    ):
        assert f"same   {call}" in said, call


def test_every_change_is_recorded_before_and_after(entra, app, contoso):
    doctor(app=app["appId"])

    with tenant_context(contoso.pk):
        requests = list(RevocationRequest.objects.all())
        entries = AuditEntry.objects.order_by("sequence")
        events = {one.pk: list(entries.filter(request_id=one.pk).values_list("event", flat=True)) for one in requests}
    assert {request.state for request in requests} == {RevocationRequest.State.FINISHED}
    for request in requests:
        first, *_between, last = events[request.pk]
        assert first == AuditEvent.REVOCATION_REQUESTED
        assert AuditEvent.STEPS_STARTED in events[request.pk]
        assert last == AuditEvent.REVOCATION_FINISHED


def test_what_cannot_be_recorded_is_not_changed(entra, app, monkeypatch):
    before = directory(entra)
    monkeypatch.setattr("audit.keys.newest", _no_key)

    with pytest.raises(RuntimeError, match="no key"):
        doctor(app=app["appId"])

    assert directory(entra) == before


def _no_key() -> str:
    raise RuntimeError("no key")


def test_exchanges_are_written_without_anything_of_the_tenant(entra, app, tmp_path):
    doctor("--write", str(tmp_path), app=app["appId"])

    files = list(tmp_path.glob("*.json"))
    text = "".join(path.read_text() for path in files)
    people = next(one["users"] for one in entra.world()["tenants"] if one["id"] == CONTOSO)
    assert len(files) > 30
    for secret in (CONTOSO, app["id"], app["appId"], APP, USER, "contoso", *[one["displayName"] for one in people]):
        assert secret.lower() not in text.lower(), secret
    assert "eyJ" not in text  # no token begins otherwise
    assert {one.name for one in fixtures(tmp_path)} == {path.stem for path in files}


def test_what_differs_is_said_and_fails(entra, app):
    entra.faults({"method": "GET", "path": "/organization", "status": 403, "code": "Authorization_RequestDenied"})

    output = io.StringIO()
    named = ["--tenant", CONTOSO, "--user", USER, "--app", app["id"]]

    with pytest.raises(CommandError):
        call_command("doctor", "--live", *named, "--yes", stdout=output)

    assert "answered 403 Authorization_RequestDenied instead of 200" in output.getvalue()


@pytest.mark.parametrize("at", ["_consent", "_assign", "_after_restore"])
def test_interrupted_it_puts_back_what_it_changed(entra, app, monkeypatch, at):
    before = directory(entra)
    _after(monkeypatch, run.LiveCheck, at, KeyboardInterrupt)

    with pytest.raises(KeyboardInterrupt):
        doctor(app=app["appId"])

    assert directory(entra) == before


def stopped_by(how: signal.Signals, entra: Sandbox, app: dict) -> tuple[int, str]:
    """A check in a process of its own that gets this signal when its first change arrives: status, what it said."""
    named = ["--tenant", CONTOSO, "--user", USER, "--app", app["appId"]]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "doctor", "--live", *named, "--yes"],
        cwd=PROJECT,
        env=environment() | {"REVOCATION_LEASE_SECONDS": "3"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for_a_write(entra, process)
        process.send_signal(how)
        said, _ = process.communicate(timeout=100)
    finally:
        process.kill()
    return process.returncode, said


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_process_told_to_stop_puts_back_what_it_changed(entra, app, how):
    before = directory(entra)

    status, said = stopped_by(how, entra, app)

    assert status == 1
    assert "Stopped before the end." in said
    assert directory(entra) == before


def test_a_killed_one_leaves_a_record_by_which_the_next_puts_back(entra, app):
    before = directory(entra)
    assert stopped_by(signal.SIGKILL, entra, app)[0] == -signal.SIGKILL
    assert directory(entra) != before

    said = doctor(app=app["appId"])

    assert "An earlier check was cut off" in said
    assert directory(entra) == before


def _wait_for_a_write(entra: Sandbox, process: subprocess.Popen) -> None:
    while process.poll() is None:
        if any(one["in_batch"] and one["method"] == "POST" for one in entra.requests()):
            return
        time.sleep(0.02)
    raise AssertionError("it ended before it wrote anything")


def _after(monkeypatch, owner: type, name: str, error: type[BaseException]) -> None:
    """Let it happen, and then be interrupted."""
    original: Callable = getattr(owner, name)

    def interrupted(*args, **options):
        original(*args, **options)
        raise error

    monkeypatch.setattr(owner, name, interrupted)


# --- who is tried on ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "why"),
    [
        ("megan@contoso.example", "holds a directory role"),
        ("lynne_fabrikam.example#EXT#@contoso.onmicrosoft.com", "is external"),
        ("nobody@contoso.example", "has no user"),
    ],
)
def test_some_people_are_never_tried_on(entra, contoso, app, user, why):
    before = directory(entra)

    with pytest.raises(CommandError, match=why):
        doctor(user=user, app=app["appId"])

    assert directory(entra) == before
    assert not asked_for(contoso)


def test_an_emergency_account_is_never_tried_on(entra, app, contoso, world):
    people = next(one["users"] for one in world["tenants"] if one["id"] == CONTOSO)
    contoso.break_glass_ids = [next(one["id"] for one in people if one["upn"] == USER)]
    contoso.save(update_fields=["break_glass_ids"])

    with pytest.raises(CommandError, match="emergency access"):
        doctor(app=app["appId"])


@pytest.mark.parametrize(
    ("app_id", "why"),
    [
        (PORTAL_CLIENT_ID, "Consentry itself"),
        ("00000003-0000-0000-c000-000000000000", "Microsoft's own"),
        ("e13f692f-5b56-53f6-8531-8172f7207510", "is in use"),
        ("99999999-9999-4999-8999-999999999999", "has no app"),
        ("Mail Sidekick", "names may be ambiguous"),
    ],
)
def test_some_apps_are_never_tried_on(entra, contoso, app_id, why):
    before = directory(entra)

    with pytest.raises(CommandError, match=why):
        doctor(app=app_id)

    assert directory(entra) == before


def test_it_asks_first(entra, contoso, app, monkeypatch):
    asked = []
    monkeypatch.setattr("builtins.input", lambda text: asked.append(text) or "no")

    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("doctor", "--live", "--tenant", CONTOSO, "--user", USER, "--app", app["id"], stdout=io.StringIO())

    assert asked
    assert not asked_for(contoso)


def test_the_rule_of_two_persons_holds_a_deletion_here_too(entra, app, contoso):
    contoso.approve_app_deletion = True
    contoso.save()
    before = directory(entra)

    with pytest.raises(CommandError):
        doctor(app=app["appId"])

    assert directory(entra) == before
