"""What a reading of the directory came to, for logs, the command line and the audit record."""

from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import gettext as _

from graph.errors import Forbidden, GraphError, Throttled, TokenError, TokenUnavailable


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
    if isinstance(error, TokenError):
        text = error.explanation
    elif isinstance(error, Forbidden):
        text = _("Microsoft refused: this organisation has not granted the portal the permission for it.")
    elif isinstance(error, Throttled):
        text = _("Microsoft asked us to wait. The next reading tries again.")
    elif isinstance(error, TokenUnavailable):
        text = _("Microsoft's sign-in could not be asked just now.")
    else:
        text = error.message
    return f"{text} ({error.request_id})" if error.request_id else text
