"""How Microsoft lets writes through is learned from its answers: both readings of its page are played here."""

import re
from datetime import UTC, datetime, timedelta
from unittest import mock
from uuid import uuid4

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.tenancy import tenant_context
from graph.errors import ThrottleScope
from revocation.models import WriteQuota
from revocation.spine import budget, readings
from tests.factories import make_person
from tests.revocation.copies import asked, crowd
from tests.revocation.spine import calls, one_round, sign_out_many, states

RULE = budget.Rule(3000, 150)
BEGIN = datetime(2026, 11, 26, 12, tzinfo=UTC)
LATENCY = 0.6  # seconds from taking writes to having Microsoft's answer
WIDTH = 160  # writes on their way at a time


class Windows:
    """Opens with the first write; closed writes wait for the end."""

    def __init__(self, amount: int = RULE.amount) -> None:
        self.amount, self.ends, self.used = amount, BEGIN, 0

    def write(self, now: datetime) -> float | None:
        """None where the write was done, else the seconds to wait."""
        if now >= self.ends:
            self.ends, self.used = now + timedelta(seconds=RULE.seconds), 0
        if self.used >= self.amount:
            return float(int((self.ends - now).total_seconds()) + 1)
        self.used += 1
        return None


class Bucket:
    """Refills all the time."""

    def __init__(self, amount: int = RULE.amount) -> None:
        self.amount, self.level, self.at = amount, float(amount), BEGIN

    def write(self, now: datetime) -> float | None:
        self.level = min(self.amount, self.level + (now - self.at).total_seconds() * self.amount / RULE.seconds)
        self.at = now
        if self.level < 1:
            return 1.0
        self.level -= 1
        return None


class Run:
    """A list that is carried out as fast as the budget allows, by a clock that is ours."""

    def __init__(self, tenant, microsoft, at: datetime = BEGIN) -> None:
        self.tenant, self.microsoft, self.now = tenant, microsoft, at
        self.done = self.refused = 0
        self.clicks: list[float] = []  # seconds that each click waited

    def carry_out(self, people: int, click_every: float = 0) -> "Run":
        began, next_click = self.now, self.now + timedelta(seconds=click_every)
        while self.done < people:
            if click_every and self.now >= next_click:
                self.click()
                next_click += timedelta(seconds=click_every)
            allowed = self.take(min(WIDTH, people - self.done))
            if allowed.granted:
                self.done += self.ask(allowed.granted)
            else:
                goes_on_at = min(allowed.again_at, next_click) if click_every else allowed.again_at
                self.now = max(goes_on_at, self.now + timedelta(milliseconds=5))
        self.seconds = (self.now - began).total_seconds()
        return self

    def click(self) -> None:
        asked = self.now
        while True:
            allowed = self.take(1, interactive=True)
            if allowed.granted and self.ask(1):
                break
            self.now = max(self.now, allowed.again_at or self.now)
        self.clicks.append((self.now - asked).total_seconds())

    def take(self, wanted: int, interactive: bool = False) -> budget.Allowance:
        with self.at_our_time(), transaction.atomic():
            return budget.take(self.tenant, wanted, interactive=interactive, high_priority=True)

    def ask(self, writes: int) -> int:
        """How many of them were done."""
        called, arrives = self.now, self.now + timedelta(seconds=LATENCY / 3)
        waits = [self.microsoft.write(arrives) for _ in range(writes)]
        self.now += timedelta(seconds=LATENCY)
        refusals = [wait for wait in waits if wait is not None]
        self.refused += len(refusals)
        with self.at_our_time(), transaction.atomic():
            budget.accepted(self.tenant, [called] * (writes - len(refusals)))
            if refusals:
                budget.throttled(self.tenant, max(refusals))
        return writes - len(refusals)

    def at_our_time(self):
        return mock.patch.object(timezone, "now", return_value=self.now)


def quota_of(tenant) -> WriteQuota:
    return WriteQuota.objects.get(key=f"tenant:{tenant.pk}")


@pytest.fixture(autouse=True)
def _microsofts_quota(settings, db):
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = RULE.amount, RULE.seconds


@pytest.mark.parametrize(
    ("microsoft", "floor", "reading"),
    [(Windows, 450, "windows"), (Bucket, 350, "continuous")],
    ids=["windows", "bucket"],
)
def test_ten_thousand_people_take_what_the_quota_takes(contoso, microsoft, floor, reading):
    run = Run(contoso, microsoft()).carry_out(10_000)

    assert run.seconds <= floor * 1.05
    assert run.refused < 100
    assert quota_of(contoso).reading == reading


@pytest.mark.parametrize("microsoft", [Windows, Bucket])
def test_clicks_meanwhile_wait_for_nothing_but_the_end_of_a_probed_window(contoso, microsoft):
    run = Run(contoso, microsoft()).carry_out(4500, click_every=9)

    assert len(run.clicks) > 12
    assert [wait for wait in run.clicks if wait > 10] == []
    assert sum(wait > 1 for wait in run.clicks) <= 1


