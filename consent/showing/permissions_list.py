"""What the pages about permissions show: the questions most asked, and why a permission is rated as it is."""

from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from directory import risk
from directory.permission_uses import Use

PRESETS = (
    (_("All"), {}),
    (_("Reads everyone's mail"), {"may": "mail", "alone": "yes"}),
    (_("Reads its users' mail"), {"may": "mail", "alone": "no"}),
    (_("Reaches everyone's files"), {"may": "files", "alone": "yes"}),
    (_("Sends mail"), {"may": "send"}),
    (_("Can change the directory"), {"may": "directory"}),
    (_("Can grant itself more"), {"may": "more"}),
)


def presets(chosen: dict[str, str]) -> list[dict]:
    return [
        {"word": word, "query": f"?{urlencode(asked)}" if asked else "?", "current": asked == chosen}
        for word, asked in PRESETS
    ]


def reason(use: Use) -> risk.Reason | None:
    """The sentence it adds to an app that holds it."""
    row = use.row
    stored = {"rule": row.reason, "risk": row.risk, "params": {"values": [row.value]}}
    return next(iter(risk.reasons([stored])), None)
