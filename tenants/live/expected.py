"""What each kind of call is expected to answer: the fixtures, which the tests hold the sandbox to."""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tenants.live.exchanges import Exchange

FOLDER = Path(__file__).parent / "fixtures"


class Provenance(StrEnum):
    """How we know an answer, the surest last."""

    METADATA = "metadata"  # put together from Microsoft's metadata and what the named pages say; none shows it
    REPORTED = "reported"  # somebody reported it in public
    EXAMPLE = "example"  # a named page shows this operation and its answer, options such as $select aside
    TENANT = "tenant"  # seen on a real tenant


@dataclass(frozen=True)
class Fixture:
    """One documented or recorded exchange.

    Attributes:
        source: the pages that say so, or when it was recorded.
        partial: the body may hold more than is named; Microsoft's examples are shortened.
        needs: what must be there before it can be replayed: a grant, an assignment, a deleted app.
        token: whether the call carries one: the portal's (True), of an app "without" permissions, or none (False).
    """

    name: str
    about: str
    provenance: Provenance
    source: tuple[str, ...]
    partial: bool
    exchange: Exchange
    needs: tuple[str, ...] = ()
    token: bool | str = True

    def as_json(self) -> str:
        found = {"about": self.about, "provenance": self.provenance, "source": self.source}
        found |= {"partial": self.partial, "needs": self.needs}
        return json.dumps({**found, "exchange": self.exchange.as_json()}, indent=2, ensure_ascii=False) + "\n"


def fixtures(folder: Path = FOLDER) -> list[Fixture]:
    """All of them, by name."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Fixture:
    data = json.loads(path.read_text())
    return Fixture(
        name=path.stem,
        about=data["about"],
        provenance=Provenance(data["provenance"]),
        source=tuple(data["source"]),
        partial=data["partial"],
        exchange=Exchange(**data["exchange"]),
        needs=tuple(data.get("needs", ())),
        token=data.get("token", True),
    )


class Expectations:
    """Fixtures by the kind of call."""

    def __init__(self, known: list[Fixture]) -> None:
        self._known: dict[tuple, list[Fixture]] = {}
        for fixture in known:
            self._known.setdefault(fixture.exchange.signature, []).append(fixture)

    def of(self, exchange: Exchange, *, may_be_gone: bool = False) -> Fixture | None:
        """The fixture for such a call, best with this status; None where there is none.

        Args:
            may_be_gone: what it asks for need not be there: a 404 is expected to be as for what never was.
        """
        found = self._known.get(exchange.signature, [])
        if may_be_gone and exchange.status == 404:
            found = self._known.get(exchange.of_nobody.signature, found)
        same = [one for one in found if one.exchange.status == exchange.status]
        return (same or found or [None])[0]
