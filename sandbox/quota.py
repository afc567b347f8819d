"""How much each app may ask of Graph: writes by default, resource units when switched on.

Microsoft's table of limits is https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits.
How its buckets refill is not documented; here a window opens with the first request and is empty again when it closes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sandbox.timing import Clock

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
class Window:
    closes: float = 0.0  # directory seconds
    used: int = 0


@dataclass(slots=True, frozen=True)
class Refusal:
    retry_after: int  # real seconds
    scope: str
    reason: str


class Quota:
    """The counters of one world."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        self.enabled = True
        self.count_reads = False
        self.writes_per_app_and_tenant = Limit(3_000, 150)
        self.writes_per_app = Limit(35_000, 300)
        self.writes_per_tenant = Limit(18_000, 300)
        self.units_per_app = Limit(150_000, 20)
        self.units_per_app_and_tenant: Limit | None = None  # None: by the tenant's size
        self.clear()

    def clear(self) -> None:
        """Open all windows anew."""
        self._windows: dict[tuple, Window] = {}

    def settings(self) -> dict[str, Any]:
        """What is in force, in the shape that `configure` takes."""
        limits = {name: getattr(self, name) for name in LIMITS}
        shown = {name: {"amount": one.amount, "seconds": one.seconds} if one else None for name, one in limits.items()}
        return {"enabled": self.enabled, "count_reads": self.count_reads, **shown}

    def configure(self, given: dict[str, Any]) -> None:
        """Change switches and limits; `{"clear": True}` opens all windows anew.

        Raises:
            ValueError: an unknown name, or a limit that is not above nothing. Nothing was changed.
        """
        if unknown := set(given) - {"enabled", "count_reads", "clear", *LIMITS}:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        limits = {name: Limit(**given[name]) if given[name] else None for name in LIMITS if name in given}
        if any(one is not None and (one.amount < 1 or one.seconds <= 0) for one in limits.values()):
            raise ValueError("a limit needs an amount and seconds above nothing")
        if any(one is None and name != "units_per_app_and_tenant" for name, one in limits.items()):
            raise ValueError("only units_per_app_and_tenant can be null: by the tenant's size")
        self.enabled = bool(given.get("enabled", self.enabled))
        self.count_reads = bool(given.get("count_reads", self.count_reads))
        for name, one in limits.items():
            setattr(self, name, one)
        if given.get("clear"):
            self.clear()

    def write(self, app_id: str, tenant_id: str) -> tuple[Refusal | None, float]:
        """Count one write. Returns the refusal, if it is one too many, and how full the fullest window is."""
        if not self.enabled:
            return None, 0.0
        windows = (
            (("write", app_id, tenant_id), self.writes_per_app_and_tenant, "Tenant_Application"),
            (("write", app_id, None), self.writes_per_app, "Application"),
            (("write", None, tenant_id), self.writes_per_tenant, "Tenant"),
        )
        return self._spend(windows, 1, f"Write/{app_id}/{tenant_id}", "WriteLimitExceeded")

    def read(self, app_id: str, tenant_id: str, units: int, people: int) -> tuple[Refusal | None, float]:
        """Count the units of a read, if reads are counted at all. `people` is the number of users in the tenant."""
        if not (self.enabled and self.count_reads):
            return None, 0.0
        own = self.units_per_app_and_tenant or Limit(3_500 if people < 50 else 5_000 if people <= 500 else 8_000, 10)
        windows = (
            (("read", app_id, tenant_id), own, "Tenant_Application"),
            (("read", app_id, None), self.units_per_app, "Application"),
        )
        return self._spend(windows, units, f"Read/{app_id}/{tenant_id}", "ResourceUnitLimitExceeded")

    def _spend(self, windows: tuple, amount: int, target: str, reason: str) -> tuple[Refusal | None, float]:
        now, fullest, spent = self._clock.elapsed(), 0.0, []
        for key, limit, scope in windows:
            window = self._windows.get(key)
            if window is None:
                window = self._windows[key] = Window()
            if now >= window.closes:
                window.closes, window.used = now + limit.seconds, 0
            if window.used + amount > limit.amount:
                wait = max(1, math.ceil(self._clock.real(window.closes - now)))
                return Refusal(wait, f"{scope}/{target}", reason), 1.0
            spent.append(window)
            fullest = max(fullest, (window.used + amount) / limit.amount)
        for window in spent:
            window.used += amount
        return None, fullest
