"""Revocations in the workspace: the list, one of them, steering, deciding, and taking results away."""

import csv
import io
import json
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.tenancy import tenant_context
from audit.models import AuditEntry
from revocation.models import RevocationRequest
from tests.factories import make_person
from tests.revocation.copies import NOW, asked, crowd, finish, put

pytestmark = pytest.mark.django_db
State = RevocationRequest.State


@pytest.fixture
def megan(contoso):
    return make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")


@pytest.fixture
def isaiah(contoso):
    return make_person(contoso, uuid4(), "Isaiah Langer", "tenant_admin")


@pytest.fixture
def henrietta(contoso):
    return make_person(contoso, uuid4(), "Henrietta Mueller", "helpdesk")


@pytest.fixture
def nestor(contoso):
    return make_person(contoso, uuid4(), "Nestor Wilke", "auditor")


def url(name, *args):
    return reverse(f"revocation:{name}", args=["contoso", *args])


def body(answer):
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()


def reread(request):
    with tenant_context(request.tenant_id):
        request.refresh_from_db()
    return request


# --- The list -----------------------------------------------------------------------------------------


def test_the_list_filters_by_state_kind_and_who_asked(client, sign_in, contoso, megan, henrietta):
    running = asked(contoso, megan, crowd(contoso, 3))
    done = asked(contoso, henrietta, crowd(contoso, 4, start=10))
    finish(done)
    sign_in(client, megan)

    def shown(**filters):
        page = client.get(url("list"), filters).content.decode()
        return [request for request in (running, done) if url("detail", request.pk) in page]

    assert shown() == [running, done]
    assert shown(state="finished") == [done]
    assert shown(actor="Henrietta") == [done]
    assert shown(kind="sign_out", state="running") == [running]
    assert shown(kind="nonsense") == [running, done]


def test_the_list_pages_without_losing_or_repeating_any(client, sign_in, contoso, megan):
    sign_in(client, megan)
    with tenant_context(contoso.pk):
        made = RevocationRequest.objects.bulk_create(
            RevocationRequest(
                tenant=contoso, kind="sign_out", title=f"no. {n}", actor_id="x", digest="0" * 64, step_count=0
            )
            for n in range(60)
        )
    seen, after = [], ""
    while True:
        page = client.get(url("list"), {"after": after} if after else {}).context["page"]
        seen += [item.pk for item in page.items]
        if not (after := page.next):
            break

    assert len(seen) == len(set(seen)) == 60
    assert set(seen) == {request.pk for request in made}


# --- One of them --------------------------------------------------------------------------------------


def test_those_who_need_a_human_come_first_with_the_reason(client, sign_in, contoso, megan):
    request = asked(contoso, megan, crowd(contoso, 30))
    put(request, 20, "verified", accepted_at=NOW(), finished_at=NOW())
    put(request, 1, "failed", outcome="The account is in a restricted unit", finished_at=NOW())
    sign_in(client, megan)

    page = client.get(url("detail", request.pk)).content.decode()

    assert "21 of 30 people" in page
    assert "The account is in a restricted unit" in page
    assert page.count('id="step-') == 1
    assert client.get(url("detail", request.pk), {"show": "all"}).content.decode().count('id="step-') == 30


def test_the_live_part_polls_until_nothing_will_change(client, sign_in, contoso, megan):
    request = asked(contoso, megan, crowd(contoso, 30))
    sign_in(client, megan)

    running = client.get(url("progress", request.pk), headers={"HX-Request": "true"}).content.decode()
    put(request, 30, "verified", accepted_at=NOW(), finished_at=NOW())
    finish(request)
    over = client.get(url("progress", request.pk), headers={"HX-Request": "true"}).content.decode()

    assert 'hx-trigger="every 2s"' in running
    assert 'role="progressbar"' in running
    assert "hx-trigger" not in over
    assert "30 of 30 people" in over


