"""No page, report, file or command says of a request what its rows do not bear out, whatever state it is in.

Requests are written as rows in every mix of states that a request can be in. What may be said of them is worked out
here from the rows alone, by other code than the pages'.
"""

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings as hypothesis, strategies as st

from accounts.access import Actor
from accounts.tenancy import tenant_context
from revocation.lists.selection import AT_RISK
from revocation.models import RevocationRequest, RevocationStep
from tests.factories import make_person
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db

R, S = RevocationRequest.State, RevocationStep.State
ASKED = {S.ACCEPTED, S.VERIFIED, S.NO_EFFECT, S.FAILED, S.UNCONFIRMED}
TAKEN = {S.ACCEPTED, S.VERIFIED, S.NO_EFFECT, S.UNCONFIRMED}
# Which states steps can have in which state of their request.
CAN_BE = {
    R.AWAITING_APPROVAL: [S.WAITING],
    R.REJECTED: [S.CANCELLED],
    R.EXPIRED: [S.CANCELLED],
    R.RUNNING: [S.WAITING, S.CLAIMED, S.ACCEPTED, S.VERIFIED, S.NO_EFFECT, S.FAILED, S.UNCONFIRMED],
    R.PAUSED: [S.WAITING, S.CLAIMED, S.ACCEPTED, S.VERIFIED, S.NO_EFFECT, S.FAILED, S.UNCONFIRMED],
    R.CANCELLED: [S.CANCELLED, S.CLAIMED, S.ACCEPTED, S.VERIFIED, S.NO_EFFECT, S.FAILED, S.UNCONFIRMED],
    R.FINISHED: [S.VERIFIED, S.NO_EFFECT, S.FAILED, S.UNCONFIRMED],
}
SIGN_OUT, APP = "revoke_sessions", "delete_grant"


@dataclass(frozen=True)
class Case:
    state: str
    steps: tuple[tuple[str, bool], ...]  # state, whether it is one of the most urgent
    action: str
    portal_sessions: bool  # each person's sessions in the portal are ended too
    many: bool

    @property
    def people(self) -> bool:
        return self.action == SIGN_OUT


def cases() -> st.SearchStrategy[Case]:
    def of(state: str) -> st.SearchStrategy[Case]:
        step = st.tuples(st.sampled_from(CAN_BE[state]), st.booleans())
        return st.builds(
            Case,
            state=st.just(state),
            steps=st.lists(step, min_size=1, max_size=9).map(tuple),
            action=st.sampled_from([SIGN_OUT, APP]),
            portal_sessions=st.booleans(),
            many=st.booleans(),
        )

    return st.sampled_from(list(CAN_BE)).flatmap(of)


# --- The rows -------------------------------------------------------------------------------------------


def write(tenant, actor: Actor, case: Case) -> RevocationRequest:
    now = timezone.now()
    closed = case.state in (R.REJECTED, R.EXPIRED, R.CANCELLED, R.FINISHED)
    request = RevocationRequest.objects.create(
        tenant=tenant,
        kind="sign_out" if case.people else "revoke_user_consent",
        title="What was asked for",
        state=case.state,
        actor_id=actor.id,
        actor_label=actor.label,
        digest="0" * 64,
        step_count=len(case.steps),
        interactive=not case.many,
        needs_approval=case.state in (R.AWAITING_APPROVAL, R.REJECTED, R.EXPIRED),
        approval_expires_at=now + timedelta(hours=1),
        finished_at=now if closed else None,
    )
    rows = []
    for place, (state, urgent) in enumerate(case.steps):
        target = str(uuid4())
        facts = {
            "tenant": tenant,
            "request": request,
            "target_id": target,
            "target_label": f"Target {place}",
            "interactive": not case.many,
        }
        rows.append(
            RevocationStep(
                **facts,
                position=len(rows),
                action=case.action,
                target_type="user" if case.people else "grant",
                params={"upn": f"target{place}@contoso.example"} if case.people else {},
                urgency=AT_RISK if urgent else 50,
                state=state,
                accepted_at=now if state in TAKEN else None,
                finished_at=now if state not in (S.WAITING, S.CLAIMED, S.ACCEPTED) else None,
                called_at=now if state in ASKED else None,
                outcome="Microsoft refused this one." if state == S.FAILED else "",
            )
        )
        if case.portal_sessions and case.people:
            local = state if state in (S.WAITING, S.CANCELLED) else S.VERIFIED
            ended = {"accepted_at": now, "finished_at": now} if local == S.VERIFIED else {}
            rows.append(
                RevocationStep(
                    **facts, position=len(rows), action="end_portal_sessions", target_type="user", state=local, **ended
                )
            )
    RevocationStep.objects.bulk_create(rows)
    request.step_count = len(rows)
    request.actions = dict(Counter(row.action for row in rows))
    request.save()
    return request


