"""What the tenant granted the portal, read where Microsoft says it stands: at the portal's own service principal."""

import pytest
from django.conf import settings

from graph.errors import NotFound
from tests.graph.scripted import Reply, app_token, problem

OWN = "/v1.0/servicePrincipals(appId='{id}')/appRoleAssignments"
GRAPH = "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')"
GRAPH_ID, PORTAL_ID, OTHER_API = (f"eeeeeeee-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
REVOKE = "77f3a031-c388-4f99-b373-dc68676a979e"
READ_USERS = "df021288-bdef-4463-88db-98f22de89214"
UNKNOWN = "99999999-0000-4000-8000-000000000001"
DEFINITIONS = {
    "id": GRAPH_ID,
    "appId": "00000003-0000-0000-c000-000000000000",
    "appRoles": [
        {"id": REVOKE, "value": "User.RevokeSessions.All", "allowedMemberTypes": ["Application"]},
        {"id": READ_USERS, "value": "User.Read.All", "allowedMemberTypes": ["Application"]},
    ],
}


def held(role: str, resource: str = GRAPH_ID) -> dict:
    return {
        "id": f"assignment-of-{role}-{resource}",
        "appRoleId": role,
        "principalId": PORTAL_ID,
        "principalType": "ServicePrincipal",
        "resourceId": resource,
    }


def rows(*found: dict, token: str = "") -> Reply:
    link = {"@odata.nextLink": f"https://graph.microsoft.com{OWN}?$skiptoken={token}"} if token else {}
    return Reply(body={"value": list(found), **link})


def opaque() -> Reply:
    return Reply(body={"token_type": "Bearer", "expires_in": 3599, "access_token": "not-a-jwt"})


def test_permissions_are_read_page_by_page_and_named_by_graphs_own_definitions(microsoft, contoso_graph):
    microsoft.token_replies.append(opaque())
    microsoft.answers(rows(held(REVOKE), held(UNKNOWN), token="two"), rows(held(READ_USERS)), Reply(body=DEFINITIONS))

    assert contoso_graph.own_permissions() == {"User.RevokeSessions.All", "User.Read.All"}

    first, _rest, definitions = (one.path.partition("?")[0] for one in microsoft.graph_requests)
    assert first == OWN.format(id=settings.ENTRA_CLIENT_ID)
    assert definitions == GRAPH


def test_another_apis_role_with_the_same_id_is_not_graphs(microsoft, contoso_graph):
    microsoft.answers(rows(held(REVOKE, OTHER_API)), Reply(body=DEFINITIONS))

    assert contoso_graph.own_permissions() == frozenset()


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (Reply(body=app_token("User.RevokeSessions.All")), {"User.RevokeSessions.All"}),
        (Reply(body=app_token()), frozenset()),
        (opaque(), None),
    ],
)
def test_where_the_reading_is_refused_the_token_is_a_hint_and_an_opaque_one_says_nothing(
    microsoft, contoso_graph, token, expected
):
    microsoft.token_replies.append(token)
    microsoft.answers(Reply(403, problem("Authorization_RequestDenied")))

    assert contoso_graph.own_permissions() == expected


def test_a_token_from_before_a_permission_was_granted_is_not_used_again(microsoft, contoso_graph):
    microsoft.token_replies.append(Reply(body=app_token(number=1)))
    microsoft.answers(rows(held(REVOKE)), Reply(body=DEFINITIONS), Reply(body={"id": PORTAL_ID}))

    assert contoso_graph.own_permissions() == {"User.RevokeSessions.All"}
    contoso_graph.user(PORTAL_ID)

    assert len(microsoft.asked("/oauth2/v2.0/token")) == 2


def test_a_consent_that_has_not_arrived_is_not_the_same_as_no_permission(microsoft, contoso_graph):
    microsoft.answers(Reply(404, problem("Request_ResourceNotFound")))

    with pytest.raises(NotFound):
        contoso_graph.own_permissions()
