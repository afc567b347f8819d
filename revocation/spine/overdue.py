"""Whether anybody carries out what is due: for alarms.

A long list waits for Microsoft's quota most of its time, and nobody can do anything about it. What counts is the time
in which something could have been done and was not: it is due, no 429 blocks, the quota has room, and no call left.
"""

from datetime import datetime
from typing import Any

from django.db.models import Max, Min, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.everywhere import HERE
from accounts.models import Tenant
from revocation.models import RevocationRequest, RevocationStep, WriteQuota
from revocation.spine import budget, claims

Rows = list[dict[str, Any]]
_LANE = ("request__interactive", "request__high_priority")


def questions() -> dict[str, QuerySet]:
    """What `accounts.everywhere` is to ask: of each kind of request, since when something is due, and the last call.

    What the quota treats alike is one kind: clicks, lists that may use all of it, and others.
    """
    running = RevocationStep.objects.filter(tenant_id=HERE, request__state=RevocationRequest.State.RUNNING).order_by()
    asked = Coalesce("not_before", "request__approved_at", "request__created_at")
    waiting = running.filter(state=RevocationStep.State.WAITING).values(*_LANE)
    now = timezone.now()
    return {
        "due": waiting.filter(claims.is_due(now)).annotate(at=Min(asked)),
        "waiting": running.filter(state=RevocationStep.State.WAITING, interactive=False)
        .values("interactive")
        .distinct(),
        "called": running.filter(called_at__isnull=False).values(*_LANE).annotate(at=Max("called_at")),
    }


def seconds(tenant: Tenant, answers: dict[str, Rows], quotas: dict[str, WriteQuota]) -> float:
    """For how long due steps have been left alone that could have been carried out; 0 where none are.

    Args:
        answers: to `questions`, of this tenant.
        quotas: what `budget.rows` gave.
    """
    now, late = timezone.now(), [0.0]
    last_calls = _by_lane(answers["called"])
    for lane, due in _by_lane(answers["due"]).items():
        interactive, high_priority = lane
        room = budget.opened_at(
            tenant,
            quotas,
            interactive=interactive,
            high_priority=high_priority,
            mass_waits=bool(answers["waiting"]),
        )
        # While a list is carried out, what is behind in it waits for what is before.
        since = max(at for at in (due, last_calls.get(lane), room) if at)
        late.append((now - since).total_seconds())
    return max(late)


def _by_lane(rows: Rows) -> dict[tuple[bool, bool], datetime]:
    return {tuple(row[name] for name in _LANE): datetime.fromisoformat(row["at"]) for row in rows}
