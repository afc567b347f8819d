"""How the record's values are shown."""

import json
from typing import Any

from django import template

from accounts.refusals import in_words
from audit.models import Area, AuditEntry, AuditEvent

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """A before- or after-image, laid out to be read."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)


@register.filter
def why(entry: AuditEntry) -> str:
    """An entry's reason: what a person typed, or the words for a code where a session began, ended or was refused."""
    return in_words(entry.reason) if entry.event in AuditEvent.of(Area.SESSIONS) else entry.reason
