"""The people a list, group, app or tenant came down to, each with what will happen to them and why not."""

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Status(TextChoices):
    FOUND = "found", _("Found")
    DISABLED = "disabled", _("Disabled account")
    RESTRICTED = "restricted", _("In a restricted unit")
    PROTECTED = "protected", _("Protected")
    GUEST = "guest", _("Signs in elsewhere")
    AMBIGUOUS = "ambiguous", _("Ambiguous")
    NOT_FOUND = "not_found", _("Not found")
    UNREADABLE = "unreadable", _("Unreadable")
    DUPLICATE = "duplicate", _("Named twice")


# A disabled account gets no new tokens, but those it holds live on: it is signed out like the others.
# Somebody in a restricted unit is too: Microsoft may refuse, and whether it does only its answer tells.
INCLUDED = frozenset({Status.FOUND, Status.DISABLED, Status.RESTRICTED})
# What a person should look at before going on, most telling first.
QUESTIONS = [
    Status.NOT_FOUND,
    Status.AMBIGUOUS,
    Status.UNREADABLE,
    Status.PROTECTED,
    Status.GUEST,
    Status.RESTRICTED,
]

PRIVILEGED, AT_RISK, RECENT, USUAL, LAST = 10, 20, 30, 50, 80


@dataclass(slots=True)
class Row:
    """One line of what was asked for. `line` is 0 where there was no list (a group, an app, everyone)."""

    line: int
    text: str
    status: str
    person_id: str = ""
    label: str = ""
    upn: str = ""
    why: str = ""
    urgency: int = USUAL
    meant: str = ""  # an address it may have meant, where it names nobody; not kept

    @property
    def included(self) -> bool:
        return self.status in INCLUDED

    def get_status_display(self) -> str:
        return Status(self.status).label


@dataclass
class Selection:
    rows: list[Row] = field(default_factory=list)
    lines: int = 0
    blank: int = 0
    headings: int = 0

    def counts(self) -> dict[str, int]:
        """How many rows ended in each status, every status named."""
        counted = Counter(row.status for row in self.rows)
        return {status.value: counted[status.value] for status in Status}

    def people(self) -> list[Row]:
        """Those it will happen to, the most urgent first."""
        return sorted((row for row in self.rows if row.included), key=lambda row: row.urgency)

    def of(self, statuses: Iterable[str]) -> list[Row]:
        wanted = set(statuses)
        return [row for row in self.rows if row.status in wanted]

    def packed(self) -> bytes:
        """The rows as they are kept between preview and confirmation."""
        rows = [[r.line, r.text, r.status, r.person_id, r.label, r.upn, r.why, r.urgency] for r in self.rows]
        content = {"rows": rows, "lines": self.lines, "blank": self.blank, "headings": self.headings}
        return zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 3)

    @classmethod
    def unpacked(cls, packed: bytes) -> "Selection":
        content = json.loads(zlib.decompress(packed))
        return cls([Row(*row) for row in content["rows"]], content["lines"], content["blank"], content["headings"])


def digest_of(actions: Iterable[str], people: Iterable[str | UUID]) -> str:
    """SHA-256 over what will be done and to whom, hex: the same set in another order is the same digest."""
    hashed = hashlib.sha256("\n".join(sorted(actions)).encode())
    for person_id in sorted(str(person) for person in people):
        hashed.update(b"\n" + person_id.encode())
    return hashed.hexdigest()
