"""The steps that sign one person out: at Microsoft, in the way the tenant is set to, and in this portal."""

from collections.abc import Iterator
from uuid import UUID

from accounts.models import Tenant
from b2c.selectors import is_b2c
from revocation.actions.end_portal_sessions import EndPortalSessions
from revocation.steps import StepDraft


def both_clocks(tenant: Tenant) -> dict:
    """What a sign-out's step keeps where policies of Azure AD B2C are in force: both dates are read back."""
    return {"both_clocks": True} if is_b2c(tenant) else {}


def sign_out(
    tenant: Tenant, person_id: UUID | str, label: str, *, urgency: int = 50, before: dict | None = None
) -> Iterator[StepDraft]:
    """End a person's sessions at Microsoft, in the way the tenant is set to, and in this portal."""
    person, params = str(person_id), both_clocks(tenant)
    yield StepDraft(str(tenant.sign_out_action), "user", person, label, params, before=before, urgency=urgency)
    yield StepDraft(EndPortalSessions.name, "user", person, label, urgency=urgency)
