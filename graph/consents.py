"""Who consented and when, as the directory's audit log says; and what people asked an administrator for."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from graph.requesting import Requester
from graph.types import Items, moment_of

CONSENTED = "Consent to application"


@dataclass(frozen=True)
class ConsentEvent:
    """Somebody accepted a consent page. Kept for 7 days, or 30 with a P1 licence.

    Attributes:
        client_id: the app's object id in this tenant.
        everyone: an administrator consented for the whole organisation.

    https://learn.microsoft.com/graph/api/resources/directoryaudit
    """

    client_id: UUID
    person_id: UUID
    person_name: str
    everyone: bool
    at: datetime

    @classmethod
    def read(cls, data: dict) -> "ConsentEvent":
        app, by = data["targetResources"][0], data["initiatedBy"]["user"]
        moment = moment_of(data["activityDateTime"])
        if moment is None:
            raise ValueError("a consent without a time")
        said = {one.get("displayName"): one.get("newValue") for one in app.get("modifiedProperties") or ()}
        return cls(
            client_id=UUID(app["id"]),
            person_id=UUID(by["id"]),
            person_name=by.get("displayName") or by.get("userPrincipalName") or "",
            everyone=_is_true(said.get("ConsentContext.OnBehalfOfAll")),
            at=moment,
        )


def _is_true(value: str | None) -> bool:
    """Values of the log are JSON of a text, `"\\"True\\""`."""
    try:
        return str(json.loads(value)).lower() == "true" if value else False
    except ValueError:
        return value.lower() == "true"


@dataclass(frozen=True)
class ConsentRequest:
    """An app that people asked an administrator to let in, and nobody decided about yet.

    https://learn.microsoft.com/graph/api/resources/appconsentrequest
    """

    app_id: UUID
    name: str
    scopes: tuple[str, ...]

    @classmethod
    def read(cls, data: dict) -> "ConsentRequest":
        scopes = data.get("pendingScopes") or ()
        return cls(
            app_id=UUID(data["appId"]),
            name=data.get("appDisplayName") or "",
            scopes=tuple(one["displayName"] for one in scopes if one.get("displayName")),
        )


class ConsentReads:
    """The part of `GraphClient` that asks about consents."""

    _ask: Requester

    def consents_since(self, since: datetime) -> Items[ConsentEvent]:
        """Who accepted a consent page since then. `Forbidden` without AuditLog.Read.All.

        https://learn.microsoft.com/graph/api/directoryaudit-list
        """
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"$filter": f"activityDisplayName eq '{CONSENTED}' and activityDateTime ge {moment}"}
        return self._ask.whole("/auditLogs/directoryAudits", query, ConsentEvent.read, page_size=None)

    def consent_requests(self) -> Items[ConsentRequest]:
        """Apps that people asked an administrator to let in, not decided yet.

        https://learn.microsoft.com/graph/api/appconsentapprovalroute-list-appconsentrequests
        """
        query = {"$filter": "userConsentRequests/any(u:u/status eq 'InProgress')"}
        path = "/identityGovernance/appConsent/appConsentRequests"
        return self._ask.whole(path, query, ConsentRequest.read, page_size=None)
