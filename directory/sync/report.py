"""What a reading of the directory came to, for logs, the command line and the audit record."""

from dataclasses import dataclass, field
from uuid import UUID

from graph.errors import GraphError
from graph.explain import words


@dataclass(frozen=True)
class KindReport:
    """One kind of object.

    Attributes:
        rows: how many Graph listed.
        graph_count: Graph's own number of them; None where it does not tell.
        removed: rows of the copy that are gone from the directory.
        error: why the list is not complete, for people; empty when it is.
        unreadable: rows among them that could not be read, and are not in the copy.
    """

    kind: str
    rows: int = 0
    graph_count: int | None = None
    removed: int = 0
    error: str = ""
    unreadable: int = 0

    @property
    def complete(self) -> bool:
        return not self.error


@dataclass(frozen=True)
class SyncReport:
    """One reading of one tenant.

    Attributes:
        busy: another process was reading this tenant already, so nothing was done.
    """

    tenant_id: UUID
    kinds: list[KindReport] = field(default_factory=list)
    busy: bool = False

    @property
    def complete(self) -> bool:
        return not self.busy and all(kind.complete for kind in self.kinds)

    def facts(self) -> dict:
        """For the audit record."""
        return {
            kind.kind: {"rows": kind.rows, "graph_count": kind.graph_count, "removed": kind.removed}
            | ({"error": kind.error} if kind.error else {})
            | ({"unreadable": kind.unreadable} if kind.unreadable else {})
            for kind in self.kinds
        }


def explain(error: GraphError) -> str:
    """Why a reading failed, in a sentence or two, with the id Microsoft's support asks for."""
    said = words(error)
    return f"{said.what} ({said.request_id})" if said.request_id else said.what
