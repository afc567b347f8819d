"""Which requests need a second person, as the tenant wants it: and how that rule itself is kept from one person.

A stricter rule holds at once. A looser one holds a while after it was saved: else one administrator could loosen it,
act alone, and put it back. Until then the rule is the stricter of the two in each of its parts. Letting somebody in
loosens it too: their yes counts as much later, and never for whoever let them in.

The rule is sealed under a key outside the database. Where the seal does not hold, somebody wrote into the row: then
everything needs a second person, until an administrator saves the settings, and for as long after as any looser rule.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import keys
from accounts.models import Membership, Tenant, User
from accounts.tenancy import user_context
from audit import canonical
from revocation.models import RevocationRequest


@dataclass(frozen=True)
class Rule:
    """More people than `threshold`, any app deletion where `deletions`; `override`: an emergency may do without.

    `emergency` are the object ids of emergency access accounts: taking one off the list would let it be hit.
    """

    threshold: int
    deletions: bool
    override: bool
    emergency: tuple[str, ...] = ()

    def or_stricter(self, other: "Rule") -> "Rule":
        return Rule(
            min(self.threshold, other.threshold),
            self.deletions or other.deletions,
            self.override and other.override,
            tuple(sorted({*self.emergency, *other.emergency})),
        )


def saved(tenant: Tenant) -> Rule:
    """The rule as the tenant's settings show it."""
    emergency = tuple(sorted(map(str, tenant.break_glass_ids)))
    return Rule(tenant.approval_threshold, tenant.approve_app_deletion, tenant.allow_emergency_override, emergency)


def in_force(tenant: Tenant) -> Rule:
    """The rule that holds now."""
    if not is_sealed(tenant):
        return Rule(0, True, False, saved(tenant).emergency)
    if tenant.stricter_until and tenant.stricter_until > timezone.now():
        kept = {**tenant.stricter_rule, "emergency": tuple(tenant.stricter_rule.get("emergency", ()))}
        return saved(tenant).or_stricter(Rule(**kept))
    return saved(tenant)


def seal(tenant: Tenant) -> str:
    """The seal of the rule as it is in memory: for who may set it."""
    return keys.seal("rule", str(tenant.pk), _fixed(tenant))


def is_sealed(tenant: Tenant) -> bool:
    """Whether the rule is as it was saved here."""
    return keys.holds(tenant.rule_seal, "rule", str(tenant.pk), _fixed(tenant))


def _fixed(tenant: Tenant) -> list:
    rule = asdict(saved(tenant)) | {"emergency": list(saved(tenant).emergency)}
    until = tenant.stricter_until.isoformat() if tenant.stricter_until else None
    return [rule, canonical.plain(tenant.stricter_rule), until]


def emergency_accounts(tenant: Tenant) -> frozenset[UUID]:
    """The emergency access accounts that are protected now: those just taken off the list, for a while longer."""
    return frozenset(map(UUID, in_force(tenant).emergency))


def no_second_person(request: RevocationRequest, user_id: UUID | None) -> str:
    """Why the yes of this account is no second person's to the request; empty where it is.

    Somebody let in by the asker, or through others whom the asker let in, may be the asker's own second account. So
    may an asker whom the approver let in a moment ago.
    """
    approver = Membership.objects.filter(tenant_id=request.tenant_id, user_id=user_id).first()
    if approver is None:
        return ""  # whether they may approve at all is asked elsewhere
    if request.actor_id in approver.let_in_by:
        return _("Whoever asked for this let the approver in, so that would be no second person's yes.")
    if _is_new(approver):
        return _("The approver was let in less than %(hours)d hours ago, so their yes does not count yet.") % {
            "hours": settings.LOOSER_RULE_HOURS
        }
    if request.actor_id in _let_in_lately_by(approver):
        return _("The approver let in whoever asked for this less than %(hours)d hours ago.") % {
            "hours": settings.LOOSER_RULE_HOURS
        }
    return ""


def askers_apart_from(approver: Membership, newcomers: Iterable[Membership] | None = None) -> frozenset[str] | None:
    """Whose requests `no_second_person` keeps from this approver, by object id; None for everybody's.

    Args:
        newcomers: what `newcomers` gave, for who asks about many approvers.
    """
    if _is_new(approver):
        return None
    return frozenset({*approver.let_in_by, *_let_in_lately_by(approver, newcomers)})


def newcomers(tenant_id: UUID) -> list[Membership]:
    """Who was let into the tenant so lately that it counts."""
    return list(Membership.objects.filter(tenant_id=tenant_id, granted_at__gt=timezone.now() - _waits()))


def _waits() -> timedelta:
    return timedelta(hours=settings.LOOSER_RULE_HOURS)


def _is_new(member: Membership) -> bool:
    return bool(member.granted_at and member.granted_at > timezone.now() - _waits())


def _let_in_lately_by(approver: Membership, known: Iterable[Membership] | None = None) -> set[str]:
    """The object ids of those whom the approver let in, also through others."""
    found = newcomers(approver.tenant_id) if known is None else known
    if not found:
        return set()
    by = _entra_id(approver)
    return {_entra_id(member) for member in found if by in member.let_in_by}


def _entra_id(member: Membership) -> str:
    with user_context(member.user_id):  # who was let in belongs to another tenant
        return str(User.objects.filter(pk=member.user_id).values_list("object_id", flat=True).first())


def asked_for(tenant: Tenant, *, people: int, deletes: bool = False) -> bool:
    """Whether a request that hits so many people, or deletes an app, needs a second person."""
    rule = in_force(tenant)
    return (rule.deletions and deletes) or people > rule.threshold


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
