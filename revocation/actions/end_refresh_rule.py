"""End a rule of the gate: the next refresh goes on, if no other rule stands against it."""

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.roles import Capability
from b2c.models import RefreshRule
from b2c.terms import Terms
from graph.sentences import gettext as _
from revocation.actions.base import Action, Hit, Outcome, Verdict
from revocation.models import RevocationStep
from revocation.steps import StepDraft

RULE = "refresh_rule"


def step(rule: RefreshRule, *, urgency: int = 50) -> StepDraft:
    """End this rule."""
    who = rule.person_label or _("Everyone")
    return StepDraft(
        action=EndRefreshRule.name if rule.is_narrow else EndWideRefreshRule.name,
        target_type=RULE,
        target_id=str(rule.pk),
        target_label=_("%(who)s %(where)s") % {"who": who, "where": Terms.of_rule(rule).where()},
        params={"again": _again(rule)},
        urgency=urgency,
    )


def of_step(step: RevocationStep, rule_id: UUID) -> StepDraft:
    """End the rule that this step made."""
    again = {"action": step.action, "target_type": step.target_type, "target_id": step.target_id}
    label = _("%(who)s %(where)s") % {"who": step.target_label, "where": Terms.of(step.params).where()}
    name = EndRefreshRule.name if step.action == "refuse_refresh" else EndWideRefreshRule.name
    return StepDraft(name, RULE, str(rule_id), label[:256], params={"again": {**again, "label": step.target_label}})


class EndRefreshRule(Action):
    name = "end_refresh_rule"
    label = gettext_lazy("End a rule about one person in one app")
    taken = gettext_lazy("The rule was ended; Microsoft was asked nothing")
    shown = gettext_lazy("The gate refuses nothing by this rule any more")
    meaning = gettext_lazy("Refresh tokens that are still alive work again")
    capability = Capability.SIGN_OUT_PEOPLE
    target_type = RULE
    local = True

    def hits(self, step):
        return Hit()

    def perform(self, step):
        rule = RefreshRule.objects.filter(tenant_id=step.tenant_id, pk=step.target_id)
        if rule.filter(ended_at=None).update(ended_at=timezone.now(), ended_by=step.request.actor_label):
            return Outcome(Verdict.VERIFIED, _("The rule has ended."))
        return Outcome(Verdict.VERIFIED, _("It had ended already."), "gone_already")

    def undo(self, step):
        if step.outcome_code == "gone_already":
            return None
        again = step.params["again"]
        return StepDraft(
            again["action"],
            again["target_type"],
            again["target_id"],
            again["label"],
            params={"reopen": step.target_id},
        )


class EndWideRefreshRule(EndRefreshRule):
    """One that is not helpdesk's."""

    name = "end_refresh_rule_widely"
    label = gettext_lazy("End a rule")
    capability = Capability.MANAGE_TENANT


def _again(rule: RefreshRule) -> dict:
    """What stands on the step that puts it back: the action that made it, and whom it is about."""
    person = not rule.is_for_everyone
    return {
        "action": "refuse_refresh" if rule.is_narrow else "refuse_refresh_widely",
        "target_type": "user" if person else "everyone",
        "target_id": str(rule.person_id) if person else "everyone",
        "label": rule.person_label,
    }
