"""Is the tenant connected, and what is off because it is not: in plain words."""

import datetime
import re
import time
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.permissions import Standing
from accounts.tenancy import tenant_context
from directory import sync
from graph import tokens
from graph.client import GraphClient
from graph.errors import Unauthorized
from graph.types import Organization
from revocation.models import Heartbeat
from revocation.spine import sweeper
from tenants import clocks, connection
from tests.accounts.browser import Browser
from tests.factories import make_tenant
from tests.sandbox_client import PORTAL_CLIENT_ID

TAILSPIN = "33333333-3333-4333-8333-333333333333"


def test_a_connected_tenant_has_no_fault(entra, contoso):
    found = connection.check(contoso)
    assert found.works, (found.problem, found.faults)
    assert found.organization == "Contoso"
    assert found.checked_at
    contoso.refresh_from_db()
    assert "User.RevokeSessions.All" in contoso.granted_permissions
    assert connection.features(contoso) == {}


def test_a_missing_permission_names_what_it_switches_off(contoso):
    contoso.granted_permissions = ["Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"]
    found = connection.check(contoso, fresh=False)
    missing = {finding.feature: finding.permission for finding in found.faults}
    assert missing == {
        "sign_out": "User.RevokeSessions.All",
        "change_apps": "Application.ReadWrite.All",
        "assignments": "Application.ReadWrite.All",
    }
    assert not found.works
    off = connection.features(contoso)
    of_agents = {f"{what}_{whom}" for what in ("disable", "delete") for whom in ("agents", "blueprints")}
    others = {
        "last_used",
        "consent_policy",
        "consent_requests",
        "custom_policies",
        "app_permissions",
        "sponsors",
        "agents",
    }
    assert set(off) == {*missing, *others, *of_agents}
    assert "User.RevokeSessions.All" in off["sign_out"]
    assert "Privileged Role Administrator" in off["sign_out"]


def test_never_asked_is_not_nothing_granted(contoso):
    contoso.granted_permissions, contoso.permissions_checked_at = [], None
    found = connection.check(contoso, fresh=False)
    assert {finding.standing for finding in found.findings} == {Standing.NOT_KNOWN}
    assert found.faults == []
    assert connection.features(contoso) == {}


def test_what_microsoft_does_not_tell_keeps_what_was_known(contoso, monkeypatch):
    """Tokens are opaque and the portal's own entry may not be read: granted stays, and nothing counts as missing."""
    monkeypatch.setattr(GraphClient, "own_permissions", lambda self, *, fresh=False: None)
    monkeypatch.setattr(
        GraphClient, "organization", lambda self: Organization(contoso.pk, "Contoso", "AAD", "contoso.example", ())
    )
    contoso.granted_permissions = ["User.Read.All"]
    found = connection.check(contoso)
    standing = {finding.feature: finding.standing for finding in found.findings}
    assert standing["people"] == Standing.GRANTED
    assert standing["sign_out"] == Standing.NOT_KNOWN
    assert found.unknown_since
    assert connection.features(contoso) == {}
    again = connection.check(contoso)
    assert again.unknown_since == found.unknown_since


def test_what_spoils_the_permissions_for_agents_is_said(contoso):
    """https://learn.microsoft.com/graph/api/agentidentity-delete"""
    contoso.granted_permissions = ["AgentIdentity.EnableDisable.All"]
    assert connection.check(contoso, fresh=False).too_much == ""

    contoso.granted_permissions += ["Directory.ReadWrite.All"]

    assert "Directory.ReadWrite.All is granted" in connection.check(contoso, fresh=False).too_much


def test_every_reading_of_the_directory_renews_what_is_granted(entra, contoso):
    contoso.granted_permissions = ["User.Read.All"]
    contoso.save()
    sync.sync_tenant(contoso, kinds=[])
    contoso.refresh_from_db()
    assert "User.RevokeSessions.All" in contoso.granted_permissions
    assert connection.features(contoso) == {}


def test_a_directory_that_does_not_know_the_portal_is_not_known(entra, contoso):
    """404 for the portal's own entry: consent has not arrived, or has just been taken away."""
    entra.faults({"path": "appRoleAssignments", "status": 404})
    found = connection.check(contoso)
    assert found.problem
    assert found.unknown_since


@pytest.mark.parametrize(("granted", "off"), [("User.RevokeSessions.All", False), ("User.ReadWrite.All", True)])
def test_the_beta_sign_out_of_b2c_tenants_takes_the_one_permission_that_microsofts_table_lists(contoso, granted, off):
    contoso.granted_permissions = [granted]
    contoso.sign_out_action = contoso.SignOutAction.INVALIDATE_TOKENS
    assert ("invalidate_tokens" in connection.features(contoso)) is off


def test_a_wrong_secret(entra, contoso, settings):
    settings.ENTRA_CLIENT_SECRET = "not-the-secret"
    found = connection.check(contoso)
    assert "client secret is wrong" in found.problem.what
    assert found.problem.code == "AADSTS7000215"
    assert "ENTRA_CLIENT_SECRET" in found.problem.fix
    assert "not-the-secret" not in str(found)


def test_a_certificate_that_is_not_registered(entra, contoso, settings, tmp_path):
    settings.ENTRA_CERTIFICATE, settings.ENTRA_PRIVATE_KEY = _certificate(tmp_path)
    found = connection.check(contoso)
    assert "certificate is not registered" in found.problem.what
    assert "Certificates & secrets" in found.problem.fix


