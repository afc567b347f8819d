"""The directory as a caller sees it: as it is, or as it was a moment ago where a replica has not caught up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.objects import Assignment, Grant, ServicePrincipal, User
from sandbox.tenant import Tenant


class View:
    """Reads of one tenant. With a lag, changes younger than `lag` directory seconds are not there yet."""

    def __init__(self, tenant: Tenant, lag: float = 0):
        self.tenant = tenant
        self.lag = lag
        self._older: dict[str, dict[str, Any]] = {}  # kind -> id -> the record as the replica still has it
        if lag > 0:
            horizon = tenant.clock.elapsed() - lag
            for change in reversed(tenant.journal):
                if change.at <= horizon:
                    break
                self._older.setdefault(change.kind, {})[change.id] = change.before

    @property
    def sequence(self) -> int:
        """The number of the newest change that can be seen."""
        horizon = self.tenant.clock.elapsed() - self.lag
        if self.lag > 0:
            for change in reversed(self.tenant.journal):
                if change.at <= horizon:
                    return change.sequence
            return self.tenant.journal[0].sequence - 1 if self.tenant.journal else self.tenant.sequence
        return self.tenant.sequence

    def get(self, kind: str, object_id: str) -> Any:
        older = self._older.get(kind)
        if older and object_id in older:
            return older[object_id]
        return getattr(self.tenant, kind).get(object_id)

    def object(self, object_id: str) -> Any:
        """A person, a group, a service principal or a unit by its id; None when there is none."""
        for kind in ("users", "service_principals", "groups", "administrative_units"):
            if (found := self.get(kind, object_id)) is not None:
                return found
        return None

    def objects(self, object_ids: Iterable[str]) -> list[Any]:
        return [found for one in object_ids if (found := self.object(one)) is not None]

    def all(self, kind: str) -> list[Any]:
        table = getattr(self.tenant, kind)
        older = self._older.get(kind)
        if not older:
            return list(table.values())
        found = [older.get(one.id, one) for one in table.values()]
        found += [before for object_id, before in older.items() if object_id not in table]
        return [one for one in found if one is not None]

    def user(self, id_or_upn: str) -> User | None:
        wanted = id_or_upn.lower()
        if "@" not in wanted:
            return self.get("users", wanted)
        known = self.tenant.user(wanted)
        found = self.get("users", known.id) if known else None
        if found is None:
            older = self._older.get("users", {}).values()
            found = next((one for one in older if one and one.upn.lower() == wanted), None)
        return found

    def service_principal(self, object_id: str) -> ServicePrincipal | None:
        return self.get("service_principals", object_id.lower())

    def service_principal_for(self, app_id: str) -> ServicePrincipal | None:
        known = self.tenant.service_principal_for(app_id)
        if known and (found := self.get("service_principals", known.id)):
            return found
        older = self._older.get("service_principals", {}).values()
        return next((one for one in older if one and one.app_id == app_id.lower()), None)

    def grants_of_client(self, client_id: str) -> list[Grant]:
        if self._older.get("grants"):
            return [one for one in self.all("grants") if one.client_id == client_id]
        return self.tenant.grants_of_client(client_id)

    def grants_of_principal(self, principal_id: str | None) -> list[Grant]:
        if self._older.get("grants"):
            return [one for one in self.all("grants") if one.principal_id == principal_id]
        return self.tenant.grants_of_principal(principal_id)

    def assignments_of(self, principal_id: str) -> list[Assignment]:
        if self._older.get("assignments"):
            return [one for one in self.all("assignments") if one.principal_id == principal_id]
        return self.tenant.assignments_of(principal_id)

    def assigned_to(self, resource_id: str) -> list[Assignment]:
        if self._older.get("assignments"):
            return [one for one in self.all("assignments") if one.resource_id == resource_id]
        return self.tenant.assigned_to(resource_id)
