"""Who is told of what by mail: at once, in the day's digest, never; once; and nobody about themselves."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.access import Actor
from audit.models import AuditEntry
from inbox import counting, letters, selectors, services
from inbox.models import Letter
from revocation.models import RevocationRequest
from revocation.rules import approval
from tests.inbox.conftest import make_entry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _everybody_has_an_address(contoso, megan, isaiah) -> None:
    for person in (megan, isaiah):
        make_entry(contoso, person)


@pytest.fixture
def told(contoso):
    """`told(hour=3)`: who got which mails of a round at that hour of the day."""

    def of_a_round(hour: int = 3) -> list[tuple[str, str]]:
        mail.outbox.clear()
        counting.count(contoso)
        letters.send_due(contoso, timezone.now().replace(hour=hour))
        return sorted((one.to[0].partition("@")[0], one.subject) for one in mail.outbox)

    return of_a_round


@pytest.fixture(autouse=True)
def _early_in_the_day(monkeypatch, settings) -> None:
    """No digest is due by the clock of the machine: only where a test says so."""
    settings.MAIL_DIGEST_HOUR = 24


def choose(person, **choices):
    services.choose_mail(person.user, choices)


def test_an_approver_is_told_at_once_and_once_and_the_asker_what_was_decided(contoso, isaiah, told, asked):
    request = asked("awaiting_approval", people_count=60)

    assert told() == [("isaiah", "Megan Bowen waits for your approval")]
    body = mail.outbox[0].body
    assert "It hits 60 people." in body
    assert "Reason: Phishing" in body
    assert reverse("revocation:approve", args=["contoso", request.pk]) in body
    assert told() == []

    approval.close(request, "rejected")
    event = "revocation.request.rejected"
    approval.record(event, request, Actor.of(isaiah.membership), reason="Only 6 of them were hit")

    assert told() == [("megan", "Rejected: Sign out 60 people")]
    assert "Isaiah Langer rejected this" in mail.outbox[0].body
    assert "Reason: Only 6 of them were hit" in mail.outbox[0].body


def test_nobody_is_told_of_what_hits_them(isaiah, told, asked):
    asked("awaiting_approval", target=isaiah.object_id)

    assert told() == []


def test_who_wants_no_mail_gets_none_and_who_wants_it_daily_gets_one(settings, isaiah, megan, told, asked):
    choose(isaiah, approvals="daily")
    asked("awaiting_approval")
    asked("finished", step="failed")
    choose(megan, others="never")

    assert told() == []
    settings.MAIL_DIGEST_HOUR = 0
    assert told() == [("isaiah", "Contoso: 2 things today")]
    assert told() == []


def test_a_reporter_is_told_what_came_of_it_and_not_of_their_own_report(contoso, adele, megan, sidekick, told):
    for person in (adele, megan):
        choose(person, others="at_once")
    services.report_app(adele.membership, sidekick, note="Never\nseen")

    assert told() == [("megan", "Reported by Adele Vance: Mail Sidekick")]

    services.deal_with(contoso, "reported", sidekick.pk, actor=Actor.of(megan.membership), note="It is ours")

    assert told() == [("adele", "What came of your report of Mail Sidekick")]
    assert "It may go on.\n“It is ours”" in mail.outbox[0].body


def test_the_link_in_a_mail_stops_such_mail_without_signing_in(contoso, isaiah, told, asked):
    asked("awaiting_approval")
    told()
    header = mail.outbox[0].extra_headers["List-Unsubscribe"]
    address = re.search(r"<https?://[^/]+(/.*)>", header)[1]
    stranger = Client(enforce_csrf_checks=True)

    assert stranger.get(address).status_code == 200
    assert selectors.mail_choice(isaiah.user.pk).approvals == "at_once"  # a look changes nothing
    assert stranger.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert stranger.post(address[:-2] + "x/").status_code == 404

    choice = selectors.mail_choice(isaiah.user.pk)
    assert (choice.approvals, choice.others) == ("never", "daily")
    assert AuditEntry.objects.filter(event="inbox.mail.chosen", actor_id=str(isaiah.object_id)).exists()


def test_nothing_is_sent_without_a_mail_server_and_a_refused_mail_is_not_sent_again(
    contoso, settings, monkeypatch, told, asked
):
    asked("awaiting_approval")
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert told() == []
    assert not Letter.objects.exists()

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setattr("django.core.mail.EmailMessage.send", _refused)
    told()
    monkeypatch.undo()

    assert told() == []
    letter = Letter.objects.get()
    assert (letter.fault, letter.sent_at) == ("ConnectionRefusedError", None)


def _refused(*args, **options):
    raise ConnectionRefusedError


def test_a_choice_is_made_on_a_page_of_ones_own(sign_in, client, contoso, megan):
    client = sign_in(client, megan)
    address = reverse("inbox:mail")

    assert client.post(address, {"approvals": "hourly", "others": "daily"}).status_code == 422
    client.post(address, {"approvals": "daily", "others": "never"})

    choice = selectors.mail_choice(megan.user.pk)
    assert (choice.approvals, choice.others) == ("daily", "never")


def test_an_old_request_is_no_news(told, asked):
    request = asked("awaiting_approval")
    RevocationRequest.objects.filter(pk=request.pk).update(created_at=timezone.now() - timedelta(days=2))

    assert told() == []
