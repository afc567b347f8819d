"""Lists that leave as files."""

from accounts.access import Actor
from accounts.models import Membership
from audit.models import AuditEvent
from audit.services import record


def record_export(member: Membership, what: str, filters: dict) -> None:
    """Note in the record who took which list as a file, and to what it was narrowed."""
    record(
        AuditEvent.LIST_EXPORTED,
        tenant_id=member.tenant_id,
        actor=Actor.of(member),
        target_type="list",
        target_label=what,
        after={"filters": filters},
    )
