"""My activity: every entry is a sentence to its reader, and every link of it opens."""

import re
from html import unescape
from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit.models import AuditEvent as E
from audit.services import record
from consent.showing.activity import BETWEEN, SENTENCES
from graph import entra_pages
from revocation import services
from tests.revocation.copies import asked, crowd, in_copy

pytestmark = pytest.mark.django_db

TITLE = "Sign out Alex Wilber everywhere"
SIGN_OUT = {"action": "revoke_sessions", "target_type": "user"}


@pytest.fixture
def write(contoso, adele, megan):
    """`write(event, by, to, **details)`: an entry of the record."""

    def written(event, by, to, **details):
        with tenant_context(contoso.pk):
            target = Actor.of(to.membership) if to else Actor(str(uuid4()), "Alex Wilber")
            details = {"target_id": target.id, "target_label": target.label} | details
            return record(event, tenant_id=contoso.pk, actor=Actor.of(by.membership), **details)

    return written


@pytest.fixture
def told(client, sign_in):
    """What My activity tells somebody, line by line, newest first."""

    def lines(person):
        page = sign_in(client, person).get(reverse("consent:activity")).content.decode()
        rows = re.findall(r'<li id="entry-\d+"[^>]*>(.*?)<div class="deed-end">', page, re.S)
        return [" ".join(unescape(re.sub(r"<a .*?</a>|<[^>]+>", " ", row, flags=re.S)).split()) for row in rows]

    return lines


DID = [
    (E.SIGNED_IN, {}, "You signed in to Consentry."),
    (E.SIGN_IN_REFUSED, {}, "Your sign-in to Consentry was refused."),
    (E.SIGNED_OUT, {}, "You ended a session in Consentry: Alex Wilber."),
    (E.STEPPED_UP, {}, "You signed in again to confirm a change."),
    (E.MEMBERSHIP_GRANTED, {}, "You let Alex Wilber in from another organisation."),
    (E.MEMBERSHIP_REVOKED, {}, "You ended the membership of Alex Wilber."),
    (E.TENANT_CONNECTED, {"target_label": "Contoso"}, "You connected Contoso to Consentry."),
    (E.TENANT_CHANGED, {"target_label": "Contoso"}, "You changed the settings of Contoso."),
    (E.TENANT_RESTORED, {"target_label": "Contoso"}, "The database of the portal was restored from a backup."),
    (E.TENANT_PRUNED, {"target_label": "Contoso"}, "What was kept long enough was deleted."),
    (E.TENANT_LEFT, {"target_label": "Contoso"}, "Contoso left Consentry."),
    (E.PERSON_ERASED, {}, "Somebody's names were erased."),
    (E.AUDIT_ARCHIVED, {"target_label": "Contoso"}, "Older entries of the record went to the archive."),
    (E.REVOCATION_REQUESTED, {"after": {"title": TITLE}}, f"You asked for this: {TITLE}."),
    (E.REVOCATION_APPROVED, {"target_label": TITLE}, f"You approved this: {TITLE}."),
    (E.REVOCATION_REJECTED, {"target_label": TITLE}, f"You rejected this: {TITLE}."),
    (E.REVOCATION_OVERRIDDEN, {"target_label": TITLE}, f"You let this begin without a second person: {TITLE}."),
    (E.REVOCATION_PAUSED, {"target_label": TITLE}, f"You paused this: {TITLE}."),
    (E.REVOCATION_RESUMED, {"target_label": TITLE}, f"You let this go on: {TITLE}."),
    (E.REVOCATION_CANCELLED, {"target_label": TITLE}, f"You cancelled what was left of this: {TITLE}."),
    (E.REVOCATION_REFUSED, SIGN_OUT, "You asked for this, and a rule refused it: Sign out everywhere, Alex Wilber."),
    (
        E.STEP_VERIFIED,
        SIGN_OUT | {"outcome": "verified"},
        "You signed Alex Wilber out everywhere. Microsoft's records show it: sign-ins from before are over.",
    ),
    (
        E.STEP_VERIFIED,
        {"action": "delete_grant", "target_label": "Mail Sidekick", "outcome": "verified"},
        "You asked for this: Withdraw a consent, Mail Sidekick. Microsoft no longer lists what you gave the app.",
    ),
    (
        E.STEP_NO_EFFECT,
        SIGN_OUT | {"outcome": "no_effect"},
        "You asked to sign Alex Wilber out everywhere. Microsoft accepted it, and it changed nothing.",
    ),
    (
        E.STEP_FAILED,
        SIGN_OUT | {"outcome": "failed", "after": {"outcome": "The account is in a restricted unit."}},
        "You asked to sign Alex Wilber out everywhere. The account is in a restricted unit.",
    ),
    (
        E.STEP_UNCONFIRMED,
        SIGN_OUT | {"outcome": "unconfirmed"},
        "You asked to sign Alex Wilber out everywhere. Accepted, but not confirmed by reading back in time.",
    ),
    (E.RESULT_EXPORTED, {"target_label": TITLE}, f"You downloaded what came of this: {TITLE}."),
    (E.LIST_EXPORTED, {"target_label": "Apps"}, "You downloaded a list: Apps."),
    (E.GATE_CREDENTIAL_CREATED, {"target_label": "Key 1"}, "You made a credential of the refresh gate: Key 1."),
    (E.GATE_CREDENTIAL_ENDED, {"target_label": "Key 1"}, "You ended a credential of the refresh gate: Key 1."),
    (E.APP_REPORTED, {"target_label": "App"}, "You reported an app that you do not recognise: App."),
    (E.REPORT_WITHDRAWN, {"target_label": "App"}, "You withdrew your report of an app: App."),
    (
        E.REPORT_REFUSED,
        {"target_label": "App"},
        "You reported many apps in a short time, so this report was refused: App.",
    ),
    (E.REPORT_ANSWERED, {"after": {"title": "App"}}, "You answered a report of an app: App."),
    (E.DEALT_WITH, {"target_label": "App"}, "You dealt with this in the inbox: App."),
    (E.REOPENED, {"target_label": "App"}, "You put this back into the inbox: App."),
    (E.MAIL_CHOSEN, {}, "You chose when you are told by mail."),
    (E.AUDIT_EXPORTED, {}, "You exported the audit record."),
    (E.AUDIT_CERTIFIED, {}, "You downloaded a certificate of the audit record."),
]


