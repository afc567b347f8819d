"""The directory's own audit log, in the words Microsoft uses.

https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities
"""

from __future__ import annotations

import json
import uuid
from collections import deque
from datetime import datetime
from typing import Any

from sandbox.objects import Assignment, Grant, Initiator, ServicePrincipal, User
from sandbox.timing import Clock

KEPT = 50_000


class DirectoryAudit:
    """One tenant's log of what was changed through Graph. Entries are finished when they are read, not when written."""

    def __init__(self, clock: Clock, people: dict[str, User]):
        self._clock = clock
        self._people = people
        self._entries: deque[tuple] = deque(maxlen=KEPT)

    def user_signed_out(self, user: User, caller: Initiator) -> None:
        self._add("UserManagement", "Update StsRefreshTokenValidFrom Timestamp", "Update", caller, "User", user)

    def granted(self, grant: Grant, caller: Initiator) -> None:
        changed = (("DelegatedPermissionGrant.Scope", None, grant.scope),)
        self._add("ApplicationManagement", "Add delegated permission grant", "Assign", caller, "Grant", grant, changed)

    def ungranted(self, grant: Grant, caller: Initiator) -> None:
        changed = (("DelegatedPermissionGrant.Scope", grant.scope, None),)
        name = "Remove delegated permission grant"
        self._add("ApplicationManagement", name, "Unassign", caller, "Grant", grant, changed)

    def consented(self, app: ServicePrincipal, scope: str, person: Initiator, at: datetime) -> None:
        """Somebody consented for themselves, at that moment, on Microsoft's page.

        https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities
        """
        words = f"[] => [[Id: , ClientId: , PrincipalId: , ResourceId: , ConsentType: Principal, Scope: {scope}]]; "
        changed = (
            ("ConsentContext.IsAdminConsent", None, "False"),
            ("ConsentContext.OnBehalfOfAll", None, "False"),
            ("ConsentAction.Permissions", None, words),
        )
        entry = ("ApplicationManagement", "Consent to application", "Assign", person, "ServicePrincipal", app.id, app)
        self._entries.append((at, *entry, changed))

    def recovered(self, changes: int) -> None:
        """A recovery job has ended. Microsoft names the category; the words of the activity are not documented.

        https://learn.microsoft.com/entra/backup/monitor-audit-logs
        """
        job = Initiator("", True, "", "Microsoft Entra Backup and Recovery")
        entry = ("Backup and Recovery", "Recovery job completed", "Update", job, "RecoveryJob", "", job)
        self._entries.append((self._clock.now(), *entry, (("ChangedObjects", None, changes),)))

    def app(
        self, name: str, app: ServicePrincipal, caller: Initiator, operation: str, properties: list[str] | None = None
    ) -> None:
        changed = tuple((one, None, None) for one in properties or ())
        self._add("ApplicationManagement", name, operation, caller, "ServicePrincipal", app, changed)

    def assigned(self, assignment: Assignment, caller: Initiator) -> None:
        self._assignment("Add app role assignment to", "Assign", assignment, caller)

    def unassigned(self, assignment: Assignment, caller: Initiator) -> None:
        self._assignment("Remove app role assignment from", "Unassign", assignment, caller)

    def _assignment(self, words: str, operation: str, assignment: Assignment, caller: Initiator) -> None:
        of_user = assignment.principal_type == "User"
        name = f"{words} {'user' if of_user else 'service principal'}"
        category = "UserManagement" if of_user else "ApplicationManagement"
        self._add(category, name, operation, caller, "AppRoleAssignment", assignment)

    def _add(
        self, category: str, name: str, operation: str, caller: Initiator, kind: str, target: Any, changed: tuple = ()
    ) -> None:
        self._entries.append((self._clock.now(), category, name, operation, caller, kind, target.id, target, changed))

    def newest_first(self) -> list[dict[str, Any]]:
        return [_entry(self._people, number, *entry) for number, entry in reversed(list(enumerate(self._entries)))]


def _entry(
    people: dict[str, User],
    number: int,
    moment: datetime,
    category: str,
    name: str,
    operation: str,
    caller: Initiator,
    kind: str,
    target_id: str,
    target: Any,
    changed: tuple,
) -> dict[str, Any]:
    by: dict[str, Any] = {"user": None, "app": None}
    if caller.app_only:
        by["app"] = {
            "appId": caller.app_id,
            "displayName": caller.name,
            "servicePrincipalId": caller.object_id,
            "servicePrincipalName": None,
        }
    else:
        person = people.get(caller.object_id)
        by["user"] = {
            "id": caller.object_id,
            "displayName": person.display_name if person else None,
            "userPrincipalName": person.upn if person else None,
            "ipAddress": "127.0.0.1",
        }
    correlation = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{target_id}{moment.isoformat()}"))
    return {
        "id": f"Directory_{correlation[:8].upper()}_{number:08}",
        "category": category,
        "correlationId": correlation,
        "result": "success",
        "resultReason": "",
        "activityDisplayName": name,
        "activityDateTime": moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),
        "loggedByService": "Core Directory",
        "operationType": operation,
        "initiatedBy": by,
        "targetResources": [
            {
                "id": target_id,
                "displayName": getattr(target, "display_name", None),
                "type": kind if kind in ("User", "ServicePrincipal") else "ServicePrincipal",
                "userPrincipalName": getattr(target, "upn", None),
                "groupType": None,
                "modifiedProperties": [
                    {
                        "displayName": one,
                        "oldValue": None if old is None else json.dumps(old),
                        "newValue": None if new is None else json.dumps(new),
                    }
                    for one, old, new in changed
                ],
            }
        ],
        "additionalDetails": [],
    }
