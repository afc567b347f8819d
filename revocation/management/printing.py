"""A request's figures as lines of text: the same that its page shows."""

from collections.abc import Iterator

from revocation import selectors
from revocation.models import RevocationRequest, RevocationStep
from revocation.showing import figures


def headline(request: RevocationRequest) -> str:
    counted = figures.figures(request)
    return (
        f"{request.pk}  {request.created_at:%Y-%m-%d %H:%M}Z  {counted.outcome:<21}"
        f"  {counted.how_far}  {request.title}  ({request.actor_label})"
    )


def details(request: RevocationRequest) -> Iterator[str]:
    """Everything about one request, then the steps that need a human."""
    counted = figures.figures(request)
    yield request.title
    yield f"  id        {request.pk}"
    yield f"  state     {counted.outcome}; {counted.how_far}"
    yield f"  asked by  {request.actor_label}, {request.created_at:%Y-%m-%d %H:%M:%S}Z"
    if request.reason:
        yield f"  reason    {request.reason}"
    if request.ticket:
        yield f"  ticket    {request.ticket}"
    if request.approved_at:
        yield f"  approved  {request.approver_label}, {request.approved_at:%Y-%m-%d %H:%M:%S}Z"
    yield f"  digest    {request.digest}"
    yield f"  steps     {counted.total}, {counted.tally.percent} % decided"
    for state in RevocationStep.State:
        if count := counted.counts[state]:
            yield f"    {state.label:<12} {count}"
    if counted.rate:
        yield f"  rate      {counted.rate:.1f} per second"
    if counted.left is not None:
        yield f"  left      about {int(counted.left.total_seconds())} s"
    for state in (RevocationStep.State.FAILED, RevocationStep.State.UNCONFIRMED, RevocationStep.State.NO_EFFECT):
        for step in selectors.steps(request, (state,))[:20]:
            yield f"  {step.get_state_display()}: {step.target_label}: {step.outcome}"
            if step.graph_request_id:
                yield f"    Microsoft's request id: {step.graph_request_id}"
