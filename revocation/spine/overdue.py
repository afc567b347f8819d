"""Whether anybody carries out what is due: for alarms.

A long list waits for Microsoft's quota most of its time, and nobody can do anything about it. What counts is the time
in which something could have been done and was not: it is due, no 429 blocks, the quota has room, and no call left.
"""

from datetime import datetime

from django.db.models import Max, Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Tenant
from revocation.models import RevocationRequest, RevocationStep
from revocation.spine import budget, claims

Lane = tuple[bool, bool]  # interactive, high priority: what the quota treats alike


def seconds(tenant: Tenant) -> float:
    """For how long due steps have been left alone that could have been carried out; 0 where none are."""
    now = timezone.now()
    since = []
    for (interactive, high_priority), (due, last_call) in _lanes(tenant, now).items():
        room = budget.opened_at(tenant, interactive=interactive, high_priority=high_priority)
        # While a list is carried out, what is behind in it waits for what is before.
        since.append(max(at for at in (due, last_call, room) if at))
    return max(0.0, *((now - at).total_seconds() for at in since)) if since else 0.0


def _lanes(tenant: Tenant, now: datetime) -> dict[Lane, tuple[datetime, datetime | None]]:
    """For each kind of request with something due: since when, and when a call of that kind last left."""
    running = RevocationStep.objects.filter(tenant=tenant, request__state=RevocationRequest.State.RUNNING)
    lane = ("request__interactive", "request__high_priority")
    waiting = running.filter(claims.is_due(now), state=RevocationStep.State.WAITING).order_by()
    asked = Coalesce("not_before", "request__approved_at", "request__created_at")
    due = {tuple(key): at for *key, at in waiting.values_list(*lane).annotate(at=Min(asked))}
    if not due:
        return {}
    called = running.filter(called_at__isnull=False).order_by().values_list(*lane).annotate(at=Max("called_at"))
    last_calls = {tuple(key): at for *key, at in called}
    return {key: (at, last_calls.get(key)) for key, at in due.items()}