@pytest.mark.parametrize(("event", "details", "sentence"), DID)
def test_what_one_did(write, told, megan, event, details, sentence):
    write(event, megan, None, **details)

    assert told(megan)[0] == sentence


DONE_TO = [
    (E.REPORT_ANSWERED, {"after": {"title": "App"}}, "Megan Bowen looked at the app that you reported: App."),
    (E.SIGNED_OUT, {}, "Megan Bowen ended your session in Consentry."),
    (E.REVOCATION_REQUESTED, {"after": {"title": "Sign out Adele Vance everywhere"}},
     "Megan Bowen asked for this: Sign out Adele Vance everywhere."),
    (E.REVOCATION_REFUSED, SIGN_OUT,
     "Megan Bowen asked for this, and a rule refused it: Sign out everywhere, your account."),
    (
        E.STEP_VERIFIED,
        SIGN_OUT | {"outcome": "verified"},
        "Megan Bowen signed you out everywhere. Microsoft's records show it: sign-ins from before are over.",
    ),
    (
        E.STEP_FAILED,
        SIGN_OUT | {"outcome": "failed"},
        "Megan Bowen asked to have you signed out everywhere. Microsoft refused.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("event", "details", "sentence"), DONE_TO)
def test_what_was_done_to_one(write, told, adele, megan, event, details, sentence):
    write(event, megan, adele, **details)

    assert told(adele)[0] == sentence


def test_ones_own_session_is_ones_own(write, told, adele):
    write(E.SIGNED_OUT, adele, adele)

    assert told(adele)[0] == "You ended a session in Consentry: yours."


def test_every_event_has_its_sentence_and_is_tried():
    by_nobody = {E.REVOCATION_APPROVAL_VOIDED, E.REVOCATION_EXPIRED, E.REVOCATION_FINISHED}
    by_nobody |= {E.DIRECTORY_SYNCED, E.DIRECTORY_SYNC_FAILED, *BETWEEN}

    assert set(SENTENCES) == set(E)
    assert {event for event, _details, _sentence in DID} == set(E) - by_nobody


# --- Deeds --------------------------------------------------------------------------------------------


def test_one_deed_is_one_line_with_the_worst_that_became_of_it(write, told, client, adele, megan):
    one, other = uuid4(), uuid4()
    write(E.REVOCATION_REQUESTED, megan, None, request_id=one, after={"title": TITLE}, reason="A lost telephone")
    write(E.STEP_VERIFIED, megan, None, request_id=one, **SIGN_OUT, outcome="verified")
    write(E.REVOCATION_REQUESTED, megan, None, request_id=other, after={"title": "Disable Mail Sidekick"})
    write(
        E.STEP_FAILED,
        megan,
        None,
        request_id=one,
        **SIGN_OUT,
        outcome="failed",
        after={"outcome": "Microsoft said no."},
    )

    assert told(megan) == [
        "You asked to sign Alex Wilber out everywhere. “A lost telephone” Microsoft said no."
        " Microsoft's records show it: sign-ins from before are over.",
        "You asked for this: Disable Mail Sidekick.",
    ]
    page = client.get(reverse("consent:activity")).content.decode()
    assert re.findall(r'<span class="[^"]+">(Failed|Verified)</span>', page) == ["Failed"]


# --- Reasons ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [E.STEP_VERIFIED, E.REVOCATION_REFUSED, E.REVOCATION_REQUESTED, E.SIGNED_OUT])
def test_what_somebody_else_typed_is_not_shown_to_whom_it_was_done_to(write, told, client, adele, megan, event):
    write(event, megan, adele, reason="Insider case 4711", ticket="HR-4711", **SIGN_OUT)

    assert len(told(adele)) == 1
    assert "4711" not in client.get(reverse("consent:activity")).content.decode()


def test_ones_own_reason_is_shown(write, told, adele):
    write(E.STEP_VERIFIED, adele, adele, reason="I do not use it", **SIGN_OUT)

    assert "“I do not use it”" in told(adele)[0]


def test_why_a_session_ended_is_told_where_it_is_a_code(write, told, adele, megan):
    write(E.SIGNED_OUT, megan, adele, reason="switched_off")

    assert "The account was switched off here." in told(adele)[0]


# --- Links --------------------------------------------------------------------------------------------


def links(client):
    page = client.get(reverse("consent:activity")).content.decode()
    return re.findall(r'<a href="([^"]+)">Every step</a>', page)


def test_whoever_downloads_anothers_result_finds_a_page_that_opens(client, sign_in, contoso, megan, nestor):
    theirs = asked(contoso, megan, crowd(contoso, 3))
    sign_in(client, nestor)
    b"".join(client.get(reverse("revocation:results-csv", args=["contoso", theirs.pk])).streaming_content)

    assert links(client) == [reverse("revocation:detail", args=["contoso", theirs.pk])]
    assert client.get(links(client)[0]).status_code == 200


def test_ones_own_request_opens_as_ones_own_and_anothers_not_at_all(client, sign_in, contoso, adele, megan):
    adele_in_copy = in_copy(contoso, "Adele Vance", id=adele.object_id)
    asked(contoso, megan, [adele_in_copy])
    with tenant_context(contoso.pk):
        own = services.sign_out_self(adele.membership)
        adele.user.refresh_from_db()
    sign_in(client, adele)

    assert set(links(client)) == {reverse("revocation:own-detail", args=[own.pk])}
    assert client.get(links(client)[0]).status_code == 200


# --- "This was not me" --------------------------------------------------------------------------------


def test_what_a_thief_does_can_be_disowned_and_what_others_did_cannot(write, client, sign_in, adele, megan):
    signed_in, ended = write(E.SIGNED_IN, adele, adele), write(E.SIGNED_OUT, megan, adele)
    of_another = write(E.SIGNED_IN, megan, megan)
    sign_in(client, adele)
    leads = {entry: reverse("consent:not-me", args=[entry.sequence]) for entry in (signed_in, ended, of_another)}

    listed = client.get(reverse("consent:activity")).content.decode()
    page = client.get(leads[signed_in]).content.decode()

    assert [leads[entry] in listed for entry in leads] == [True, False, False]
    assert [client.get(leads[entry]).status_code for entry in leads] == [200, 404, 404]
    steps = [page.index(words) for words in ("Change my password", "Sign out everywhere</a>", "Look at my apps")]
    assert steps == sorted(steps)
    assert page.index(entra_pages.own_password()) < steps[1]


def test_deeds_stand_under_their_days(write, client, sign_in, adele):
    sign_in(client, adele)
    write(E.SIGNED_IN, adele, adele)

    page = client.get(reverse("consent:activity")).content.decode()

    assert re.findall(r'<h2 class="as-h3"><time [^>]*data-show="day">', page)
    assert re.findall(r'<time [^>]*data-show="hour">', page)
