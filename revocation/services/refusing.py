"""Rules of the gate: asking for one, and ending some. Both are requests like any other."""

from collections.abc import Iterable

from accounts.access import Actor
from accounts.models import Tenant
from accounts.roles import Capability, capabilities
from accounts.tenancy import in_tenant
from audit import services as audit
from audit.models import AuditEvent
from b2c import selectors
from b2c.models import RefreshRule
from b2c.terms import Terms
from directory.models import Person
from graph.sentences import gettext as _, ngettext
from revocation.actions import end_refresh_rule, refuse_refresh
from revocation.models import RevocationRequest
from revocation.rules import protection
from revocation.rules.refusals import NothingToRevoke, NotPossible, Protected
from revocation.services.asking import as_of_now, submit


def refuse(
    tenant: Tenant, person: Person | None, terms: Terms, *, actor: Actor, reason: str, ticket: str = ""
) -> RevocationRequest:
    """Let the gate refuse this person's refresh, or everybody's (None).

    Raises:
        NotPossible: the tenant has no gate, or the actor may refuse one person in one application and no more.
        Protected: a rule protects the person from this actor; the refusal is recorded.
    """
    with in_tenant(tenant.pk):
        if why := objection(tenant, person, terms, actor):
            raise NotPossible(why)
        if person:
            person = as_of_now(tenant, person)
            if why := protection.refusal(tenant, person, actor):
                _record_refusal(tenant, actor, person, why, reason, ticket)
                raise Protected({str(person.pk): why})
        step = refuse_refresh.step(terms, person.pk if person else None, _name(person) if person else _("Everyone"))
        return submit(
            tenant=tenant,
            actor=actor,
            kind=refuse_refresh.RefuseRefresh.name,
            title=title(person, terms),
            steps=[step],
            reason=reason,
            ticket=ticket,
        )


def objection(tenant: Tenant, person: Person | None, terms: Terms, actor: Actor) -> str:
    """Why this actor may not ask for such a rule here; empty where they may."""
    if not selectors.is_b2c(tenant):
        return _("This organisation has no gate, so nothing would ask for the rule. An administrator can set one up.")
    narrow = person is not None and terms.app_id and not terms.policy_id and not terms.condition
    if not narrow and actor.user_id is not None and Capability.MANAGE_TENANT not in capabilities(actor.roles):
        return _("Your role lets you refuse one person in one application. An administrator can do more.")
    return ""


def title(person: Person | None, terms: Terms) -> str:
    """What such a request is called."""
    words = {"where": terms.where(), "who": _name(person) if person else ""}
    if person is None:
        return _("Refuse everyone's refresh %(where)s") % words
    return _("Refuse the refresh of %(who)s %(where)s") % words


def end(
    tenant: Tenant, rules: Iterable[RefreshRule], *, actor: Actor, reason: str, ticket: str = ""
) -> RevocationRequest:
    """End these rules.

    Raises:
        NothingToRevoke: none of them is in force.
        NotPossible: one of them is about whoever asks, or is not this actor's to end.
    """
    with in_tenant(tenant.pk):
        rules = [rule for rule in rules if rule.ended_at is None]
        if not rules:
            raise NothingToRevoke(_("That rule has ended already."))
        if why := next(filter(None, (ending_objection(rule, actor) for rule in rules)), ""):
            raise NotPossible(why)
        return submit(
            tenant=tenant,
            actor=actor,
            kind=end_refresh_rule.EndRefreshRule.name,
            title=ending_title(rules),
            steps=[end_refresh_rule.step(rule) for rule in rules],
            reason=reason,
            ticket=ticket,
        )


def ending_objection(rule: RefreshRule, actor: Actor) -> str:
    """Why this actor may not end the rule; empty where they may."""
    if str(rule.person_id) == actor.id:
        return _("This rule is about you, so somebody else has to end it.")
    if not rule.is_narrow and actor.user_id is not None and Capability.MANAGE_TENANT not in capabilities(actor.roles):
        return _("Your role lets you end rules about one person in one application. An administrator can do more.")
    return ""


def ending_title(rules: list[RefreshRule]) -> str:
    if len(rules) == 1:
        words = {"who": rules[0].person_label or _("everyone"), "where": Terms.of_rule(rules[0]).where()}
        return _("Let %(who)s refresh %(where)s again") % words
    return ngettext("End %(n)s rule of the gate", "End %(n)s rules of the gate", len(rules)) % {"n": len(rules)}


def _name(person: Person) -> str:
    return person.display_name or person.upn


def _record_refusal(tenant: Tenant, actor: Actor, person: Person, why: str, reason: str, ticket: str) -> None:
    audit.record(
        AuditEvent.REVOCATION_REFUSED,
        tenant_id=tenant.pk,
        actor=actor,
        action=refuse_refresh.RefuseRefresh.name,
        target_type="user",
        target_id=str(person.pk),
        target_label=_name(person),
        outcome="refused",
        reason=reason,
        ticket=ticket,
        after={"rule": why},
    )
