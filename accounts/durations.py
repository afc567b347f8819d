"""How long things took, in all processes together: each counts for itself and adds it to rows every few seconds.

So one answer of /metrics tells of workers too, which nobody can ask, whichever process gives it and on whichever
machine. What a process had not added when it was killed is lost: a few seconds of figures.
"""

import json
import logging
import threading
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass

from django.db import DatabaseError, connection

from accounts.models import Duration

logger = logging.getLogger(__name__)

EVERY = 5.0  # seconds between two additions of a process

_lock = threading.Lock()
_new: dict[tuple[str, tuple[str, ...]], list[float]] = {}  # a count for each bucket, then the seconds
_adding = False

_ADD = """
INSERT INTO accounts_duration AS known (figure, labels, counts, seconds)
SELECT figure, labels, counts, seconds
FROM json_to_recordset(%s) AS new(figure text, labels text[], counts bigint[], seconds float)
ORDER BY figure, labels
ON CONFLICT (figure, labels) DO UPDATE SET seconds = known.seconds + excluded.seconds, counts = ARRAY(
    SELECT was + more FROM unnest(known.counts, excluded.counts) WITH ORDINALITY AS one(was, more, place) ORDER BY place
)
"""


@dataclass(frozen=True)
class Histogram:
    """A figure, its labels, and the upper ends of its buckets in seconds. Give it another name with other buckets."""

    name: str
    labels: tuple[str, ...]
    ends: tuple[float, ...]
    text: str

    def add(self, seconds: float, *labels: str) -> None:
        """Count one in this process. Costs microseconds and asks nobody."""
        with _lock:
            row = _new.setdefault((self.name, labels), [0] * (len(self.ends) + 1) + [0.0])
            row[bisect_left(self.ends, seconds)] += 1
            row[-1] += seconds


PAGES = Histogram(
    "consentry_http_request_duration_seconds",
    ("method", "code"),
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    "From a request to the portal to its answer, by status.",
)
MICROSOFT = Histogram(
    "consentry_microsoft_request_duration_seconds",
    ("host", "method", "code"),
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    "From a call to Microsoft to its answer, by status; none where there was no answer. A batch of 20 is one call.",
)
PROVED = Histogram(
    "consentry_step_duration_seconds",
    ("lane",),
    (1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600),
    "From when a step may be carried out (asked for, or approved) to its proof, by lane: click, urgent or mass.",
)
ALL = (PAGES, MICROSOFT, PROVED)


def stored() -> dict[str, list[Duration]]:
    """What all processes have added, by figure. One query."""
    found = defaultdict(list)
    for row in Duration.objects.order_by("figure", "labels"):
        found[row.figure].append(row)
    return found


def start() -> None:
    """Have what this process counts added to the rows, from now on."""
    global _adding
    if not _adding:
        _adding = True
        threading.Thread(target=_go_on, daemon=True, name="durations").start()


def _go_on() -> None:
    pause = threading.Event()
    while not pause.wait(EVERY):
        if _new:
            try:
                flush()
            except DatabaseError as error:
                logger.warning("What took how long is not told to others yet (%s).", type(error).__name__)
            finally:
                connection.close()


def flush() -> None:
    """Add what this process counted. Raises: DatabaseError; then it counts for the next time."""
    with _lock:
        new = dict(_new)
        _new.clear()
    if not new:
        return
    rows = [
        {"figure": figure, "labels": labels, "counts": row[:-1], "seconds": row[-1]}
        for (figure, labels), row in new.items()
    ]
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [json.dumps(rows)])
    except DatabaseError:
        _take_back(new)
        raise


def _take_back(new: dict[tuple[str, tuple[str, ...]], list[float]]) -> None:
    with _lock:
        for key, row in new.items():
            known = _new.setdefault(key, [0] * (len(row) - 1) + [0.0])
            for place, value in enumerate(row):
                known[place] += value
