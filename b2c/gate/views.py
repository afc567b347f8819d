"""The doors of the gate, one function each. Every answer takes the same way:

    too long? ─► who asks? ─► what is asked? ─► which rules are there? ─► open, refused, or what the tenant wants

Calling it twice is calling it once: nothing is written but, every ten seconds, how often was answered what.
"""

from collections.abc import Callable
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from b2c import selectors
from b2c.gate import answering, asking, callers, counting, credentials, known
from b2c.gate.asking import Asked, TooLong, Unreadable
from b2c.gate.known import Away, Known
from b2c.rules import Decision, Door, Verdict, decide


def _door(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """No sign-in, no form token, nothing kept in between: the caller is a machine with a secret of its own."""
    return login_not_required(csrf_exempt(never_cache(require_POST(view))))


@_door
def refresh(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """Asked by a policy's refresh journey."""
    return _of_policy(request, tenant_id, Door.REFRESH)


@_door
def sign_in(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """Asked by a policy's sign-in journey, after the person is known and before anything is issued."""
    return _of_policy(request, tenant_id, Door.SIGN_IN)


@_door
def token_issuance(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """Asked by External ID's custom authentication extension, at the start of a token's issuance."""
    if asking.is_announced_too_long(request):
        return answering.too_long()
    try:
        gate = known.current(tenant_id)
    except Away:
        return answering.away()
    if gate is None or not callers.is_microsoft(request, gate):
        return answering.not_recognised()
    try:
        asked = asking.of_extension(asking.body(request), gate)
    except TooLong:
        return answering.too_long()
    except Unreadable as why:
        return answering.unreadable(str(why))
    decision = _decide(gate, asked)
    counting.count(tenant_id, Door.ISSUANCE, "", decision.verdict)
    return answering.token_issuance(_passes(decision, gate), asked.correlation_id)


def _of_policy(request: HttpRequest, tenant_id: UUID, door: Door) -> HttpResponse:
    if asking.is_announced_too_long(request):
        return answering.too_long()
    try:
        gate, digest = _recognised(request, tenant_id)
    except Away:
        return answering.away()
    if gate is None:
        return answering.not_recognised()
    try:
        asked = asking.of_policy(asking.body(request), door, gate)
    except TooLong:
        return answering.too_long()
    except Unreadable as why:
        return answering.unreadable(str(why))
    decision = _decide(gate, asked)
    counting.count(tenant_id, door, asked.ask.policy_id, decision.verdict, digest)
    if _passes(decision, gate):
        return answering.let_through()
    if decision.verdict is Verdict.REFUSED:
        return answering.refused(gate.messages, asked.locale, asked.correlation_id)
    return answering.undecided(asked.locale, asked.correlation_id)


def _recognised(request: HttpRequest, tenant_id: UUID) -> tuple[Known | None, str]:
    """The tenant's gate and the credential that was sent; no gate where it is not one of its own.

    Raises:
        Away: that cannot be told, since the database does not answer.
    """
    secret = credentials.presented(request.headers)
    gate = known.last(tenant_id)
    if gate and (digest := credentials.holds(secret, tenant_id, gate.digests)):
        return _still(gate, digest)
    gate = known.read_again(tenant_id)
    digest = credentials.holds(secret, tenant_id, gate.digests if gate else ())
    return (gate, digest) if digest else (None, "")


def _still(gate: Known, digest: str) -> tuple[Known | None, str]:
    """The same, as of now: what is known is read again after a while."""
    gate = known.current(gate.tenant_id)
    return (gate, digest) if gate and digest in gate.digests else (None, "")


def _decide(gate: Known, asked: Asked) -> Decision:
    try:
        with known.asking(gate.tenant_id):
            rules = selectors.rules_to_apply(gate.tenant_id, asked.person_id, asked.ask.policy_id)
    except Away:
        return Decision(Verdict.UNDECIDED)
    return decide(rules, asked.ask, tolerance=gate.tolerance)


def _passes(decision: Decision, gate: Known) -> bool:
    return decision.verdict is Verdict.OPEN or (decision.verdict is Verdict.UNDECIDED and gate.fails_open)