def test_a_certificate_that_cannot_be_read(contoso, settings, tmp_path):
    settings.ENTRA_CERTIFICATE = str(tmp_path / "absent.pem")
    found = connection.check(contoso)
    assert found.problem.what.startswith("The portal has no credential")


def test_a_wrong_clock(contoso):
    problem = connection.explain(tokens.refusal({"error": "invalid_client", "error_description": "AADSTS700024: x"}))
    assert problem.what.startswith("This server's clock is wrong")
    assert "chrony" in problem.fix


def test_a_tenant_that_has_not_consented(entra, db):
    tailspin = make_tenant(TAILSPIN, "Tailspin", "tailspin.example")
    found = connection.check(tailspin)
    assert "no service principal in this organisation" in found.problem.what
    assert "must consent" in found.problem.fix


def test_invalid_x5t(contoso):
    problem = connection.explain(Unauthorized("Invalid x5t claim.", status=401))
    assert "x5t" in problem.what
    assert "cloud" in problem.fix


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/oauth2/v2.0/token", "status": 503},
        {"path": "/oauth2/v2.0/token", "body": "<html>"},
        {"path": "/organization", "status": 500},
        {"path": "/organization", "cut": True},
    ],
)
def test_microsoft_out_of_order_is_a_problem_and_not_a_crash(entra, contoso, fault):
    entra.faults(fault)
    found = connection.check(contoso)
    assert found.problem
    assert found.problem.what
    assert found.findings


def test_the_doctor_is_content(entra, contoso, capsys):
    sync.sync_tenant(contoso)
    call_command("doctor", tenant="contoso")
    out = capsys.readouterr().out
    assert "Graph answers as Contoso" in out
    assert "ok User.RevokeSessions.All" in out
    assert "grants: " in out


def test_the_doctor_says_where_sign_in_tells_no_directory_roles(entra, contoso, adele, capsys):
    with tenant_context(contoso.pk):
        type(adele.user).objects.update(directory_roles_told=False)

    call_command("doctor", tenant="contoso")

    assert "Sign-in does not say which directory roles people hold" in capsys.readouterr().out


def test_the_doctor_says_which_claims_the_registration_does_not_ask_for(entra, contoso, capsys):
    call_command("doctor", tenant="contoso")
    assert "shows once somebody has signed in" in capsys.readouterr().out
    Browser(entra.url).sign_in("megan@contoso.example")
    call_command("doctor", tenant="contoso")
    assert "ok The registration asks for the claims" in capsys.readouterr().out
    change = {"group_membership_claims": None, "optional_claims": {}}
    asked = {"tenant": str(contoso.pk), "do": "registration", "app": PORTAL_CLIENT_ID, **change}
    entra.control("POST", "world", json=asked)
    Browser(entra.url).sign_in("megan@contoso.example")
    call_command("doctor", tenant="contoso")
    out = capsys.readouterr().out
    for name in ("wids", "sid", "auth_time", "login_hint"):
        assert f"does not ask for the claim {name}, so" in out


def test_the_doctor_fails_on_a_fault(entra, contoso, settings, capsys):
    settings.ENTRA_CLIENT_SECRET = "not-the-secret"
    with pytest.raises(CommandError):
        call_command("doctor")
    out = capsys.readouterr().out
    assert "client secret is wrong" in out
    assert "(AADSTS7000215)" in out
    assert "not-the-secret" not in out


def test_the_doctor_without_any_tenant(db):
    with pytest.raises(CommandError, match="onboarding"):
        call_command("doctor")


def _certificate(folder) -> tuple[str, str]:
    """The paths of a certificate and its key that no registration knows."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(encoding))
    (folder / "key.pem").write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(folder / "certificate.pem"), str(folder / "key.pem")


@pytest.mark.parametrize(
    ("off", "said", "fails"),
    [
        (0, "ok This machine's clock and graph.microsoft.com agree", False),
        (-30, "! This machine's clock is 30 s behind graph.microsoft.com", False),
        (900, "FAULT This machine's clock is 900 s ahead of graph.microsoft.com. Beyond 120 s every sign-in", True),
    ],
    ids=["right", "a little off", "too far off"],
)
def test_the_doctor_compares_this_machines_clock_with_microsofts(entra, contoso, capsys, monkeypatch, off, said, fails):
    sync.sync_tenant(contoso)
    monkeypatch.setattr(clocks, "time", SimpleNamespace(time=lambda: time.time() + off))

    with pytest.raises(CommandError) if fails else nullcontext():
        call_command("doctor", tenant="contoso")

    out = re.sub(r"\b(29|31) s", "30 s", re.sub(r"\b(899|901) s", "900 s", capsys.readouterr().out))
    assert said in out


def test_the_doctor_compares_the_workers_clock_with_the_databases(entra, contoso, capsys):
    sync.sync_tenant(contoso)
    sweeper.sweep(seconds=0)
    call_command("doctor", tenant="contoso")
    assert "ok The worker's clock and the database's agree" in capsys.readouterr().out

    Heartbeat.objects.update(at=timezone.now() + datetime.timedelta(seconds=45), database_at=timezone.now())
    call_command("doctor", tenant="contoso")
    assert "! The worker's clock is 45 s ahead of the database's" in capsys.readouterr().out
