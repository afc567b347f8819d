"""The steps that sign one person out: at Microsoft, in the way the tenant is set to, and in this portal."""

from collections.abc import Iterator
from uuid import UUID

from accounts.models import Tenant
from revocation.actions.end_portal_sessions import EndPortalSessions
from revocation.steps import StepDraft


def sign_out(
    tenant: Tenant, person_id: UUID | str, label: str, *, urgency: int = 50, before: dict | None = None
) -> Iterator[StepDraft]:
    """End a person's sessions at Microsoft, in the way the tenant is set to, and in this portal."""
    person = str(person_id)
    yield StepDraft(str(tenant.sign_out_action), "user", person, label, before=before, urgency=urgency)
    yield StepDraft(EndPortalSessions.name, "user", person, label, urgency=urgency)
