"""The same done to many apps: what it hits and costs first, then one revocation of exactly the steps that were shown.

The steps come from the copy, and each looks at the directory just before its call: what is no longer as it was shown
is left alone, and told. Everything taken is kept as a before-image, each person's own consent included.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from accounts import locks
from accounts.access import Actor
from accounts.models import Tenant
from audit import canonical
from directory import selectors
from directory.models import AppRoleAssignment, PermissionGrant, ServicePrincipal
from graph.sentences import gettext as _, ngettext
from revocation import planning, services
from revocation.actions import delete_assignment, delete_grant, keep_out, set_app_enabled
from revocation.models import RevocationRequest
from revocation.planning import Plan
from revocation.rules import granting, protection
from revocation.rules.hits import Hits
from revocation.rules.refusals import NotGranted, NothingToRevoke, Refused
from revocation.steps import StepDraft

MOST_APPS = 5000
MOST_STEPS = 100_000
FIRST, THEN = 0, 5  # an app is disabled before it loses anything, so that it gets no new token meanwhile

Kind = RevocationRequest.Kind


class Deed(models.TextChoices):
    """What may be done to many apps at once; the kind of request each becomes."""

    REVOKE = Kind.REVOKE_CONSENTS.value, gettext_lazy("Revoke consents")
    DISABLE = Kind.DISABLE_APPS.value, gettext_lazy("Disable")
    TAKE_OUT = Kind.TAKE_OUT.value, gettext_lazy("Take out")


@dataclass(frozen=True)
class Choice:
    """Which apps: those ticked, or all that a filter lets through."""

    ids: tuple[UUID, ...] = ()
    filters: dict[str, str] = field(default_factory=dict)
    all: bool = False

    def apps(self, tenant: Tenant) -> QuerySet[ServicePrincipal]:
        if self.all:
            return selectors.all_apps(tenant, **{"sort": "risk"} | self.filters)
        return selectors.all_apps(tenant, sort="risk").filter(pk__in=self.ids)


@dataclass(frozen=True)
class LeftOut:
    """An app that was chosen and is left alone, and why."""

    app: ServicePrincipal
    why: str


@dataclass
class Bulk:
    """What doing this to these apps means now. `digest` binds the confirmation to exactly this.

    Attributes:
        grants: consents that are withdrawn, of people and for everyone.
        refusal: why none of it can be done here; else empty.
    """

    deed: Deed
    apps: list[ServicePrincipal]
    left_out: list[LeftOut]
    plan: Plan
    people: int
    grants: int
    digest: str
    refusal: str


def look(tenant: Tenant, deed: Deed, choice: Choice, actor: Actor) -> Bulk:
    """Count everything, change nothing."""
    apps, left_out = _chosen(tenant, deed, choice)
    hits, names, digest, people, grants = Hits(tenant), [], hashlib.sha256(), set(), 0
    gate, refusal = granting.Gate(tenant), ""
    try:
        for step in _steps(tenant, deed, apps):
            if len(names) == MOST_STEPS:
                raise Refused(_("This is more than %(n)s steps. Narrow the filter.") % {"n": MOST_STEPS})
            hits.add(step)
            names.append(step.action)
            digest.update(canonical.encode([step.action, step.target_id]) + b"\n")
            gate.admit(step)
            if step.action == delete_grant.DeleteGrant.name:
                grants += 1
                people.add(step.before["principal_id"])
    except Refused as refused:
        refusal = str(refused)
    if not names and not refusal:
        refusal = _("None of these apps has anything that this would change.")
    plan = planning.plan(tenant, names, people=0, needs_approval=hits.need_second_person(actor))
    return Bulk(deed, apps, left_out, plan, len(people - {None}), grants, digest.hexdigest(), refusal)


def submit(
    tenant: Tenant,
    deed: Deed,
    choice: Choice,
    actor: Actor,
    *,
    digest: str,
    reason: str,
    ticket: str = "",
    high_priority: bool = False,
) -> RevocationRequest:
    """Ask for it.

    Raises:
        Refused: the steps are no longer the ones that were shown, or there are none. Nothing was created.
    """
    locks.wait(f"bulk:{tenant.pk}:{actor.id}")  # puts two clicks in line; the spine knows the second for the first
    now = look(tenant, deed, choice, actor)
    if now.refusal:
        raise Refused(now.refusal)
    if now.digest != digest:
        raise Refused(_("Something changed since this plan was shown. Here is the new plan."))
    return services.submit(
        tenant=tenant,
        actor=actor,
        kind=deed.value,
        title=title(deed, now.apps),
        steps=_steps(tenant, deed, now.apps),
        reason=reason,
        ticket=ticket,
        interactive=len(now.apps) == 1,
        high_priority=high_priority,
        run_inline=len(now.apps) == 1,
    )


def keep_out_unseen(
    tenant: Tenant, app_id: UUID, name: str = "", *, actor: Actor, reason: str = "", ticket: str = ""
) -> RevocationRequest:
    """Keep an app out that this tenant never saw, by its client id.

    Raises:
        Refused: it is here. Who uses it, and what protects it, is asked where it is taken out.
    """
    here = ServicePrincipal.objects.filter(tenant=tenant, app_id=app_id, deleted_at__isnull=True).exists()
    if here or str(app_id) == settings.ENTRA_CLIENT_ID.lower():
        raise Refused(_("This app is in the tenant already. Take it out on its own page."))
    return services.submit(
        tenant=tenant,
        actor=actor,
        kind=Kind.KEEP_OUT,
        title=_("Keep %(app)s out") % {"app": name or app_id},
        steps=[keep_out.step(app_id, label=name)],
        reason=reason,
        ticket=ticket,
    )


def title(deed: Deed, apps: list[ServicePrincipal]) -> str:
    n = len(apps)
    if n == 1:
        one = {"app": apps[0].display_name}
        if deed == Deed.DISABLE:
            return _("Disable %(app)s") % one
        return (_("Take out %(app)s") if deed == Deed.TAKE_OUT else _("Revoke the consents to %(app)s")) % one
    if deed == Deed.DISABLE:
        text = ngettext("Disable %(n)s app", "Disable %(n)s apps", n)
    elif deed == Deed.TAKE_OUT:
        text = ngettext("Take out %(n)s app", "Take out %(n)s apps", n)
    else:
        text = ngettext("Revoke the consents to %(n)s app", "Revoke the consents to %(n)s apps", n)
    return text % {"n": n}


def _chosen(tenant: Tenant, deed: Deed, choice: Choice) -> tuple[list[ServicePrincipal], list[LeftOut]]:
    apps: list[ServicePrincipal] = []
    left_out: list[LeftOut] = []
    gate = granting.Gate(tenant)
    for app in choice.apps(tenant)[: MOST_APPS + 1]:
        why = protection.app_refusal(tenant, app) or _already(deed, app) or _not_granted(gate, deed, app)
        if why:
            left_out.append(LeftOut(app, why))
        else:
            apps.append(app)
    if len(apps) + len(left_out) > MOST_APPS:
        raise Refused(_("These are more than %(n)s apps. Narrow the filter.") % {"n": MOST_APPS})
    if not apps and not left_out:
        raise NothingToRevoke(_("No app was chosen."))
    return apps, left_out


def _not_granted(gate: granting.Gate, deed: Deed, app: ServicePrincipal) -> str:
    """Why this one cannot be disabled here where others can: agents need a permission of their own."""
    if deed == Deed.REVOKE or not app.account_enabled:
        return ""
    try:
        gate.admit(set_app_enabled.disable(app))
    except NotGranted as refused:
        return str(refused)
    return ""


def _already(deed: Deed, app: ServicePrincipal) -> str:
    held = app.user_consent_count or app.has_admin_consent
    if deed == Deed.DISABLE and not app.account_enabled:
        return _("It is disabled already.")
    if deed == Deed.REVOKE and not held:
        return _("Nobody has consented to it.")
    if deed == Deed.TAKE_OUT and not app.account_enabled and not held and not app.app_permission_count:
        return _("It is out already: disabled, and with no permission.")
    return ""


def _steps(tenant: Tenant, deed: Deed, apps: list[ServicePrincipal]) -> Iterator[StepDraft]:
    """The steps, all that disable before the first that takes away. Reads the copy in parts, so memory stays flat."""
    if deed != Deed.REVOKE:
        for app in apps:
            if app.account_enabled:
                yield set_app_enabled.disable(app, urgency=FIRST)
    if deed == Deed.DISABLE:
        return
    rows = iter(apps)
    while part := list(islice(rows, 500)):
        names = {app.pk: app.display_name for app in part}
        yield from _withdrawals(tenant, names)
        if deed == Deed.TAKE_OUT:
            yield from _app_only(tenant, names)


def _withdrawals(tenant: Tenant, names: dict[UUID, str]) -> Iterator[StepDraft]:
    grants = PermissionGrant.objects.filter(tenant=tenant, client_id__in=list(names))
    for grant in grants.select_related("principal").order_by("client_id", "id").iterator(chunk_size=2000):
        whose = grant.principal.display_name if grant.principal else _("the whole organisation")
        label = _("%(app)s, granted by %(person)s") % {"app": names[grant.client_id], "person": whose}
        yield delete_grant.step(grant, label=label[:256], urgency=THEN)


def _app_only(tenant: Tenant, names: dict[UUID, str]) -> Iterator[StepDraft]:
    held = AppRoleAssignment.objects.filter(
        tenant=tenant, principal_id__in=list(names), principal_type="ServicePrincipal"
    )
    for assignment in held.select_related("resource").order_by("principal_id", "id").iterator(chunk_size=2000):
        yield delete_assignment.step(assignment, label=names[assignment.principal_id], urgency=THEN)
