"""Taking one app out: one request that disables it, and takes back what it was given.

Signing out the people who let it in is a step of its own, done only where it was ticked.
"""

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain

from django.db import transaction

from accounts.access import Actor
from accounts.models import Tenant
from audit import canonical
from directory.models import ServicePrincipal
from graph.sentences import gettext as _
from revocation import actions, planning, services
from revocation.lists import recipes, resolver
from revocation.lists.kept import SelectionChanged
from revocation.lists.recipes import FIRST_TICKED, Part
from revocation.lists.selection import AT_RISK, LAST, RECENT, Row, Selection
from revocation.models import RevocationRequest
from revocation.planning import Alternative, Plan
from revocation.rules import granting, protection, reach
from revocation.rules.hits import Hits
from revocation.steps import StepDraft


@dataclass(frozen=True)
class Containment:
    """What taking this app out means now.

    Attributes:
        plan: of the parts that were asked about.
        counts: how many steps each part has, of people how many there are; parts without any are left out.
        digest: binds the confirmation to exactly what was shown, every part of it.
    """

    plan: Plan
    counts: dict[Part, int]
    digest: str
    left_out: list[Row]  # people who are not signed out, with the reason
    refusal: str  # why the app must not be touched at all; else empty


def plan(tenant: Tenant, app: ServicePrincipal, actor: Actor, parts: Collection[str] = FIRST_TICKED) -> Containment:
    """Count everything, change nothing."""
    selection, everything = _steps(tenant, app, actor)
    steps = _of(parts, everything)
    people = selection.people() if Part.PEOPLE in parts else []
    counts = Counter(part for part, _step in everything)
    if counts[Part.PEOPLE]:
        counts[Part.PEOPLE] = len(selection.people())
    local, hits = actions.named("local"), Hits(tenant)
    for step in steps:
        hits.add(step)
    writes = sum(step.action not in local for step in steps)
    counted = planning.plan(
        tenant,
        [step.action for step in steps],
        people=len(people),
        needs_approval=hits.need_second_person(actor),
        urgent=sum(row.urgency <= AT_RISK for row in people),
        recent=sum(row.urgency == RECENT for row in people),
        last=sum(row.urgency == LAST for row in people),
        alternative=Alternative(writes=1, instead_of=writes) if app.account_enabled and writes > 1 else None,
    )
    left_out = [row for row in selection.rows if not row.included]
    refusal = protection.app_refusal(tenant, app) or granting.refusal(tenant, steps)
    if not everything and not refusal:
        refusal = _("It is out already: disabled, and nothing was granted to it.")
    return Containment(
        counted, {part: counts[part] for part in Part if counts[part]}, _digest(everything), left_out, refusal
    )


def submit(
    tenant: Tenant,
    app: ServicePrincipal,
    actor: Actor,
    *,
    digest: str,
    parts: Collection[str],
    reason: str,
    ticket: str = "",
    high_priority: bool = False,
) -> RevocationRequest:
    """Ask for these parts of it. The second of two clicks finds the request of the first.

    Raises:
        SelectionChanged: the steps are no longer the ones shown. Nothing was created.
    """
    reach.roles_now(tenant)
    with transaction.atomic():
        ServicePrincipal.objects.select_for_update().get(tenant=tenant, pk=app.pk)  # puts two clicks in line
        if again := _open_request(tenant, app):
            return again
        _selection, everything = _steps(tenant, app, actor)
        if _digest(everything) != digest or protection.app_refusal(tenant, app):
            raise SelectionChanged
        return services.submit(
            tenant=tenant,
            actor=actor,
            kind=RevocationRequest.Kind.CONTAIN_APP,
            title=_("Take out %(app)s") % {"app": app.display_name},
            steps=_of(parts, everything),
            reason=reason,
            ticket=ticket,
            interactive=False,
            high_priority=high_priority,
            run_inline=False,
        )


def _steps(tenant: Tenant, app: ServicePrincipal, actor: Actor) -> tuple[Selection, list[tuple[Part, StepDraft]]]:
    selection = resolver.consented_to(tenant, app.pk, actor)
    return selection, list(recipes.for_app(tenant, app, selection.people()))


def _open_request(tenant: Tenant, app: ServicePrincipal) -> RevocationRequest | None:
    return (
        RevocationRequest.objects.open()
        .filter(tenant=tenant, kind=RevocationRequest.Kind.CONTAIN_APP, steps__target_id=str(app.pk))
        .order_by("-created_at")
        .first()
    )


def _of(parts: Collection[str], steps: list[tuple[Part, StepDraft]]) -> list[StepDraft]:
    return [step for part, step in steps if part in parts]


def _digest(steps: list[tuple[Part, StepDraft]]) -> str:
    """What is done to whom. Not in which order: somebody who signs in meanwhile makes it no other plan."""
    hashed = hashlib.sha256()
    for part in chain.from_iterable(sorted((step.action, step.target_id) for _part, step in steps)):
        hashed.update(canonical.encode(part) + b"\n")
    return hashed.hexdigest()
