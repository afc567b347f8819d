"""Figures, alarms and runbooks speak of the same things, and counters only rise."""

import datetime
import re
import tomllib
from io import StringIO
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.management import CommandError, call_command
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts import durations
from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit import services as audit, tally
from audit.models import AuditEvent
from portal import VERSION, checks, metrics

PROJECT = Path(__file__).resolve().parent.parent.parent
RULES = [
    rule
    for group in yaml.safe_load((PROJECT / "deploy/alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
HISTOGRAMS = {each.name for each in durations.ALL}
# As they stand in an expression: of a histogram nothing has the bare name.
SERIES = {name: labels for name, (labels, _text) in metrics.FAMILIES.items() if name not in HISTOGRAMS} | {
    f"{each.name}_{part}": (*each.labels, "le") for each in durations.ALL for part in ("bucket", "count", "sum")
}
RUNBOOKS = (PROJECT / "docs/runbooks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alarm_names_figures_that_exist_and_has_a_runbook(rule):
    named = set(re.findall(r"consentry_\w+", rule["expr"]))

    assert named <= set(SERIES)
    for name, matchers in re.findall(r"(consentry_\w+)\{([^}]*)\}", rule["expr"]):
        assert set(re.findall(r"(\w+)\s*=", matchers)) <= set(SERIES[name])
    assert f"\n## {rule['alert']}\n" in RUNBOOKS
    assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{rule['alert'].lower()}"
    assert rule["annotations"]["summary"]


def test_every_runbook_has_an_alarm_and_every_figure_is_explained():
    sections = set(re.findall(r"^## (Consentry\w+)$", RUNBOOKS, re.MULTILINE))

    assert sections == {rule["alert"] for rule in RULES}
    assert set(re.findall(r"^\| `(consentry_\w+)`", RUNBOOKS, re.MULTILINE)) == set(metrics.FAMILIES)


def test_the_version_is_the_projects():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == VERSION


# --- Counters -------------------------------------------------------------------------------------------


def figure(name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


def happened(tenant, event: AuditEvent, count: int = 1) -> None:
    with tenant_context(tenant.pk):
        for _ in range(count):
            audit.record(event, tenant_id=tenant.pk, actor=Actor.system())


@pytest.mark.django_db
def test_counters_rise_with_the_record_in_every_process(contoso, fabrikam, monkeypatch: pytest.MonkeyPatch):
    happened(contoso, AuditEvent.SIGN_IN_REFUSED, 2)
    happened(fabrikam, AuditEvent.SIGN_IN_REFUSED)
    assert figure("consentry_sign_ins_total", tenant="contoso", result="refused") == 2

    happened(contoso, AuditEvent.SIGN_IN_REFUSED)
    happened(contoso, AuditEvent.STEP_FAILED)
    for counted in (tally._counted, {}):  # this process, and one that has just started
        monkeypatch.setattr(tally, "_counted", counted)
        assert figure("consentry_sign_ins_total", tenant="contoso", result="refused") == 3
        assert figure("consentry_sign_ins_total", tenant="contoso", result="ok") == 0
        assert figure("consentry_step_events_total", tenant="contoso", event="failed") == 1
        assert figure("consentry_audit_entries_total", tenant="contoso") == 4
        assert figure("consentry_sign_ins_total", tenant="fabrikam", result="refused") == 1


@pytest.mark.django_db
def test_what_was_counted_in_a_database_that_is_gone_counts_no_more(contoso, monkeypatch: pytest.MonkeyPatch):
    other = tally.Tally(sequence=1, mac=b"of another record", events=tally.Counter({AuditEvent.SIGNED_IN: 900}))
    monkeypatch.setattr(tally, "_counted", {contoso.pk: other})
    happened(contoso, AuditEvent.SIGNED_IN)

    assert figure("consentry_sign_ins_total", tenant="contoso", result="ok") == 1


# --- The certificate ------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "said"), [(31, ""), (29, "ends on"), (-1, "ended on")])
def test_a_certificate_that_ends_is_told_in_time(settings, tmp_path, days: int, said: str):
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal")])
    ends = timezone.now() + datetime.timedelta(days=days, hours=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, ends - datetime.timedelta(days=365), ends)
    path = tmp_path / "portal.crt"
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    settings.ENTRA_CERTIFICATE = settings.ENTRA_PRIVATE_KEY = str(path)

    left = figure("consentry_certificate_expiry_seconds")
    warnings = [one.msg for one in checks.registration_is_complete(app_configs=None) if one.id == "portal.W021"]

    assert left == pytest.approx(days * 86_400 + 3600, abs=60)
    assert len(warnings) == (1 if said else 0)
    assert all(said in text for text in warnings)

    printed = StringIO()
    with pytest.raises(CommandError, match="No tenant is connected"):
        call_command("doctor", stdout=printed)
    assert said in printed.getvalue()
    assert ("certificate" in printed.getvalue()) == bool(said)


@pytest.mark.django_db
def test_without_a_certificate_nothing_is_said_of_it(settings, tmp_path):
    settings.ENTRA_CERTIFICATE = ""
    assert figure("consentry_certificate_expiry_seconds") is None

    settings.ENTRA_CERTIFICATE = str(tmp_path / "broken.crt")
    (tmp_path / "broken.crt").write_text("no certificate")
    assert figure("consentry_certificate_expiry_seconds") is None
