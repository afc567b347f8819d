"""Steps by what the caller holds at hand: one line each for lists, pages and commands."""

from collections.abc import Iterator
from uuid import UUID

from accounts.models import Tenant
from directory.models import AppRoleAssignment, PermissionGrant, ServicePrincipal
from revocation.actions import (
    delete_assignment as _delete_assignment,
    delete_grant as _delete_grant,
    set_app_enabled,
)
from revocation.actions.end_portal_sessions import EndPortalSessions
from revocation.steps import StepDraft


def sign_out(
    tenant: Tenant, person_id: UUID | str, label: str, *, urgency: int = 50, before: dict | None = None
) -> Iterator[StepDraft]:
    """End a person's sessions at Microsoft, in the way the tenant is set to, and in this portal."""
    person = str(person_id)
    yield StepDraft(str(tenant.sign_out_action), "user", person, label, before=before, urgency=urgency)
    yield StepDraft(EndPortalSessions.name, "user", person, label, urgency=urgency)


def delete_grant(grant: PermissionGrant, *, person_label: str = "", urgency: int = 50) -> StepDraft:
    """Delete a grant; read it with `select_related("client")`."""
    app = grant.client.display_name
    label = f"{app} ({person_label})" if person_label else app
    return _delete_grant.step(grant, label=label, urgency=urgency)


def disable_app(app: ServicePrincipal, *, urgency: int = 40) -> StepDraft:
    return set_app_enabled.disable(app, urgency=urgency)


def delete_assignment(assignment: AppRoleAssignment, *, urgency: int = 50) -> StepDraft:
    return _delete_assignment.step(assignment, urgency=urgency)
