"""How much each app may ask of Graph: writes by default, resource units when switched on.

Microsoft's table of limits, "3,000 requests per 2 minutes 30 seconds" for an app's writes to a tenant, stands beside
the sentence that the service "uses a token bucket algorithm"; how the bucket refills is not documented. Both readings
can be played:

- `window`: the first request opens a window of 150 seconds; when it closes, the whole amount is there anew.
- `bucket`: a bucket of 3,000 that refills all the time, 20 a second: 10,000 writes take 350 seconds, not 450.

https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sandbox.timing import Clock

READINGS = ("window", "bucket")
LIMITS = (
    "writes_per_app_and_tenant",
    "writes_per_app",
    "writes_per_tenant",
    "units_per_app",
    "units_per_app_and_tenant",
)


@dataclass(slots=True)
class Limit:
    amount: int
    seconds: float


@dataclass(slots=True)
class Meter:
    """What was used of one limit. `at` (directory seconds): when its window opened or its bucket was last looked at."""

    at: float = -math.inf
    used: float = 0


@dataclass(slots=True, frozen=True)
class Refusal:
    retry_after: int  # real seconds
    scope: str
    reason: str


class Quota:
    """The counters of one world. `reading` is one of READINGS.

    Raises:
        ValueError: there is no such reading.
    """

    def __init__(self, clock: Clock, reading: str = "window"):
        self._clock = clock
        self._first_reading = _known(reading)
        self.reset()

    def reset(self) -> None:
        self.enabled = True
        self.reading = self._first_reading
        self.count_reads = False
        self.writes_per_app_and_tenant = Limit(3_000, 150)
        self.writes_per_app = Limit(35_000, 300)
        self.writes_per_tenant = Limit(18_000, 300)
        self.units_per_app = Limit(150_000, 20)
        self.units_per_app_and_tenant: Limit | None = None  # None: by the tenant's size
        self.clear()

    def clear(self) -> None:
        """Nothing was used."""
        self._meters: dict[tuple, Meter] = {}

    def settings(self) -> dict[str, Any]:
        """What is in force, in the shape that `configure` takes."""
        limits = {name: getattr(self, name) for name in LIMITS}
        shown = {name: {"amount": one.amount, "seconds": one.seconds} if one else None for name, one in limits.items()}
        return {"enabled": self.enabled, "reading": self.reading, "count_reads": self.count_reads, **shown}

    def configure(self, given: dict[str, Any]) -> None:
        """Change switches and limits; `{"clear": True}` forgets what was used, and so does another reading.

        Raises:
            ValueError: an unknown name or reading, or a limit that is not above nothing. Nothing was changed.
        """
        if unknown := set(given) - {"enabled", "reading", "count_reads", "clear", *LIMITS}:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        reading = _known(given.get("reading", self.reading))
        limits = {name: Limit(**given[name]) if given[name] else None for name in LIMITS if name in given}
        if any(one is not None and (one.amount < 1 or one.seconds <= 0) for one in limits.values()):
            raise ValueError("a limit needs an amount and seconds above nothing")
        if any(one is None and name != "units_per_app_and_tenant" for name, one in limits.items()):
            raise ValueError("only units_per_app_and_tenant can be null: by the tenant's size")
        self.enabled = bool(given.get("enabled", self.enabled))
        self.count_reads = bool(given.get("count_reads", self.count_reads))
        for name, one in limits.items():
            setattr(self, name, one)
        if given.get("clear") or reading != self.reading:
            self.clear()
        self.reading = reading

    def write(self, app_id: str, tenant_id: str) -> tuple[Refusal | None, float]:
        """Count one write. Returns the refusal, if it is one too many, and how full the fullest limit is."""
        if not self.enabled:
            return None, 0.0
        limits = (
            (("write", app_id, tenant_id), self.writes_per_app_and_tenant, "Tenant_Application"),
            (("write", app_id, None), self.writes_per_app, "Application"),
            (("write", None, tenant_id), self.writes_per_tenant, "Tenant"),
        )
        return self._spend(limits, 1, f"Write/{app_id}/{tenant_id}", "WriteLimitExceeded")

    def read(self, app_id: str, tenant_id: str, units: int, people: int) -> tuple[Refusal | None, float]:
        """Count the units of a read, if reads are counted at all. `people` is the number of users in the tenant."""
        if not (self.enabled and self.count_reads):
            return None, 0.0
        own = self.units_per_app_and_tenant or Limit(3_500 if people < 50 else 5_000 if people <= 500 else 8_000, 10)
        limits = (
            (("read", app_id, tenant_id), own, "Tenant_Application"),
            (("read", app_id, None), self.units_per_app, "Application"),
        )
        return self._spend(limits, units, f"Read/{app_id}/{tenant_id}", "ResourceUnitLimitExceeded")

    def _spend(self, limits: tuple, amount: int, target: str, reason: str) -> tuple[Refusal | None, float]:
        now, fullest, spent = self._clock.elapsed(), 0.0, []
        for key, limit, scope in limits:
            meter = self._meters.get(key)
            if meter is None:
                meter = self._meters[key] = Meter()
            self._catch_up(meter, limit, now)
            if meter.used + amount > limit.amount:
                wait = self._clock.real(self._wait(meter, limit, amount, now))
                return Refusal(max(1, math.ceil(wait)), f"{scope}/{target}", reason), 1.0
            spent.append(meter)
            fullest = max(fullest, (meter.used + amount) / limit.amount)
        for meter in spent:
            meter.used += amount
        return None, fullest

    def _catch_up(self, meter: Meter, limit: Limit, now: float) -> None:
        if self.reading == "bucket":
            meter.used = max(0.0, meter.used - (now - meter.at) * limit.amount / limit.seconds)
            meter.at = now
        elif now >= meter.at + limit.seconds:
            meter.at, meter.used = now, 0

    def _wait(self, meter: Meter, limit: Limit, amount: int, now: float) -> float:
        """Directory seconds until this amount is there again."""
        if self.reading == "bucket":
            return (meter.used + amount - limit.amount) * limit.seconds / limit.amount
        return meter.at + limit.seconds - now


def _known(reading: str) -> str:
    if reading not in READINGS:
        raise ValueError(f"reading must be one of {', '.join(READINGS)}, not {reading!r}")
    return reading
