"""The door for reads about rules, and the one query that the gate makes.

Every function takes the tenant first; row-level security is the second wall behind it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import Tenant
from b2c.models import EVERYONE, GateCount, GateCredential, GateSetting, RefreshRule

Door, Answer = GateCount.Door, GateCount.Answer


@dataclass(frozen=True, slots=True)
class KnownRule:
    """A rule as the decision needs it."""

    id: UUID
    app_id: UUID | None
    policy_id: str
    issued_before: datetime | None
    condition: str
    claim: str
    value: str


# One scan of `rule_to_apply`, whatever the number of rules: only this person's, and those for everyone.
_TO_APPLY = """
SELECT id, app_id, policy_id, issued_before, condition, claim, value FROM b2c_refreshrule
WHERE tenant_id = %s AND person_id IN (%s, %s) AND policy_id IN ('', %s) AND ended_at IS NULL
    AND (expires_at IS NULL OR expires_at > now())
"""


def rules_to_apply(tenant_id: UUID, person_id: UUID, policy_id: str) -> list[KnownRule]:
    """The rules in force that may stand against this person at this policy. Ask in the tenant's scope.

    Args:
        policy_id: in small letters.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TO_APPLY, [tenant_id, person_id, EVERYONE, policy_id])
        return [KnownRule(*row) for row in cursor.fetchall()]


def setting(tenant: Tenant) -> GateSetting:
    """How the tenant's gate behaves; an unsaved row with the defaults where nobody has said."""
    return GateSetting.objects.filter(tenant=tenant).first() or GateSetting(tenant=tenant)


def is_b2c(tenant: Tenant) -> bool:
    return GateSetting.objects.filter(tenant=tenant, is_b2c=True).exists()


def credentials(tenant: Tenant) -> QuerySet[GateCredential]:
    """What the tenant's policies may prove themselves with now, newest first."""
    return GateCredential.objects.filter(tenant=tenant, ended_at=None)


def counts(tenant: Tenant) -> QuerySet[GateCount]:
    """What the gate was asked and what it answered, by the hour: a sampled counter, and B2C repeats calls."""
    return GateCount.objects.filter(tenant=tenant)


def rules(tenant: Tenant) -> QuerySet[RefreshRule]:
    """Every rule, ended ones too, newest first."""
    return RefreshRule.objects.filter(tenant=tenant).order_by("-created_at", "id")


def how_many_in_force(tenant: Tenant) -> int:
    """How many rules refuse something now; no more than a thousand are counted."""
    return len(rules(tenant).in_force().order_by().values_list("pk", flat=True)[:1000])


def rules_about(tenant: Tenant, person_id: UUID) -> QuerySet[RefreshRule]:
    """The rules in force that hit one person: their own, and those for everyone."""
    return rules(tenant).in_force().filter(person_id__in=[person_id, EVERYONE])


def found_rules(tenant: Tenant, *, q: str = "", ended: bool = False) -> QuerySet[RefreshRule]:
    """Rules for a list: in force, or over; by a part of a name, a ticket, a policy or an author."""
    found = rules(tenant)
    found = found.exclude(pk__in=found.in_force().values("pk")) if ended else found.in_force()
    if q:
        words = Q(person_label__icontains=q) | Q(app_label__icontains=q) | Q(policy_id__icontains=q)
        found = found.filter(words | Q(ticket__iexact=q) | Q(author_label__icontains=q))
    return found