def test_another_tenants_revocation_does_not_exist(client, sign_in, contoso, fabrikam, megan):
    robin = make_person(fabrikam, uuid4(), "Robin Counts", "tenant_admin")
    foreign = asked(fabrikam, robin, crowd(fabrikam, 3))
    sign_in(client, megan)

    for name in ("detail", "progress", "results-csv", "results-json", "report", "report-json"):
        assert client.get(url(name, foreign.pk)).status_code == 404
    for name in ("pause", "cancel", "approve", "reject", "override"):
        assert client.post(url(name, foreign.pk)).status_code == 404
    assert reread(foreign).state == State.RUNNING


# --- Steering -----------------------------------------------------------------------------------------


def test_it_is_paused_resumed_and_cancelled(client, sign_in, contoso, henrietta):
    request = asked(contoso, henrietta, crowd(contoso, 5))
    put(request, 2, "verified", accepted_at=NOW(), finished_at=NOW())
    sign_in(client, henrietta)

    client.post(url("pause", request.pk))
    assert reread(request).state == State.PAUSED
    client.post(url("resume", request.pk))
    assert reread(request).state == State.RUNNING
    assert "3 steps" in client.get(url("cancel", request.pk)).content.decode()
    client.post(url("cancel", request.pk))

    assert reread(request).state == State.CANCELLED
    with tenant_context(contoso.pk):
        assert request.steps.filter(state="verified").count() == 2
        assert request.steps.filter(state="cancelled").count() == 3


def test_an_auditor_reads_and_steers_nothing(client, sign_in, contoso, megan, nestor):
    request = asked(contoso, megan, crowd(contoso, 5))
    sign_in(client, nestor)

    page = client.get(url("detail", request.pk)).content.decode()

    assert url("pause", request.pk) not in page
    for name in ("pause", "cancel", "retry", "approve", "override"):
        assert client.post(url(name, request.pk)).status_code == 403
    assert reread(request).state == State.RUNNING


def test_what_failed_is_tried_again_as_a_linked_request(client, sign_in, contoso, megan):
    request = asked(contoso, megan, crowd(contoso, 45))
    put(request, 43, "verified", accepted_at=NOW(), finished_at=NOW())
    put(request, 2, "failed", finished_at=NOW())
    finish(request)
    sign_in(client, megan)

    answer = client.post(url("retry", request.pk))

    with tenant_context(contoso.pk):
        again = RevocationRequest.objects.get(follows=request)
    assert answer["Location"] == url("detail", again.pk)
    assert again.step_count == 2


# --- Approval -----------------------------------------------------------------------------------------


@pytest.fixture
def waiting(contoso, megan):
    return asked(contoso, megan, crowd(contoso, 51))


def test_the_approver_sees_the_digest_and_starts_it(client, sign_in, isaiah, waiting):
    sign_in(client, isaiah)

    page = client.get(url("approve", waiting.pk)).content.decode()
    client.post(url("approve", waiting.pk), {"digest": waiting.digest})

    assert waiting.digest in page
    assert reread(waiting).state == State.RUNNING
    assert waiting.approver_label == "Isaiah Langer"


def test_nobody_approves_their_own(client, sign_in, megan, waiting):
    sign_in(client, megan)

    assert url("approve", waiting.pk) not in client.get(url("detail", waiting.pk)).content.decode()
    client.post(url("approve", waiting.pk), {"digest": waiting.digest})

    assert reread(waiting).state == State.AWAITING_APPROVAL


def test_another_digest_than_the_steps_approves_nothing(client, sign_in, isaiah, waiting):
    sign_in(client, isaiah)

    answer = client.post(url("approve", waiting.pk), {"digest": "f" * 64}, follow=True)

    assert reread(waiting).state == State.AWAITING_APPROVAL
    assert list(answer.context["messages"])


def test_a_rejected_one_changes_nothing(client, sign_in, isaiah, waiting):
    sign_in(client, isaiah)

    silent = client.post(url("reject", waiting.pk), {"reason": " "})
    assert (silent.status_code, reread(waiting).state) == (422, State.AWAITING_APPROVAL)
    page = client.post(url("reject", waiting.pk), {"reason": "Talk to me first"}, follow=True).content.decode()

    assert reread(waiting).state == State.REJECTED
    assert "Isaiah Langer rejected it" in page
    assert "Talk to me first" in page
    assert "Nothing was changed" in page


