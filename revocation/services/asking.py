"""Asking for changes in a directory, and signing people out. Nothing here talks to Microsoft; the executor does."""

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Membership, Tenant
from accounts.tenancy import in_tenant
from audit import services as audit
from audit.models import AuditEvent
from directory import sync
from directory.models import Person
from graph.errors import GraphError
from graph.sentences import gettext as _, ngettext
from revocation import drafting
from revocation.models import RevocationRequest
from revocation.nudges import nudge
from revocation.rules import protection, reach
from revocation.rules.refusals import Protected
from revocation.services import storing
from revocation.spine import executor
from revocation.steps import StepDraft

logger = logging.getLogger(__name__)

FRESH = timedelta(minutes=1)

State = RevocationRequest.State


def submit(
    *,
    tenant: Tenant,
    actor: Actor,
    kind: str,
    title: str,
    steps: Iterable[StepDraft],
    reason: str = "",
    ticket: str = "",
    interactive: bool = True,
    follows: RevocationRequest | None = None,
    run_inline: bool = True,
    needs_approval: bool | None = None,
    high_priority: bool = False,
    first_only: bool = False,
) -> RevocationRequest:
    """Ask for changes in a directory and start making them. The same steps asked for twice at once are one request.

    Args:
        kind: a machine word for what this is, such as "remove_own_app".
        title: what this is, in words for people.
        steps: read once, as a stream; `revocation.actions` makes them.
        interactive: a person is waiting; such a request goes before every mass action. Long ones never are.
        follows: the request that this one undoes or retries.
        run_inline: work on it for REVOCATION_INLINE_SECONDS before returning; workers do what is left.
        needs_approval: None leaves it to the tenant's rules.
        high_priority: a mass action that may use the tenant's whole write quota.
        first_only: only the first step has to be among what the tenant granted; the others tell where they fail.

    Raises:
        NothingToRevoke: there are no steps. Nothing was recorded.
        NotGranted: the tenant is known not to have granted what a step needs. Nothing was recorded.
    """
    with in_tenant(tenant.pk):
        request = storing.create(
            tenant=tenant,
            actor=actor,
            kind=kind,
            title=title,
            steps=steps,
            reason=reason,
            ticket=ticket,
            interactive=interactive,
            high_priority=high_priority,
            follows=follows,
            needs_approval=needs_approval,
            first_only=first_only,
        )
        return _start(request, run_inline=run_inline)


def _start(request: RevocationRequest, *, run_inline: bool) -> RevocationRequest:
    if request.state != State.RUNNING:
        return request
    if run_inline:
        executor.run_request(request, seconds=settings.REVOCATION_INLINE_SECONDS)
        request.refresh_from_db()
    if request.state == State.RUNNING:
        nudge(request.tenant_id)
    return request


def sign_out(
    tenant: Tenant, people: Iterable[Person], *, actor: Actor, reason: str, ticket: str = ""
) -> RevocationRequest:
    """End every session of these people, at Microsoft and in this portal.

    Raises:
        Protected: a rule protects one of them from this actor; the refusal is recorded and nobody is signed out.
        NothingToRevoke: there is nobody.
    """
    people = list(people)
    with in_tenant(tenant.pk):
        if len(people) == 1:
            people = [as_of_now(tenant, people[0])]
            why = protection.refusal(tenant, people[0], actor)
            reasons = {str(people[0].pk): why} if why else {}
        else:
            reach.roles_now(tenant)
            found = protection.refusals(tenant, [person.pk for person in people], actor)
            reasons = {str(pk): why for pk, why in found.items()}
        if reasons:
            record_refusal(tenant, actor, people, reasons, reason, ticket)
            raise Protected(reasons)
        return submit(
            tenant=tenant,
            actor=actor,
            kind=RevocationRequest.Kind.SIGN_OUT,
            title=_sign_out_title(people),
            steps=_sign_out_steps(tenant, people),
            reason=reason,
            ticket=ticket,
            interactive=len(people) <= 1,
        )


def sign_out_self(membership: Membership) -> RevocationRequest:
    """End every session of the person who asks, at Microsoft and in this portal: the present one too."""
    tenant = membership.tenant
    with in_tenant(tenant.pk):
        person = Person.objects.filter(tenant=tenant, pk=membership.object_id).first()
        label = membership.user.display_name or membership.user.upn
        before = drafting.sessions_before(person) if person else None
        return submit(
            tenant=tenant,
            actor=Actor.of(membership),
            kind=RevocationRequest.Kind.SIGN_OUT_SELF,
            title=_("Sign out everywhere"),
            steps=drafting.sign_out(tenant, membership.object_id, label, before=before),
            needs_approval=False,
        )


def as_of_now(tenant: Tenant, person: Person) -> Person:
    """The person with today's roles: our copy may not have noticed that somebody became an administrator."""
    if person.roles_known_at and timezone.now() - person.roles_known_at < FRESH:
        return person
    try:
        sync.refresh_person(tenant, person.pk)
    except GraphError:
        logger.info("Could not read a person again before signing them out; our copy decides.")
        return person
    return Person.objects.filter(tenant=tenant, pk=person.pk).first() or person


def _sign_out_steps(tenant: Tenant, people: list[Person]) -> Iterator[StepDraft]:
    named = ((one.pk, one.display_name or one.upn, drafting.sessions_before(one)) for one in people)
    return drafting.sign_out_all(tenant, named)


def _sign_out_title(people: list[Person]) -> str:
    if len(people) == 1:
        return _("Sign out %(person)s everywhere") % {"person": people[0].display_name or people[0].upn}
    return ngettext("Sign out %(n)d person everywhere", "Sign out %(n)d people everywhere", len(people)) % {
        "n": len(people)
    }


def record_refusal(tenant, actor, people, reasons, reason, ticket) -> None:
    labels = {str(person.pk): person.display_name or person.upn for person in people}
    audit.record_many(
        [
            audit.Draft(
                event=AuditEvent.REVOCATION_REFUSED,
                tenant_id=tenant.pk,
                actor=actor,
                action=str(tenant.sign_out_action),
                target_type="user",
                target_id=pk,
                target_label=labels.get(pk, ""),
                outcome="refused",
                reason=reason,
                ticket=ticket,
                after={"rule": why},
            )
            for pk, why in reasons.items()
        ]
    )