def test_what_was_seen_is_kept_with_its_evidence(contoso):
    Run(contoso, Bucket()).carry_out(4000)
    quota = quota_of(contoso)

    assert BEGIN < quota.seen_at < BEGIN + timedelta(seconds=150)
    assert quota.evidence["writes"] > 3000
    assert quota.evidence["seconds"] < 150


def test_the_next_list_needs_no_probe(contoso):
    Run(contoso, microsoft := Bucket()).carry_out(3500)
    later = Run(contoso, microsoft, at=BEGIN + timedelta(hours=1)).carry_out(3500)

    assert later.refused == 0
    assert later.seconds == pytest.approx(500 / RULE.rate, abs=5)


def test_windows_are_tried_again_only_on_another_day(contoso):
    first = Run(contoso, microsoft := Windows()).carry_out(10_000)
    same_day = Run(contoso, microsoft, at=BEGIN + timedelta(hours=1)).carry_out(10_000)
    next_day = Run(contoso, microsoft, at=BEGIN + timedelta(days=2)).carry_out(10_000)

    assert [run.refused for run in (first, same_day, next_day)] == [20, 0, 20]


def test_a_list_shorter_than_a_window_probes_nothing(contoso):
    run = Run(contoso, Windows()).carry_out(2980)

    assert run.refused == 0
    assert quota_of(contoso).reading == ""


@pytest.mark.parametrize(("was", "now"), [(Bucket, Windows), (Windows, Bucket)])
def test_microsoft_may_change_its_mind(contoso, was, now):
    Run(contoso, was()).carry_out(3500)
    run = Run(contoso, now(), at=BEGIN + timedelta(days=2)).carry_out(4500)

    assert quota_of(contoso).reading == {Windows: "windows", Bucket: "continuous"}[now]
    assert run.done == 4500
    assert run.refused < 2 * WIDTH


def test_half_of_what_the_page_says_is_no_proof_of_either(contoso):
    """Somebody else writes with the same registration, or the page is out of date."""
    Run(contoso, Bucket()).carry_out(3500)
    run = Run(contoso, Bucket(amount=1500), at=BEGIN + timedelta(days=2)).carry_out(2500)

    assert quota_of(contoso).reading == ""
    assert run.done == 2500


@pytest.mark.parametrize("scope", [ThrottleScope.TENANT, ThrottleScope.APP])
def test_a_limit_that_others_share_tells_nothing(contoso, scope):
    run = Run(contoso, Windows())
    run.take(2980)
    run.now += timedelta(seconds=145)
    assert run.take(WIDTH).granted == 40
    with run.at_our_time(), transaction.atomic():
        budget.throttled(contoso, 5, scope)

    assert quota_of(contoso).reading == ""


def test_a_share_is_kept_even_where_more_would_tell_us_something(contoso):
    contoso.write_share_percent = 50
    contoso.save()
    with transaction.atomic():
        budget.take(contoso, 3000, interactive=False)
    late = timezone.now() + timedelta(seconds=146)

    with mock.patch.object(timezone, "now", return_value=late), transaction.atomic():
        assert budget.take(contoso, 160, interactive=False).granted == 0


# --- What the pages say ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        ("", "Whether Microsoft lets writes through continuously or in windows of 150 seconds was not seen here yet"),
        ("windows", "Microsoft lets writes through in windows of 150 seconds here, 2,400 in each for this; seen on"),
        ("continuous", "Microsoft lets writes through continuously here, 16 per second in the long run; seen on"),
    ],
)
def test_the_plan_and_the_progress_say_what_was_seen(contoso, client, sign_in, reading, says):
    megan = make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")
    quota = readings.fresh(f"tenant:{contoso.pk}", RULE, timezone.now())
    quota.reading, quota.seen_at = reading, BEGIN if reading else None
    quota.save()
    request = asked(contoso, megan, crowd(contoso, 30), needs_approval=False)
    sign_in(client, megan)

    listed = {"source": "paste", "recipe": "sign_out", "text": "person1@contoso.example"}
    preview = client.post(reverse("revocation:new", args=["contoso"]), listed, follow=True)
    progress = client.get(reverse("revocation:progress", args=["contoso", request.pk]))

    for page in (preview, progress):
        text = " ".join(re.sub(r"<[^>]*>", "", page.content.decode()).split())
        assert says in text
        assert ("12:00:00" in text or "12:00" in text) == bool(reading)


# --- One decision at a time -----------------------------------------------------------------------------


def used_up(**fields) -> WriteQuota:
    quota = readings.fresh("tenant:x", RULE, BEGIN)
    readings.take(quota, 2980)
    for name, value in fields.items():
        setattr(quota, name, value)
    return quota


