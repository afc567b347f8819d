"""Let the gate refuse somebody's refresh: a rule in the portal's own tables, about which B2C asks.

The rule is this step's alone: doing it a second time finds it there.
"""

from uuid import UUID, uuid5

from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.roles import Capability
from b2c.models import EVERYONE, RefreshRule
from b2c.terms import Terms
from graph.sentences import gettext as _
from revocation.actions import end_refresh_rule
from revocation.actions.base import Action, Hit, Outcome, Verdict
from revocation.models import RevocationStep
from revocation.steps import StepDraft

ALL = "everyone"  # target type and id of a rule that is about nobody by name


def step(terms: Terms, person_id: UUID | str | None, label: str = "", *, wide: bool = False, urgency=50) -> StepDraft:
    """Refuse this person's refresh, or everybody's (None).

    Args:
        wide: it is one of many; helpdesk may ask for one person in one application, and for nothing else.
    """
    wide = wide or person_id is None or not terms.app_id
    return StepDraft(
        action=RefuseRefreshWidely.name if wide else RefuseRefresh.name,
        target_type="user" if person_id else ALL,
        target_id=str(person_id or ALL),
        target_label=label[:256],
        params=terms.params(),
        urgency=urgency,
    )


class RefuseRefresh(Action):
    name = "refuse_refresh"
    label = gettext_lazy("Refuse the refresh in one app")
    taken = gettext_lazy("The rule was saved; Microsoft was asked nothing")
    shown = gettext_lazy("The gate refuses the refresh")
    meaning = gettext_lazy("Access tokens already issued work on: an hour, unless the policy gives them up to a day")
    capability = Capability.SIGN_OUT_PEOPLE
    target_type = "user"
    local = True

    def hits(self, step):
        return Hit(step.target_id if step.target_type == "user" else "", everyone=step.target_type == ALL)

    def perform(self, step):
        if again := step.params.get("reopen"):
            return _reopened(step, UUID(again))
        now, request = timezone.now(), step.request
        rule, _made = RefreshRule.objects.get_or_create(
            id=rule_id(step),
            defaults={
                "tenant_id": step.tenant_id,
                "person_id": UUID(step.target_id) if step.target_type == "user" else EVERYONE,
                "person_label": step.target_label if step.target_type == "user" else "",
                "reason": request.reason,
                "ticket": request.ticket,
                "author_id": request.actor_id,
                "author_label": request.actor_label,
                "request_id": request.pk,
                **Terms.of(step.params).fields(now),
            },
        )
        return Outcome(Verdict.VERIFIED, _in_words(rule))

    def undo(self, step):
        return end_refresh_rule.of_step(step, rule_id(step))


class RefuseRefreshWidely(RefuseRefresh):
    """For a list, for everyone, or in more than one application."""

    name = "refuse_refresh_widely"
    label = gettext_lazy("Refuse the refresh")
    capability = Capability.MANAGE_TENANT


def rule_id(step: RevocationStep) -> UUID:
    """The id of the rule that this step makes, or puts back: the same however often it is carried out."""
    again = step.params.get("reopen")
    return UUID(again) if again else uuid5(step.request_id, str(step.position))


def _reopened(step: RevocationStep, again: UUID) -> Outcome:
    """An ending is undone: the same rule stands again. Tokens that were issued meanwhile are newer than it."""
    found = RefreshRule.objects.filter(tenant_id=step.tenant_id, pk=again)
    found.exclude(ended_at=None).update(ended_at=None, ended_by="")
    rule = found.in_force().first()
    if rule is None:
        return Outcome(Verdict.NO_EFFECT, _("The rule has run out meanwhile."), "expired")
    return Outcome(Verdict.VERIFIED, _in_words(rule))


def _in_words(rule: RefreshRule) -> str:
    terms = Terms.of_rule(rule)
    return _("The gate refuses the refresh %(where)s %(when)s.") % {"where": terms.where(), "when": terms.when()}
