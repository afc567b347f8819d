"""Which requests need a second person, as the tenant wants it: and how that rule itself is kept from one person.

A stricter rule holds at once. A looser one holds a while after it was saved: else one administrator could loosen it,
act alone, and put it back. Until then the rule is the stricter of the two in each of its parts.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import Tenant


@dataclass(frozen=True)
class Rule:
    """More people than `threshold`, any app deletion where `deletions`; `override`: an emergency may do without."""

    threshold: int
    deletions: bool
    override: bool

    def or_stricter(self, other: "Rule") -> "Rule":
        return Rule(
            min(self.threshold, other.threshold),
            self.deletions or other.deletions,
            self.override and other.override,
        )


def saved(tenant: Tenant) -> Rule:
    """The rule as the tenant's settings show it."""
    return Rule(tenant.approval_threshold, tenant.approve_app_deletion, tenant.allow_emergency_override)


def in_force(tenant: Tenant) -> Rule:
    """The rule that holds now."""
    if tenant.stricter_until and tenant.stricter_until > timezone.now():
        return saved(tenant).or_stricter(Rule(**tenant.stricter_rule))
    return saved(tenant)


def asked_for(tenant: Tenant, *, people: int, only_oneself: bool = False, deletes: bool = False) -> bool:
    """Whether a request that hits so many people, or deletes an app, needs a second person."""
    rule = in_force(tenant)
    if rule.deletions and deletes:
        return True
    return people > rule.threshold and not only_oneself  # nobody needs leave to sign themselves out


def still_stricter(tenant: Tenant) -> Rule | None:
    """The rule that holds now where it is not the one that the settings show."""
    rule = in_force(tenant)
    return None if rule == saved(tenant) else rule


def keep(tenant: Tenant, was: Rule, held: Rule) -> list[str]:
    """After settings were changed in memory: let the rule that was in force hold on, if the change loosened any of it.

    Args:
        was: the rule that the settings showed before.
        held: the rule that was in force before.

    Returns:
        the names of the fields that were set; none where nothing was loosened.
    """
    if saved(tenant).or_stricter(was) == saved(tenant):
        return []
    tenant.stricter_rule = asdict(held)
    tenant.stricter_until = timezone.now() + timedelta(hours=settings.LOOSER_RULE_HOURS)
    return ["stricter_rule", "stricter_until"]
