"""Containing an app: one request that disables it, takes back what it was given, and signs out who gave it."""

import hashlib
from dataclasses import dataclass
from itertools import chain

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.models import Tenant
from audit import canonical
from directory.models import ServicePrincipal
from revocation import actions, planning, services
from revocation.lists import recipes, resolver
from revocation.lists.kept import SelectionChanged
from revocation.lists.selection import AT_RISK, LAST, RECENT, Row, Selection
from revocation.models import RevocationRequest
from revocation.planning import Alternative, Plan
from revocation.rules import granting, protection, reach
from revocation.rules.hits import Hits
from revocation.steps import StepDraft


@dataclass(frozen=True)
class Containment:
    """What containing this app means now. `digest` binds the confirmation to exactly this."""

    plan: Plan
    digest: str
    left_out: list[Row]  # people who are not signed out, with the reason
    refusal: str  # why the app must not be touched at all; else empty


def plan(tenant: Tenant, app: ServicePrincipal, actor: Actor) -> Containment:
    """Count everything, change nothing."""
    selection, steps = _steps(tenant, app, actor)
    people = selection.people()
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
    return Containment(counted, _digest(steps), left_out, refusal)


def submit(
    tenant: Tenant,
    app: ServicePrincipal,
    actor: Actor,
    *,
    digest: str,
    reason: str,
    ticket: str = "",
    high_priority: bool = False,
) -> RevocationRequest:
    """Ask for it. The second of two clicks finds the request of the first.

    Raises:
        SelectionChanged: the steps are no longer the ones shown. Nothing was created.
    """
    reach.roles_now(tenant)
    with transaction.atomic():
        ServicePrincipal.objects.select_for_update().get(tenant=tenant, pk=app.pk)  # puts two clicks in line
        if again := _open_request(tenant, app):
            return again
        _selection, steps = _steps(tenant, app, actor)
        if _digest(steps) != digest or protection.app_refusal(tenant, app):
            raise SelectionChanged
        return services.submit(
            tenant=tenant,
            actor=actor,
            kind=RevocationRequest.Kind.CONTAIN_APP,
            title=_("Contain %(app)s") % {"app": app.display_name},
            steps=steps,
            reason=reason,
            ticket=ticket,
            interactive=False,
            high_priority=high_priority,
            run_inline=False,
        )


def _steps(tenant: Tenant, app: ServicePrincipal, actor: Actor) -> tuple[Selection, list[StepDraft]]:
    selection = resolver.consented_to(tenant, app.pk, actor)
    return selection, list(recipes.for_app(tenant, app, selection.people()))


def _open_request(tenant: Tenant, app: ServicePrincipal) -> RevocationRequest | None:
    return (
        RevocationRequest.objects.open()
        .filter(tenant=tenant, kind=RevocationRequest.Kind.CONTAIN_APP, steps__target_id=str(app.pk))
        .order_by("-created_at")
        .first()
    )


def _digest(steps: list[StepDraft]) -> str:
    """What is done to whom. Not in which order: somebody who signs in meanwhile makes it no other plan."""
    hashed = hashlib.sha256()
    for part in chain.from_iterable(sorted((step.action, step.target_id) for step in steps)):
        hashed.update(canonical.encode(part) + b"\n")
    return hashed.hexdigest()
