"""Apps that people asked an administrator to let in. No call creates, approves or denies one.

https://learn.microsoft.com/graph/api/resources/consentrequests-overview
"""

from __future__ import annotations

from sandbox.graph_api import access as may
from sandbox.graph_api.errors import bad_request
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.wire import Answer, Ask
from sandbox.objects import make_id

PENDING = "userConsentRequests/any(u:u/status eq 'InProgress')"


@graph.on("GET", "/identityGovernance/appConsent/appConsentRequests", roles=may.CONSENT_REQUEST_READERS)
def list_consent_requests(ask: Ask) -> Answer:
    """Those not decided yet, which are all this world has."""
    ask.only("$filter")
    asked = ask.query.get("$filter")
    if asked and asked != PENDING:
        raise bad_request("The filter is not supported.", code="Request_UnsupportedQuery")
    value = [
        {
            "id": make_id(ask.tenant.id, "consent request", app_id),
            "appId": app_id,
            "appDisplayName": ask.world.application(app_id).display_name,
            "pendingScopes": [{"displayName": scope} for scope in scopes],
        }
        for app_id, scopes in ask.tenant.consent_requests.items()
    ]
    return Answer(
        body={"@odata.context": ask.context("identityGovernance/appConsent/appConsentRequests"), "value": value}
    )
