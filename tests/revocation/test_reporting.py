"""The signed report: it holds as written, and not after any change."""

import json
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from accounts.access import Actor
from accounts.tenancy import tenant_context
from revocation import services
from revocation.lists import recipes
from revocation.lists.selection import Row
from revocation.showing import downloads, figures, signed_report
from tests.factories import make_person
from tests.revocation.copies import NOW, app_with_consents, asked, crowd, put

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_(contoso):
    megan = make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")
    request = asked(contoso, megan, crowd(contoso, 4))
    put(request, 2, "verified", accepted_at=NOW(), finished_at=NOW())
    return request


@pytest.fixture
def files(contoso, request_, tmp_path):
    """A signed report and the results it was written about, as downloaded."""
    report, results = tmp_path / "report.json", tmp_path / "results.json"
    with tenant_context(contoso.pk):
        report.write_text(json.dumps(signed_report.sign(signed_report.build(request_))))
        results.write_text("".join(downloads.results_as_json(request_)))
    return report, results


def test_a_report_as_written_holds(files, capsys):
    report, results = files

    call_command("verify_report", report, "--results", results)

    assert "the signature holds" in capsys.readouterr().out


def test_anybody_can_check_it_with_the_public_key_alone(files, settings):
    report, _results = files
    public_key = json.loads(report.read_text())["public_key"]
    settings.AUDIT_KEYS = ["b2" * 32]

    call_command("verify_report", report, "--public-key", public_key)
    with pytest.raises(CommandError):
        call_command("verify_report", report)


@pytest.mark.parametrize(
    "change",
    [
        lambda envelope: envelope["report"]["counts"].update(verified=4),
        lambda envelope: envelope["report"].update(reason="Nothing happened"),
        lambda envelope: envelope["report"].pop("results"),
        lambda envelope: envelope.update(signature=envelope["signature"][:-4] + "AAA="),
        lambda envelope: envelope.update(public_key="00" * 32),
        lambda envelope: envelope.update(key_id="0" * 16),
        lambda envelope: envelope.update(format="other"),
        lambda envelope: envelope.clear(),
    ],
)
def test_a_changed_report_does_not_hold(files, change):
    report, _results = files
    envelope = json.loads(report.read_text())
    change(envelope)
    report.write_text(json.dumps(envelope))

    with pytest.raises(CommandError):
        call_command("verify_report", report)


def test_changed_results_are_not_the_ones_reported(files):
    report, results = files
    rows = json.loads(results.read_text())
    rows[0]["state"] = "failed"
    results.write_text(json.dumps(rows))

    with pytest.raises(CommandError):
        call_command("verify_report", report, "--results", results)


def test_a_persons_grants_belong_to_the_persons_row(contoso):
    people = crowd(contoso, 2)
    app_with_consents(contoso, people)
    rows = [Row(0, "", "found", person_id=str(person.pk), label=person.display_name) for person in people]
    with tenant_context(contoso.pk):
        request = services.submit(
            tenant=contoso,
            actor=_actor(contoso),
            kind="contain_people",
            title="Contain",
            steps=recipes.for_people(contoso, "contain_people", rows),
            run_inline=False,
        )
        results = list(figures.results(request))

    assert [(row["name"], len(row["steps"])) for row in results] == [(person.display_name, 2) for person in people]


def _actor(tenant):
    return Actor.of(make_person(tenant, uuid4(), "Megan Bowen", "tenant_admin").membership)
