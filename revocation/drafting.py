"""The steps that sign one person out: at Microsoft, in the way the tenant is set to, and in this portal."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from accounts.models import Tenant
from b2c.selectors import is_b2c
from directory.models import Person
from revocation.actions.end_portal_sessions import EndPortalSessions
from revocation.steps import StepDraft


def both_clocks(tenant: Tenant) -> dict:
    """What a sign-out's step keeps where policies of Azure AD B2C are in force: both dates are read back."""
    return {"both_clocks": True} if is_b2c(tenant) else {}


def sign_out(tenant: Tenant, person_id: UUID | str, label: str, *, before: dict | None = None) -> Iterator[StepDraft]:
    """End a person's sessions at Microsoft, in the way the tenant is set to, and in this portal."""
    return sign_out_all(tenant, [(person_id, label, before)])


def sign_out_all(tenant: Tenant, people: Iterable[tuple[UUID | str, str, dict | None]]) -> Iterator[StepDraft]:
    """The same of many. One query, however many they are.

    Args:
        people: who, what they are called, and `sessions_before` where that is known.
    """
    params = both_clocks(tenant)
    for person_id, label, before in people:
        yield StepDraft(str(tenant.sign_out_action), "user", str(person_id), label, dict(params), before=before)
        yield StepDraft(EndPortalSessions.name, "user", str(person_id), label)


def sessions_before(person: Person) -> dict:
    """What a sign-out keeps of how it was."""
    valid_from = person.sessions_valid_from
    return {"sessions_valid_from": valid_from.isoformat() if valid_from else None, "is_external": person.is_external}
