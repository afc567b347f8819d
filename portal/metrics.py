"""Figures for Prometheus, from the rows themselves: true whichever process answers, and whatever was restarted.

Labels carry a tenant's slug and a state, never a person. https://prometheus.io/docs/practices/naming/

Each tenant is asked in its own context, because row-level security shows nothing of several at once. The database goes
from one to the next by itself (`accounts.everywhere`): the number of queries is the same however many there are.
"""

import platform
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.db.models import Count
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from accounts import durations, everywhere, outages
from accounts.everywhere import HERE
from accounts.models import Tenant
from accounts.tenancy import no_context
from audit import heads, tally
from audit.heads import Lag
from audit.models import AuditEvent
from audit.tally import Tally
from directory.models import Collection
from graph import certificate
from graph.clouds import installed
from portal import VERSION
from revocation.models import Heartbeat, RevocationRequest, RevocationStep, WriteQuota
from revocation.spine import budget, overdue
from revocation.spine.sweeper import BEAT

# What a 429 calls itself; the plain number where its body said nothing.
THROTTLED = ["TooManyRequests", "Request_ThrottledTemporarily", "429"]

# Name, labels, what it tells. What ends in _total only rises, and so do histograms; everything else is as of now.
FAMILIES: dict[str, tuple[tuple[str, ...], str]] = {
    "consentry_build_info": (("version", "python"), "What runs here; always 1."),
    "consentry_certificate_expiry_seconds": ((), "Time until the portal's own certificate ends; below 0 afterwards."),
    "consentry_sweeper_age_seconds": ((), "Time since the sweeper last came round."),
    "consentry_microsoft_silent_seconds": (("host",), "Time for which a host of Microsoft's has answered nobody."),
    "consentry_open_requests": (("tenant", "state"), "Open revocation requests, by state."),
    "consentry_open_steps": (("tenant", "state"), "Steps of open revocations, by state."),
    "consentry_overdue_seconds": (("tenant",), "Time in which due steps could have been carried out and none was."),
    "consentry_step_events_total": (("tenant", "event"), "What became of steps. A step put off is counted each time."),
    "consentry_sign_ins_total": (("tenant", "result"), "Sign-ins to the portal, by result."),
    "consentry_directory_reads_total": (
        ("tenant", "result"),
        "Lists of the directory read in full, and failures that began.",
    ),
    "consentry_directory_age_seconds": (("tenant", "collection"), "Time since the copy was last read to the end."),
    "consentry_graph_throttled_total": (("tenant",), "Writes that Microsoft Graph answered with 429."),
    "consentry_graph_blocked_seconds": (("tenant",), "Time until Microsoft lets us write in this tenant again."),
    "consentry_quota_writes_left": (("tenant",), "Writes the tenant's quota lets out now, without those for clicks."),
    "consentry_audit_entries_total": (("tenant",), "Entries of the audit record."),
    "consentry_audit_head_lag_seconds": (
        ("tenant",),
        "Age of the oldest entry that no signed head outside vouches for.",
    ),
    "consentry_audit_head_lag_entries": (("tenant",), "Entries that no signed head outside the database vouches for."),
} | {each.name: (each.labels, each.text) for each in durations.ALL}
STEP_EVENTS = {
    AuditEvent.STEP_ACCEPTED: "accepted",
    AuditEvent.STEP_VERIFIED: "verified",
    AuditEvent.STEP_NO_EFFECT: "no_effect",
    AuditEvent.STEP_RETRIED: "put_off",
    AuditEvent.STEP_FAILED: "failed",
    AuditEvent.STEP_UNCONFIRMED: "unconfirmed",
}
SIGN_INS = {AuditEvent.SIGNED_IN: "ok", AuditEvent.SIGN_IN_REFUSED: "refused"}
READINGS = {AuditEvent.DIRECTORY_SYNCED: "ok", AuditEvent.DIRECTORY_SYNC_FAILED: "failed"}

Rows = list[dict[str, Any]]
Sample = tuple[str, tuple[str, ...], float]  # name, the labels' values, value


class Figures(Collector):
    """Everything there is to tell, asked for anew each time."""

    def collect(self) -> Iterable[Metric]:
        families = {name: _family(name) for name in FAMILIES if name not in _HISTOGRAMS}
        for name, labels, value in _samples():
            families[name].add_metric(labels, value)
        return [family for family in (*families.values(), *_histograms()) if family.samples]


_HISTOGRAMS = {each.name for each in durations.ALL}
_registry = CollectorRegistry(auto_describe=False)
_registry.register(Figures())


def exposition() -> bytes:
    """The whole page, in the text format 0.0.4."""
    return generate_latest(_registry)


