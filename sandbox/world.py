"""The pretend directory: what exists, how it is found, and how it changes. In memory, no I/O.

`World` holds tenants by id. Both halves of the sandbox (identity: `sandbox/identity/`, Graph: `sandbox/graph_api/`)
read and write it in one asyncio thread, so no locks are needed. Writes go through the methods of `Tenant` in
`sandbox.tenant`, so that replication lag and delta feeds see every one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.clouds import CLOUDS
from sandbox.delta_ways import DeltaWays
from sandbox.faults import Faults
from sandbox.objects import Application
from sandbox.quota import Quota
from sandbox.tenant import Tenant
from sandbox.timing import Clock

__all__ = ["RequestLog", "Tenant", "World"]

LOG_SIZE = 200_000


@dataclass(slots=True)
class Received:
    """One request as it came in and what it was answered; an item of a batch is a request of its own."""

    time: datetime
    method: str
    path: str
    query: str
    tenant: str | None
    app: str | None
    status: int
    in_batch: bool
    body: Any


class RequestLog:
    """The newest requests received, oldest first."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self.entries: deque[Received] = deque(maxlen=LOG_SIZE)

    def add(
        self,
        method: str,
        path: str,
        status: int,
        *,
        tenant: str | None = None,
        app: str | None = None,
        in_batch: bool = False,
        body: Any = None,
        query: str = "",
    ) -> None:
        """Keep one request. `body` is what was sent, parsed; secrets in it are blanked when the log is read."""
        self.entries.append(Received(self._clock.now(), method, path, query, tenant, app, status, in_batch, body))

    def clear(self) -> None:
        self.entries.clear()


class World:
    """Everything there is, as `fill` builds it (see `sandbox.seed`).

    `reset()` builds it anew; `on_reset` holds what else must forget then.
    """

    def __init__(
        self,
        fill: Callable[[World], None],
        *,
        latency_ms: float = 0,
        time_scale: float = 1.0,
        quota: str = "window",
        lag_seconds: float = 0,
        consent_lag_seconds: float = 0,
        cloud: str = "global",
    ):
        self.cloud = CLOUDS[cloud]
        self._fill = fill
        self.clock = Clock(time_scale)
        self.faults = Faults()
        self.log = RequestLog(self.clock)
        self.quota = Quota(self.clock, quota)
        self.latency_ms = self._first_latency = latency_ms
        self.lag_seconds = self._first_lag = lag_seconds  # how far behind the directory app-only readers are
        self.consent_lag_seconds = self._first_consent_lag = consent_lag_seconds
        self.agents_need_their_own = True  # or else Application.ReadWrite.All writes to agents as well
        self.incomplete_grants = False  # the tenant-wide grant list leaves rows out unless asked with ConsistencyLevel
        self.omitted_grants = 0  # every so-manieth row is left out of that list however it is asked for
        self.omitted_are_counted = True  # whether `$count` knows of those rows all the same
        self.delta = DeltaWays()
        self.tenants: dict[str, Tenant] = {}
        self.applications: dict[str, Application] = {}
        self.on_reset: list[Callable[[], None]] = []
        self._build()

    def tenant(self, id_or_domain: str) -> Tenant | None:
        wanted = id_or_domain.lower()
        return self.tenants.get(wanted) or next((one for one in self.tenants.values() if wanted in one.domains), None)

    def application(self, app_id: str) -> Application | None:
        return self.applications.get(app_id.lower())

    def add_tenant(self, tenant_id: str, name: str, domain: str) -> Tenant:
        tenant = Tenant(tenant_id, name, domain, self.clock)
        self.tenants[tenant_id] = tenant
        return tenant

    def add_application(self, application: Application) -> Application:
        self.applications[application.app_id] = application
        return application

    def reset(self) -> None:
        self.clock.reset()
        self.faults.set([])
        self.log.clear()
        self.quota.reset()
        self.latency_ms, self.lag_seconds, self.incomplete_grants = self._first_latency, self._first_lag, False
        self.omitted_grants, self.omitted_are_counted, self.delta = 0, True, DeltaWays()
        self.agents_need_their_own = True
        self._build()
        for forget in self.on_reset:
            forget()

    def _build(self) -> None:
        self.tenants.clear()
        self.applications.clear()
        self._fill(self)
        for tenant in self.tenants.values():
            tenant.settle()
        self.set_consent_lag(self._first_consent_lag)

    def set_consent_lag(self, seconds: float) -> None:
        """How long application permissions that are given from now on take to be seen, in every tenant."""
        self.consent_lag_seconds = seconds
        for tenant in self.tenants.values():
            tenant.consent_lag_seconds = seconds
