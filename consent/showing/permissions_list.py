"""What the pages about permissions show: the questions most asked, and why a permission is rated as it is."""

from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from directory import risk
from directory.permission_uses import Use
from revocation.showing.heads import Column

QUESTIONS = (
    (_("Reads everyone's mail"), {"may": "mail", "alone": "yes"}),
    (_("Reads its users' mail"), {"may": "mail", "alone": "no"}),
    (_("Reaches everyone's files"), {"may": "files", "alone": "yes"}),
    (_("Sends mail"), {"may": "send"}),
    (_("Can change the directory"), {"may": "directory"}),
    (_("Can grant itself more"), {"may": "more"}),
)


def questions() -> list[dict]:
    """The questions most asked: each in words, and the query that answers it on the page about permissions."""
    return [_preset(word, asked) for word, asked in QUESTIONS]


def presets(chosen: dict[str, str]) -> list[dict]:
    """All permissions, and the questions; which of them is shown now."""
    narrowed = {name: value for name, value in chosen.items() if name != "sort"}
    return [_preset(word, asked) | {"current": asked == narrowed} for word, asked in ((_("All"), {}), *QUESTIONS)]


def _preset(word: str, asked: dict[str, str]) -> dict:
    return {"word": word, "query": f"?{urlencode(asked)}" if asked else "?"}


COLUMNS = (
    Column(_("Permission"), "name"),
    Column(_("Used")),
    Column(_("Risk"), "risk", falls=True),
    Column(_("Apps"), "apps", falls=True, look="num"),
    Column(_("For everyone"), "everyone", falls=True, look="num"),
    Column(_("Consents of people"), "consents", falls=True, look="num"),
)

OF_THE_FILE = [
    "permission",
    "kind",
    "words",
    "api",
    "api_object_id",
    "risk",
    "apps",
    "for_everyone",
    "consents_of_people",
]


def cells(use: Use) -> list:
    """One line of the file."""
    row = use.row
    return [
        row.value,
        row.kind,
        use.text,
        use.resource_name,
        row.resource_id,
        row.get_risk_display(),
        row.apps,
        row.for_everyone,
        "" if use.alone else row.consents,
    ]


def query(chosen: dict[str, str]) -> str:
    """The address of these filters."""
    return urlencode(chosen)


def reason(use: Use) -> risk.Reason | None:
    """The sentence it adds to an app that holds it."""
    row = use.row
    stored = {"rule": row.reason, "risk": row.risk, "params": {"values": [row.value]}}
    return next(iter(risk.reasons([stored])), None)
