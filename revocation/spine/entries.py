"""What the record says about steps: intents before the call, outcomes after it."""

from collections import defaultdict
from collections.abc import Sequence

from accounts.access import Actor
from audit.models import AuditEvent
from audit.services import Draft
from revocation.models import RevocationRequest, RevocationStep


class _Approver:
    def __init__(self, request: RevocationRequest) -> None:
        self.id, self.label = request.approver_id, request.approver_label


def started(steps: Sequence[RevocationStep]) -> list[Draft]:
    """One entry per request and action: these steps are about to be asked for. Committed before they are."""
    groups: dict[tuple, list[RevocationStep]] = defaultdict(list)
    for step in steps:
        groups[step.request_id, step.action].append(step)
    drafts = []
    for members in groups.values():
        first, one = members[0], len(members) == 1
        drafts.append(
            Draft(
                **_common(first),
                event=AuditEvent.STEPS_STARTED,
                target_type=first.target_type if one else "request",
                target_id=first.target_id if one else str(first.request_id),
                target_label=first.target_label if one else first.request.title,
                after={"steps": [step.position for step in members], "targets": [step.target_id for step in members]},
            )
        )
    return drafts


def about(step: RevocationStep, event: AuditEvent) -> Draft:
    """What became of a step."""
    after = {"step": step.position}
    if step.outcome:
        after["outcome"] = step.outcome
    if step.outcome_code:
        after["code"] = step.outcome_code
    if step.observed:
        after["observed"] = step.observed
    return Draft(
        **_common(step),
        event=event,
        target_type=step.target_type,
        target_id=step.target_id,
        target_label=step.target_label,
        outcome="unknown" if event == AuditEvent.STEP_RETRIED and step.state == "claimed" else str(step.state),
        graph_request_id=step.graph_request_id,
        before=step.before,
        after=after,
    )


def _common(step: RevocationStep) -> dict:
    """The person who asked is the actor throughout: the portal only carries out."""
    request = step.request
    return {
        "tenant_id": step.tenant_id,
        "actor": Actor(request.actor_id, request.actor_label),
        "approver": _Approver(request) if request.approver_id else None,
        "action": step.action,
        "ticket": request.ticket,
        "request_id": request.pk,
    }
