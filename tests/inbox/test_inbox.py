"""What waits for whom, and how each kind of it comes and leaves."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEntry
from directory.models import Risk, ServicePrincipal
from inbox import counting, selectors
from inbox.models import Dealt, Report
from revocation.models import RevocationRequest
from tests.inbox.conftest import make_app

pytestmark = pytest.mark.django_db


def text_of(client: Client, address: str) -> str:
    page = client.get(address)
    assert page.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def badge(client: Client) -> str:
    """What My apps shows beside the workspace."""
    page = client.get(reverse("consent:my-apps")).content.decode()
    found = re.search(r'class="waits">\s*([\d,]+)', page)
    return found[1] if found else ""


def events(tenant, *about) -> list[str]:
    ids = [str(one) for one in about]
    found = AuditEntry.objects.filter(tenant_id=tenant.pk, target_id__in=ids).order_by("sequence")
    return list(found.values_list("event", flat=True))


@pytest.fixture
def inbox(contoso):
    return reverse("inbox:inbox", args=[contoso.slug])


def deal(contoso, kind, subject_id):
    return reverse("inbox:deal-with", args=[contoso.slug, kind, subject_id])


def test_a_report_waits_until_it_is_dealt_with_and_its_author_hears_of_it(
    sign_in, contoso, adele, megan, henrietta, sidekick, inbox
):
    user, admin, helpdesk = (sign_in(Client(), one) for one in (adele, megan, henrietta))

    user.post(reverse("inbox:report", args=[sidekick.pk]))
    user.post(reverse("inbox:report", args=[sidekick.pk]))  # twice is once

    assert badge(admin) == "1"
    shown = text_of(admin, inbox)
    assert "1 person does not recognise it. 3 others allow it." in shown
    assert "Take out" in shown
    assert badge(helpdesk) == ""  # apps are not theirs
    assert "Mail Sidekick" not in text_of(helpdesk, inbox)
    assert "Reported as not recognised Adele Vance" in text_of(
        admin, reverse("consent:app", args=[contoso.slug, sidekick.pk])
    )

    ServicePrincipal.objects.filter(pk=sidekick.pk).update(account_enabled=False)
    admin.post(deal(contoso, "reported", sidekick.pk), {"note": "Taken out. Well spotted."})

    assert badge(admin) == ""
    answer = selectors.own_reports(adele.membership).answers[0].dealt
    assert (answer.note, answer.by_label, answer.can_act) == ("Taken out. Well spotted.", "Megan Bowen", False)
    assert events(contoso, sidekick.pk) == ["inbox.report.made", "inbox.item.dealt_with"]
    assert events(contoso, adele.object_id)[-1] == "inbox.report.answered"
    assert "Megan Bowen looked at the app that you reported: Mail Sidekick." in text_of(
        user, reverse("consent:activity")
    )

    admin.post(reverse("inbox:reopen", args=[contoso.slug, answer.pk]))

    assert badge(admin) == "1"


def test_a_report_is_its_authors_to_withdraw(sign_in, contoso, adele, megan, sidekick):
    user = sign_in(Client(), adele)
    user.post(reverse("inbox:report", args=[sidekick.pk]))
    report = Report.objects.get()
    withdraw = reverse("inbox:withdraw", args=[report.pk])

    assert sign_in(Client(), megan).post(withdraw).status_code == 404
    user.post(withdraw)

    assert selectors.waiting_count(megan.membership) == 0
    assert events(contoso, sidekick.pk) == ["inbox.report.made", "inbox.report.withdrawn"]


def test_removing_an_app_may_report_it_along_with_it(sign_in, contoso, adele, sidekick, monkeypatch):
    removed = []
    monkeypatch.setattr("consent.own_removals.remove_own_app", lambda *args, **more: removed.append(more))
    monkeypatch.setattr("consent.views.me._say", lambda *args: None)

    sign_in(Client(), adele).post(reverse("consent:remove-app", args=[sidekick.pk]), {"report": "yes"})

    assert Report.objects.get().removed
    assert removed


def test_nobody_reports_more_than_one_person_looks_at(sign_in, contoso, adele, sidekick, settings):
    settings.OWN_REPORTS_PER_MINUTE = 1
    user = sign_in(Client(), adele)

    for _again in range(3):
        user.post(reverse("inbox:report", args=[sidekick.pk]))

    assert events(contoso, sidekick.pk) == ["inbox.report.made", "inbox.report.refused"]  # said once a minute


def test_a_stranger_to_an_app_cannot_report_it(sign_in, contoso, henrietta, sidekick):
    assert sign_in(Client(), henrietta).post(reverse("inbox:report", args=[sidekick.pk])).status_code == 404


def test_what_failed_waits_however_much_else_happens(sign_in, contoso, megan, henrietta, nestor, asked, inbox):
    failed = asked("finished", step="failed")
    for _later in range(5):
        asked("finished", step="verified")
    counting.count(contoso)
    helpdesk, auditor = sign_in(Client(), henrietta), sign_in(Client(), nestor)

    assert badge(helpdesk) == "1"
    assert "1 step could not be done or confirmed." in text_of(helpdesk, inbox)
    assert badge(auditor) == ""  # who may not act sees it and is not called
    assert "Sign out 60 people" in text_of(auditor, inbox)
    assert auditor.post(deal(contoso, "failed", failed.pk)).status_code == 403

    helpdesk.post(deal(contoso, "failed", failed.pk))

    assert badge(helpdesk) == ""
    assert "inbox.item.dealt_with" in events(contoso, failed.pk)


def test_an_approval_waits_for_who_may_give_it_and_leaves_when_it_is_decided(
    sign_in, contoso, megan, isaiah, henrietta, asked, inbox
):
    request = asked("awaiting_approval")
    second = sign_in(Client(), isaiah)

    assert badge(second) == "1"
    assert "Megan Bowen asked, and waits for your word." in text_of(second, inbox)
    assert "1 step: Somebody" in text_of(second, inbox)
    assert f'name="digest" value="{request.digest}"' in second.get(inbox).content.decode()  # approved right there
    assert badge(sign_in(Client(), megan)) == ""  # her own
    assert badge(sign_in(Client(), henrietta)) == ""

    RevocationRequest.objects.filter(pk=request.pk).update(state="rejected")

    assert badge(second) == ""


def test_somebody_let_in_by_the_asker_is_no_second_person(contoso, megan, isaiah, asked):
    asked("awaiting_approval")
    isaiah.membership.let_in_by = [str(megan.object_id)]
    isaiah.membership.save()

    assert selectors.waiting_count(isaiah.membership) == 0


def test_a_new_risky_app_waits_and_may_be_kept_with_a_reason(sign_in, contoso, megan, read_long_ago, inbox):
    old = make_app(contoso, "Old Mailer", risk=Risk.HIGH, danger=9)
    new = make_app(contoso, "New Mailer", risk=Risk.HIGH, danger=9)
    make_app(contoso, "New and off", risk=Risk.HIGH, danger=9, account_enabled=False)
    ServicePrincipal.objects.filter(pk=old.pk).update(first_seen_at=timezone.now() - timedelta(days=3))
    counting.count(contoso)
    admin = sign_in(Client(), megan)
    overview, keep = (
        reverse("consent:overview", args=[contoso.slug]),
        reverse("inbox:keep-app", args=["contoso", old.pk]),
    )

    assert badge(admin) == "1"
    assert "New Mailer" in text_of(admin, inbox)
    assert "Old Mailer" not in text_of(admin, inbox)
    assert admin.post(keep, {"note": " "}).status_code == 422

    admin.post(keep, {"note": "The sales team needs it"})
    admin.post(deal(contoso, "risky", new.pk))

    assert badge(admin) == ""
    risky = text_of(admin, overview).partition("Most dangerous")[2]
    assert "1 app is kept and not shown" not in risky.partition("Old Mailer")[2]
    entry = AuditEntry.objects.get(target_id=str(old.pk))
    assert (entry.event, entry.reason) == ("inbox.item.dealt_with", "The sales team needs it")
    Dealt.objects.update(until=timezone.now() - timedelta(minutes=1))
    assert "Old Mailer" in text_of(admin, overview)


def test_the_badge_costs_one_query_whatever_there_is(
    contoso, megan, isaiah, sidekick, read_long_ago, asked, django_assert_num_queries
):
    for number in range(30):
        make_app(contoso, f"App {number}", risk=Risk.HIGH, danger=9)
        asked("finished", step="failed")
    asked("awaiting_approval")
    counting.count(contoso)

    with django_assert_num_queries(1):
        assert selectors.waiting_count(megan.membership) == 60
    with django_assert_num_queries(3):  # one waits for Isaiah: two more say whether it is his
        assert selectors.waiting_count(isaiah.membership) == 61