def test_who_waits_sees_who_may_approve_and_the_approver_sees_whom_and_why(client, sign_in, megan, isaiah, waiting):
    sign_in(client, megan)
    assert "It waits in the inbox of Isaiah Langer." in " ".join(
        client.get(url("detail", waiting.pk)).content.decode().split()
    )

    sign_in(client, isaiah)
    page = client.get(url("approve", waiting.pk)).content.decode()

    assert "Person 00000, Person 00001" in " ".join(page.split())
    assert waiting.reason in page


def test_an_override_needs_the_tenants_leave_and_a_reason(client, sign_in, contoso, megan, waiting):
    sign_in(client, megan)
    client.post(url("override", waiting.pk), {"reason": "Attack under way", "digest": waiting.digest})
    assert reread(waiting).state == State.AWAITING_APPROVAL

    contoso.allow_emergency_override = True
    contoso.save()
    client.post(url("override", waiting.pk), {"reason": " ", "digest": waiting.digest})
    client.post(url("override", waiting.pk), {"reason": "Attack under way", "digest": "f" * 64})
    assert reread(waiting).state == State.AWAITING_APPROVAL
    client.post(url("override", waiting.pk), {"reason": "Attack under way", "digest": waiting.digest})

    assert reread(waiting).state == State.RUNNING
    with tenant_context(contoso.pk):
        entry = AuditEntry.objects.get(event="revocation.request.overridden", request_id=waiting.pk)
    assert entry.reason == "Attack under way"


# --- Taking away --------------------------------------------------------------------------------------


def test_results_are_one_row_per_person_and_the_download_is_recorded(client, sign_in, contoso, nestor, megan):
    request = asked(contoso, megan, crowd(contoso, 3))
    put(request, 1, "verified", accepted_at=NOW(), finished_at=NOW(), graph_request_id="abc")
    put(request, 1, "failed", outcome="=HYPERLINK(1)", finished_at=NOW())
    sign_in(client, nestor)

    rows = list(csv.DictReader(io.StringIO(body(client.get(url("results-csv", request.pk))).lstrip("\ufeff"))))
    same = json.loads(body(client.get(url("results-json", request.pk))))

    assert [row["state"] for row in rows] == [row["state"] for row in same] == ["verified", "failed", "waiting"]
    assert rows[0]["graph_request_ids"] == "abc"
    assert rows[1]["outcome"] == "'=HYPERLINK(1)"
    with tenant_context(contoso.pk):
        exports = AuditEntry.objects.filter(event="revocation.result.exported", request_id=request.pk)
        assert [entry.after["what"] for entry in exports.order_by("sequence")] == ["csv", "json"]


def test_the_report_fits_a_page_and_names_who_needs_a_human(client, sign_in, contoso, megan):
    request = asked(contoso, megan, crowd(contoso, 3))
    put(request, 1, "failed", outcome="Restricted unit", finished_at=NOW())
    sign_in(client, megan)

    page = client.get(url("report", request.pk)).content.decode()

    assert "Restricted unit" in page
    assert request.digest in page
    assert "Ed25519" in page


# --- Cost ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "query"),
    [("list", ""), ("detail", ""), ("detail", "?show=all"), ("progress", ""), ("report", ""), ("approve", "")],
)
def test_a_page_costs_the_same_for_few_rows_and_for_many(client, sign_in, contoso, megan, isaiah, name, query):
    sign_in(client, isaiah)

    def cost(people, start):
        request = asked(contoso, megan, crowd(contoso, people, start=start), needs_approval=True)
        address = (url(name) if name == "list" else url(name, request.pk)) + query
        assert client.get(address).status_code == 200
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        return len(queries)

    few, many = cost(15, 0), cost(130, 1000)

    assert few == many <= 38  # the badge of the inbox, and who may approve, included
