"""How the record's values are shown."""

import json
from typing import Any

from django import template

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """A before- or after-image, laid out to be read."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