# --- What may be said -----------------------------------------------------------------------------------


class Truth:
    """What the rows bear out."""

    def __init__(self, request: RevocationRequest) -> None:
        self.rows = list(request.steps.order_by("position"))
        self.main = [row for row in self.rows if row.action != "end_portal_sessions"]
        self.states = Counter(row.state for row in self.main)
        self.n = len(self.main)
        self.unit = "people" if self.main[0].action == SIGN_OUT else "steps"
        self.request = request

    @property
    def thing(self) -> str:
        one = {"people": "person", "steps": "step"}[self.unit]
        return f"{self.n} {self.unit if self.n != 1 else one}"

    def count(self, *states: str) -> int:
        return sum(self.states[state] for state in states)

    def check(self, text: str) -> None:
        """Every sentence of a page or a file that promises something."""
        asked = self.count(*ASKED)
        if "Done, and proved" in text:
            assert self.count(S.VERIFIED) == self.n
        for found in re.finditer(r"(?:Nothing|nothing) was changed", text):
            assert not self.count(*TAKEN, S.CLAIMED) or self.count(S.CANCELLED, S.FAILED), found
        if re.search(r"It was rejected|Not approved|It was not approved", text):
            assert self.request.state in (R.REJECTED, R.EXPIRED)
        if re.search(r"privileged and at-risk people|most urgent step", text):
            assert any(row.target_type == "user" for row in self.rows)
        if found := re.search(r"all (\d+) most urgent steps", text):
            urgent = [row for row in self.rows if row.urgency <= AT_RISK]
            assert int(found[1]) == len(urgent)
            assert {row.state for row in urgent} <= TAKEN
        for number, total in re.findall(r"(\d+) of (\d+) (?:person|people|step|steps)\b", text):
            assert (int(number), int(total)) == (asked, self.n)
        if "Stopped after" in text:
            assert self.request.state == R.CANCELLED
        if re.search(r"\bstill (?:waiting|wait)\b|Still waiting", text):
            assert any(row.state in (S.WAITING, S.CLAIMED) for row in self.rows)
        if "Microsoft is being asked" in text and self.n == len(self.rows) == 1:
            assert self.count(S.WAITING, S.CLAIMED)
        for word, state in (("failed", S.FAILED), ("unconfirmed", S.UNCONFIRMED), ("without effect", S.NO_EFFECT)):
            for number in re.findall(rf"\b(\d+) {word}", text):
                assert int(number) == self.count(state), (number, word)
        if "last access token ends" in text.lower():
            assert self.count(S.ACCEPTED, S.VERIFIED, S.UNCONFIRMED)

    def check_headline(self, page: str) -> None:
        title = plain(re.search(r'id="live-title">(.*?)</h2>', page, re.S)[1])
        if title in ("Under way", "Paused"):
            assert self.count(S.WAITING, S.CLAIMED)
        if title.startswith("Accepted"):
            assert self.count(S.ACCEPTED, S.UNCONFIRMED)
        if title == "It could not be done":
            assert self.count(S.FAILED) == self.n
        if title == "It had no effect":
            assert self.count(S.NO_EFFECT) == self.n

    def outcome(self) -> str:
        """The state in words, as every place says it."""
        words = {S.FAILED: "failed", S.UNCONFIRMED: "unconfirmed", S.NO_EFFECT: "without effect"}
        said = [f"{self.count(state)} {word}" for state, word in words.items() if self.count(state)]
        return ", ".join([str(self.request.get_state_display()), *said])

    def how_far(self) -> str:
        asked = self.count(*ASKED)
        if self.request.state in (R.REJECTED, R.EXPIRED):
            return "Nothing was changed"
        if self.request.state == R.AWAITING_APPROVAL:
            return f"Not begun: {self.thing}"
        if self.request.state == R.CANCELLED:
            if self.count(S.CANCELLED) == self.n:
                return "Nothing was changed"
            return f"Stopped after {asked} of {self.thing}"
        return f"{asked} of {self.thing}"


