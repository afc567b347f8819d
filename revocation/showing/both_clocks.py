"""After a sign-out of somebody of a B2C tenant: which policies look at a date that moved, and which do not."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import Tenant
from b2c import kept
from b2c.policies.clocks import Clocks, clocks
from b2c.refreshing import REFRESH_CLOCK, SESSION_CLOCK
from directory.models import Person
from revocation import actions
from revocation.models import RevocationRequest, RevocationStep


@dataclass(frozen=True)
class AtPolicy:
    """What the sign-out comes to at one policy. `refused` is None where it cannot be told."""

    policy_id: str
    refused: bool | None
    why: str


@dataclass(frozen=True)
class BothClocks:
    """`moved` has the new time of each date, None where it stood still. `policies` is None where none were read."""

    request: RevocationRequest
    moved: dict[str, datetime | None]
    policies: list[AtPolicy] | None


def after_sign_out(tenant: Tenant, person: Person) -> BothClocks | None:
    """What the person's last sign-out moved, and what each policy makes of it; None where no such was proved."""
    ending = actions.named("ends_sessions")
    steps = RevocationStep.objects.filter(tenant=tenant, target_id=str(person.pk), action__in=ending, state="verified")
    step = steps.order_by("-id").select_related("request").first()
    observed = (step.observed or {}) if step else {}
    if step is None or not step.params.get("both_clocks"):
        return None
    moved = {SESSION_CLOCK: _time(observed.get("valid_from")), REFRESH_CLOCK: _time(observed.get("refresh_from"))}
    known = kept.kept(tenant)
    at = None
    if known and known.policies:
        at = [_at(policy, one, moved) for policy, one in sorted(clocks(known.policies).items())]
    return BothClocks(step.request, moved, at)


def _at(policy_id: str, clock: Clocks, moved: dict[str, datetime | None]) -> AtPolicy:
    if clock.refresh is None:
        return AtPolicy(policy_id, None, clock.why)
    if not clock.refresh:
        return AtPolicy(policy_id, False, _("%(why)s Only the gate reaches it.") % {"why": clock.why})
    stood = sorted(name for name in clock.refresh if not moved.get(name))
    if stood == sorted(clock.refresh):
        return AtPolicy(policy_id, False, _("It compares %(name)s, which did not move.") % {"name": ", ".join(stood)})
    name = ", ".join(sorted(clock.refresh))
    return AtPolicy(policy_id, True, _("It compares %(name)s, which moved.") % {"name": name})


def _time(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None