@pytest.mark.parametrize(
    ("after", "fields", "writes"),
    [
        (140, {}, 0),
        (143, {}, 40),
        (148, {}, 40),
        (149, {}, 0),  # its answer might be the next window's
        (145, {"taken": 2995}, 25),
        (145, {"taken": 2900}, 0),  # there is room yet: nothing would be learned
        (145, {"taken": 3020}, 0),  # it is out already
        (145, {"reading": "continuous"}, 0),
        (145, {"probe_after": BEGIN + timedelta(hours=1)}, 0),
        (145, {"probe_after": BEGIN - timedelta(hours=1), "reading": "windows"}, 40),
        (145, {"level": -2000.0}, 0),  # neither reading would allow it
    ],
)
def test_a_probe_goes_out_where_the_readings_disagree(after, fields, writes):
    now = BEGIN + timedelta(seconds=after)
    quota = readings.bring_up_to(now, used_up(**fields), RULE)

    assert readings.probe(quota, RULE, now) == writes


def test_only_what_was_answered_in_time_is_counted():
    quota = used_up()

    readings.accepted(quota, RULE, [BEGIN] * 2990, BEGIN + timedelta(seconds=14))
    readings.accepted(quota, RULE, [BEGIN - timedelta(seconds=1)] * 2000, BEGIN + timedelta(seconds=20))
    readings.accepted(quota, RULE, [BEGIN + timedelta(seconds=149)] * 40, BEGIN + timedelta(seconds=151))

    assert (quota.accepted, quota.reading) == (2990, "")


def test_a_429_that_both_readings_foresee_tells_nothing():
    now = BEGIN + timedelta(seconds=20)
    quota = readings.bring_up_to(now, used_up(taken=3001, level=-500.0), RULE)

    assert not readings.refused(quota, RULE, now, now + timedelta(seconds=130))
    assert (quota.reading, quota.blocked_until) == ("", now + timedelta(seconds=130))


def test_a_window_of_microsofts_that_ends_later_moves_ours():
    now = BEGIN + timedelta(seconds=100)
    quota = readings.bring_up_to(now, used_up(taken=500), RULE)

    readings.refused(quota, RULE, now, until := now + timedelta(seconds=140))

    assert readings.closes(quota, RULE) == until
    assert readings.room(quota, RULE, quota.reading) == 0


# --- The portal and the sandbox together ----------------------------------------------------------------


@pytest.fixture
def later(entra, monkeypatch):
    """Moves the portal's clock and the sandbox's."""
    passed = [0.0]
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(seconds=passed[0]))

    def move(seconds: float) -> None:
        passed[0] += seconds
        entra.control("POST", "clock", json={"advance": seconds})

    return move


@pytest.mark.parametrize(("reading", "seen", "refused"), [("window", "windows", 2), ("bucket", "continuous", 0)])
def test_the_sandbox_is_found_out(at_contoso, entra, world, megan, settings, later, reading, seen, refused):
    people = [one for one in world["tenants"][0]["users"] if not one["guest"]]
    settings.GRAPH_TENANT_WRITES = amount = len(people) - 2  # half of so small a quota is kept for clicks
    limit = {"amount": amount, "seconds": RULE.seconds}
    entra.control("POST", "quota", json={"reading": reading, "writes_per_app_and_tenant": limit, "clear": True})
    request = sign_out_many(at_contoso, megan, people, high_priority=True)

    one_round(at_contoso)
    assert states(request).count("accepted") == amount // 2
    later(145)
    one_round(at_contoso)

    assert states(request).count("waiting") == refused
    assert quota_of(at_contoso).reading == seen
    later(10)
    one_round(at_contoso)
    assert "waiting" not in states(request)


def test_a_limit_over_all_tenants_holds_every_tenant_up(at_contoso, entra, world, megan, robin, later):
    limit = {"amount": 3, "seconds": 60.0}
    entra.control("POST", "quota", json={"reading": "window", "writes_per_app": limit, "clear": True})
    people = {one["id"]: [u for u in one["users"] if not u["guest"]] for one in world["tenants"]}
    ours = sign_out_many(at_contoso, megan, people[str(at_contoso.pk)][:5])
    one_round(at_contoso)
    assert states(ours).count("waiting") == 2

    with tenant_context(robin.tenant.pk):
        theirs = sign_out_many(robin.tenant, robin, people[str(robin.tenant.pk)][:2])
        asked = len(calls(entra, "POST", "revokeSignInSessions"))
        one_round(robin.tenant)
        assert set(states(theirs)) == {"waiting"}
        assert len(calls(entra, "POST", "revokeSignInSessions")) == asked

        later(62)
        one_round(robin.tenant)
        assert "waiting" not in states(theirs)