def plain(html: str) -> str:
    """What a reader sees: no tags, no scripts, one blank between words."""
    html = re.sub(r"<(script|style|head)\b.*?</\1>", " ", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def stage(contoso, client):
    nestor = make_person(contoso, uuid4(), "Nestor Wilke", "auditor", "tenant_admin")
    sign_in(client, nestor)
    return contoso, client, Actor(str(uuid4()), "Megan Bowen")


@given(case=cases())
@hypothesis(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_every_place_says_what_the_rows_say(stage, case: Case):
    tenant, client, actor = stage
    with tenant_context(tenant.pk):
        RevocationStep.objects.all().delete()
        RevocationRequest.objects.all().delete()
        request = write(tenant, actor, case)
        truth = Truth(request)

    page = _read(client, "revocation:detail", request)
    told = plain(page)
    truth.check(told)
    truth.check_headline(page)
    chips = dict(re.findall(r"(Failed|Verified|Accepted|Waiting|Cancelled|Unconfirmed|No effect|All) (\d+)", told))
    counted = Counter(row.get_state_display() for row in truth.rows)
    for label, number in counted.items():
        assert int(chips.get(label, number)) == number, (label, chips)

    row = plain(client.get(reverse("revocation:list", args=["contoso"])).content.decode())
    truth.check(row)
    state, *faults = truth.outcome().split(", ")
    assert f"{state} {', '.join([truth.how_far(), *faults])}" in row

    report = _read(client, "revocation:report", request)
    truth.check(plain(report))
    assert f"{truth.outcome()}; {truth.how_far()}" in plain(report)
    signed = json.loads(_read(client, "revocation:report-json", request))["report"]
    assert (signed["outcome"], signed["how_far"]) == (truth.outcome(), truth.how_far())
    assert {state: n for state, n in signed["counts"].items() if n} == Counter(row.state for row in truth.rows)
    took = [row for row in truth.main if row.state in (S.ACCEPTED, S.VERIFIED, S.UNCONFIRMED)]
    assert bool(signed["access_tokens_end_by"]) == bool(took)

    _check_results(truth, _read(client, "revocation:results-csv", request))

    with tenant_context(tenant.pk):
        out = io.StringIO()
        call_command("revocations", "--tenant", "contoso", stdout=out)
    if request.is_open or "What was asked for" in out.getvalue():
        assert truth.outcome() in out.getvalue()
        assert truth.how_far() in out.getvalue()


def _read(client: Client, name: str, request: RevocationRequest) -> str:
    answer = client.get(reverse(name, args=["contoso", request.pk]))
    assert answer.status_code == 200
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def _check_results(truth: Truth, text: str) -> None:
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert len(rows) == truth.n
    for row, step in zip(rows, truth.main, strict=True):
        assert bool(row["accepted_at"]) == (step.state in TAKEN), row
        assert row["upn"] == step.params.get("upn", "")
        if step.state in (S.FAILED, S.UNCONFIRMED):
            assert row["state"] == step.state


@pytest.mark.parametrize("state", CAN_BE)
def test_a_state_is_told_alike_for_one_step_and_for_many(stage, state):
    """The smallest and a large one of each state, without hypothesis' luck."""
    tenant, client, actor = stage
    for steps in (1, 20):
        for action in (SIGN_OUT, APP):
            mix = [CAN_BE[state][place % len(CAN_BE[state])] for place in range(steps)]
            case = Case(state, tuple((one, place < 3) for place, one in enumerate(mix)), action, True, steps > 1)
            with tenant_context(tenant.pk):
                request = write(tenant, actor, case)
                truth = Truth(request)
            truth.check(plain(_read(client, "revocation:detail", request)))
            truth.check(plain(_read(client, "revocation:report", request)))