def sweeper_age() -> float | None:
    """Seconds since the last sweep; None when there never was one."""
    beat = Heartbeat.objects.filter(name=BEAT).first()
    return max(0.0, (timezone.now() - beat.at).total_seconds()) if beat else None


def _family(name: str) -> CounterMetricFamily | GaugeMetricFamily:
    labels, text = FAMILIES[name]
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    return kind(name, text, labels=labels)


def _histograms() -> Iterator[HistogramMetricFamily]:
    stored = durations.stored()
    for each in durations.ALL:
        family = HistogramMetricFamily(each.name, each.text, labels=each.labels)
        ends = [*map(floatToGoString, each.ends), "+Inf"]
        for row in stored[each.name]:
            # A bucket holds what the ones before it hold, too.
            family.add_metric(row.labels, list(zip(ends, accumulate(row.counts), strict=True)), row.seconds)
        yield family


def _samples() -> Iterator[Sample]:
    yield "consentry_build_info", (VERSION, platform.python_version()), 1
    if ends := certificate.expires_at():
        yield "consentry_certificate_expiry_seconds", (), (ends - timezone.now()).total_seconds()
    if (age := sweeper_age()) is not None:
        yield "consentry_sweeper_age_seconds", (), age
    told = outages.told()
    for host in (installed().login_host, installed().graph_host):
        yield "consentry_microsoft_silent_seconds", (host,), told[host].silent_for if host in told else 0
    with no_context():
        tenants = {one.pk: one for one in Tenant.objects.filter(state=Tenant.State.ACTIVE).order_by("slug")}
        answers = everywhere.ask(_questions(), {tenant_id: {} for tenant_id in tenants})
        counted, lags, quotas = tally.of_all(tenants), heads.lags(tenants), budget.rows()
    for pk, tenant in tenants.items():
        for name, labels, value in (
            *_work(tenant, answers[pk], quotas),
            *_microsoft(tenant, quotas),
            *_record(counted[pk], lags[pk]),
            *_copy(answers[pk]),
        ):
            yield name, (tenant.slug, *labels), value


def _questions() -> dict[str, Any]:
    still_open = RevocationRequest.objects.open().filter(tenant_id=HERE).order_by()
    steps = RevocationStep.objects.unsettled().filter(tenant_id=HERE).order_by()
    copies = Collection.objects.filter(tenant_id=HERE, complete_at__isnull=False).order_by("kind")
    return overdue.questions() | {
        "requests": still_open.values("state").annotate(n=Count("id")),
        "steps": steps.values("state").annotate(n=Count("id")),
        "copies": copies.values("kind", "complete_at"),
    }


def _work(tenant: Tenant, answers: dict[str, Rows], quotas: dict[str, WriteQuota]) -> Iterator[Sample]:
    for name, question, states in (
        ("consentry_open_requests", "requests", RevocationRequest.OPEN),
        ("consentry_open_steps", "steps", RevocationStep.UNSETTLED),
    ):
        counts = {row["state"]: row["n"] for row in answers[question]}
        for state in states:
            yield name, (state,), counts.get(state, 0)
    yield "consentry_overdue_seconds", (), overdue.seconds(tenant, answers, quotas)


def _microsoft(tenant: Tenant, quotas: dict[str, WriteQuota]) -> Iterator[Sample]:
    quota = budget.outlook(tenant, high_priority=True, known=quotas)
    if quota.rule:
        yield "consentry_quota_writes_left", (), quota.room
    blocked = (quota.blocked_until - timezone.now()).total_seconds() if quota.blocked_until else 0.0
    yield "consentry_graph_blocked_seconds", (), max(0.0, blocked)


def _record(counted: Tally, lag: Lag) -> Iterator[Sample]:
    yield "consentry_audit_entries_total", (), counted.sequence
    yield "consentry_graph_throttled_total", (), sum(counted.codes[code] for code in THROTTLED)
    for name, events in (
        ("consentry_step_events_total", STEP_EVENTS),
        ("consentry_sign_ins_total", SIGN_INS),
        ("consentry_directory_reads_total", READINGS),
    ):
        for event, label in events.items():
            yield name, (label,), counted.events[event]
    yield "consentry_audit_head_lag_seconds", (), lag.seconds
    yield "consentry_audit_head_lag_entries", (), lag.entries


def _copy(answers: dict[str, Rows]) -> Iterator[Sample]:
    """What was never read to the end has no age; the failed readings tell of it."""
    for row in answers["copies"]:
        age = (timezone.now() - datetime.fromisoformat(row["complete_at"])).total_seconds()
        yield "consentry_directory_age_seconds", (row["kind"],), max(0.0, age)
