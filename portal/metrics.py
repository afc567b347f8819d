"""Figures for Prometheus, from the rows themselves: true whichever process answers, and whatever was restarted.

Labels carry a tenant's slug and a state, never a person. https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Avg, Count, F
from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import no_context, tenant_context
from audit import heads
from audit.models import AuditEntry, AuditEvent
from revocation.models import Heartbeat, RevocationRequest, RevocationStep
from revocation.spine import budget, overdue
from revocation.spine.sweeper import BEAT

WINDOW = timedelta(minutes=5)
# What a 429 calls itself; the plain number where its body said nothing.
THROTTLED = ["TooManyRequests", "Request_ThrottledTemporarily", "429"]

FAMILIES = {
    "consentry_steps": "Steps of open revocations, by state.",
    "consentry_overdue_seconds": "Time in which due steps could have been carried out and none was.",
    "consentry_requests": "Open revocation requests, by state.",
    "consentry_graph_throttled_recent": "Answers 429 from Microsoft Graph in the last five minutes.",
    "consentry_graph_write_seconds_avg": "Time from a write's call to its acceptance, mean of the last five minutes.",
    "consentry_graph_blocked_seconds": "Time until Microsoft lets us write in this tenant again.",
    "consentry_quota_writes_left": "Writes that the tenant's quota lets out now, without those kept for clicks.",
    "consentry_audit_head_lag_seconds": "Age of the oldest audit entry that no signed head outside vouches for.",
    "consentry_audit_head_lag_entries": "Audit entries that no signed head outside the database vouches for.",
    "consentry_sweeper_age_seconds": "Time since the sweeper last came round.",
}


def lines() -> list[str]:
    """The whole exposition, line by line."""
    found: dict[str, list[str]] = {name: [] for name in FAMILIES}
    with no_context():
        for tenant in Tenant.objects.filter(state=Tenant.State.ACTIVE).order_by("slug"):
            with tenant_context(tenant.pk):
                for name, labels, value in _of(tenant):
                    found[name].append(_sample(name, {"tenant": tenant.slug, **labels}, value))
    if (age := sweeper_age()) is not None:
        found["consentry_sweeper_age_seconds"].append(_sample("consentry_sweeper_age_seconds", {}, age))
    written: list[str] = []
    for name, text in FAMILIES.items():
        if found[name]:
            written += [f"# HELP {name} {text}", f"# TYPE {name} gauge", *found[name]]
    return written


def sweeper_age() -> float | None:
    """Seconds since the last sweep; None when there never was one."""
    beat = Heartbeat.objects.filter(name=BEAT).first()
    return max(0.0, (timezone.now() - beat.at).total_seconds()) if beat else None


def _of(tenant: Tenant) -> Iterator[tuple[str, dict, float]]:
    now = timezone.now()
    still_open = RevocationRequest.objects.open().filter(tenant=tenant)
    open_requests = dict(still_open.values_list("state").annotate(n=Count("id")).order_by())
    for state in RevocationRequest.OPEN:
        yield "consentry_requests", {"state": state}, open_requests.get(state, 0)
    steps = RevocationStep.objects.filter(tenant=tenant)
    counts = dict(steps.unsettled().values_list("state").annotate(n=Count("id")).order_by())
    for state in RevocationStep.UNSETTLED:
        yield "consentry_steps", {"state": state}, counts.get(state, 0)
    yield "consentry_overdue_seconds", {}, overdue.seconds(tenant)
    recent = steps.filter(accepted_at__gte=now - WINDOW, called_at__isnull=False)
    latency = recent.aggregate(mean=Avg(F("accepted_at") - F("called_at")))["mean"]
    if latency is not None:
        yield "consentry_graph_write_seconds_avg", {}, latency.total_seconds()
    throttled = AuditEntry.objects.filter(
        tenant_id=tenant.pk, event=AuditEvent.STEP_RETRIED, at__gte=now - WINDOW, after__code__in=THROTTLED
    )
    yield "consentry_graph_throttled_recent", {}, throttled.count()
    quota = budget.outlook(tenant, high_priority=True)
    if quota.rule:
        yield "consentry_quota_writes_left", {}, quota.room
    blocked = (quota.blocked_until - now).total_seconds() if quota.blocked_until else 0.0
    yield "consentry_graph_blocked_seconds", {}, max(0.0, blocked)
    lag = heads.lag(tenant.pk)
    yield "consentry_audit_head_lag_seconds", {}, lag.seconds
    yield "consentry_audit_head_lag_entries", {}, lag.entries


def _sample(name: str, labels: dict[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(str(text))}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
