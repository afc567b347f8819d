"""Figures for Prometheus, from the rows themselves: true whichever process answers, and whatever was restarted.

Labels carry a tenant's slug and a state, never a person. https://prometheus.io/docs/practices/naming/

Each tenant is asked in its own context, because row-level security shows nothing of several at once: the number of
queries grows with that of the tenants.
"""

import platform
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db.models import Avg, Count, F
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts.models import Tenant
from accounts.tenancy import no_context, tenant_context
from audit import heads, tally
from audit.models import AuditEvent
from directory import selectors as directory
from graph import certificate
from portal import VERSION
from revocation.models import Heartbeat, RevocationRequest, RevocationStep
from revocation.spine import budget, overdue
from revocation.spine.sweeper import BEAT

WINDOW = timedelta(minutes=5)
# What a 429 calls itself; the plain number where its body said nothing.
THROTTLED = ["TooManyRequests", "Request_ThrottledTemporarily", "429"]

# Name, labels, what it tells. What ends in _total only rises; everything else is as of now.
FAMILIES: dict[str, tuple[tuple[str, ...], str]] = {
    "consentry_build_info": (("version", "python"), "What runs here; always 1."),
    "consentry_certificate_expiry_seconds": ((), "Time until the portal's own certificate ends; below 0 afterwards."),
    "consentry_sweeper_age_seconds": ((), "Time since the sweeper last came round."),
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
    "consentry_graph_write_mean_seconds": (("tenant",), "From a write's call to its acceptance, mean of five minutes."),
    "consentry_graph_blocked_seconds": (("tenant",), "Time until Microsoft lets us write in this tenant again."),
    "consentry_quota_writes_left": (("tenant",), "Writes the tenant's quota lets out now, without those for clicks."),
    "consentry_audit_entries_total": (("tenant",), "Entries of the audit record."),
    "consentry_audit_head_lag_seconds": (
        ("tenant",),
        "Age of the oldest entry that no signed head outside vouches for.",
    ),
    "consentry_audit_head_lag_entries": (("tenant",), "Entries that no signed head outside the database vouches for."),
}
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

Sample = tuple[str, tuple[str, ...], float]  # name, the labels' values, value


class Figures(Collector):
    """Everything there is to tell, asked for anew each time."""

    def collect(self) -> Iterable[Metric]:
        families = {name: _family(name) for name in FAMILIES}
        for name, labels, value in _samples():
            families[name].add_metric(labels, value)
        return [family for family in families.values() if family.samples]


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


def _samples() -> Iterator[Sample]:
    yield "consentry_build_info", (VERSION, platform.python_version()), 1
    if ends := certificate.expires_at():
        yield "consentry_certificate_expiry_seconds", (), (ends - timezone.now()).total_seconds()
    if (age := sweeper_age()) is not None:
        yield "consentry_sweeper_age_seconds", (), age
    with no_context():
        for tenant in Tenant.objects.filter(state=Tenant.State.ACTIVE).order_by("slug"):
            with tenant_context(tenant.pk):
                for name, labels, value in (*_work(tenant), *_microsoft(tenant), *_record(tenant), *_copy(tenant)):
                    yield name, (tenant.slug, *labels), value


def _work(tenant: Tenant) -> Iterator[Sample]:
    still_open = RevocationRequest.objects.open().filter(tenant=tenant)
    open_requests = dict(still_open.values_list("state").annotate(n=Count("id")).order_by())
    for state in RevocationRequest.OPEN:
        yield "consentry_open_requests", (state,), open_requests.get(state, 0)
    unsettled = RevocationStep.objects.filter(tenant=tenant).unsettled()
    counts = dict(unsettled.values_list("state").annotate(n=Count("id")).order_by())
    for state in RevocationStep.UNSETTLED:
        yield "consentry_open_steps", (state,), counts.get(state, 0)
    yield "consentry_overdue_seconds", (), overdue.seconds(tenant)


def _microsoft(tenant: Tenant) -> Iterator[Sample]:
    now = timezone.now()
    recent = RevocationStep.objects.filter(tenant=tenant, accepted_at__gte=now - WINDOW, called_at__isnull=False)
    latency = recent.aggregate(mean=Avg(F("accepted_at") - F("called_at")))["mean"]
    if latency is not None:
        yield "consentry_graph_write_mean_seconds", (), latency.total_seconds()
    quota = budget.outlook(tenant, high_priority=True)
    if quota.rule:
        yield "consentry_quota_writes_left", (), quota.room
    blocked = (quota.blocked_until - now).total_seconds() if quota.blocked_until else 0.0
    yield "consentry_graph_blocked_seconds", (), max(0.0, blocked)


def _record(tenant: Tenant) -> Iterator[Sample]:
    counted = tally.of(tenant.pk)
    yield "consentry_audit_entries_total", (), counted.sequence
    yield "consentry_graph_throttled_total", (), sum(counted.codes[code] for code in THROTTLED)
    for name, events in (
        ("consentry_step_events_total", STEP_EVENTS),
        ("consentry_sign_ins_total", SIGN_INS),
        ("consentry_directory_reads_total", READINGS),
    ):
        for event, label in events.items():
            yield name, (label,), counted.events[event]
    lag = heads.lag(tenant.pk)
    yield "consentry_audit_head_lag_seconds", (), lag.seconds
    yield "consentry_audit_head_lag_entries", (), lag.entries


def _copy(tenant: Tenant) -> Iterator[Sample]:
    """What was never read to the end has no age; the failed readings tell of it."""
    for collection in directory.freshness(tenant).values():
        if collection.complete_at:
            age = (timezone.now() - collection.complete_at).total_seconds()
            yield "consentry_directory_age_seconds", (collection.kind,), max(0.0, age)
