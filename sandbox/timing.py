"""Time in the sandbox: a clock that tests can move, and durations that can be compressed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """The directory's clock.

    `now()` is real time plus an offset that tests move. `time_scale` compresses *durations* only (quota windows,
    lag, latency, Retry-After), never the date: tokens must stay valid by everybody else's clock.
    """

    def __init__(self, time_scale: float = 1.0):
        self.offset = timedelta()
        self.time_scale = time_scale
        self._started = time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def elapsed(self) -> float:
        """Directory seconds since the start; runs `time_scale` times faster than real seconds."""
        return (time.monotonic() - self._started) * self.time_scale + self.offset.total_seconds()

    def real(self, seconds: float) -> float:
        """How long somebody waits for this many directory seconds."""
        return seconds / self.time_scale

    def advance(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Back to real time; durations go on from where they were."""
        self._started -= self.offset.total_seconds() / self.time_scale
        self.offset = timedelta()

    def set(self, moment: datetime) -> None:
        self.offset = moment - datetime.now(UTC)
