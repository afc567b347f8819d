"""Ending people's sessions: what moves, for whom, and what becomes of tokens already out."""

import base64
import json
import re
from datetime import timedelta

import pytest

from sandbox.objects import ROLE_IDS
from tests.sandbox.graph import Graph, refused

REVOKE = "User.RevokeSessions.All"


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


@pytest.mark.parametrize(
    ("version", "action"),
    [("v1.0", "revokeSignInSessions"), ("beta", "revokeSignInSessions"), ("beta", "invalidateAllRefreshTokens")],
)
def test_it_answers_true_and_moves_the_moment(graph, version, action):
    adele = graph.user("adele")
    before = graph.world.clock.now()

    answer = graph.post(f"{version}/users/{adele.id}/{action}")

    assert answer.status_code == 200
    assert answer.json() == {"@odata.context": f"{graph.url}/{version}/$metadata#Edm.Boolean", "value": True}
    assert before <= adele.valid_from <= graph.world.clock.now()


def test_the_newer_action_only_is_in_v1(graph):
    answer = graph.post(f"users/{graph.user('adele').id}/invalidateAllRefreshTokens")

    refused(answer, 400, "BadRequest", "Resource not found for the segment 'invalidateAllRefreshTokens'.")


def test_an_empty_object_for_a_body_is_tolerated(graph):
    assert graph.post("users/adele@contoso.example/revokeSignInSessions", {}).status_code == 200


def test_for_a_guest_it_says_true_and_nothing_moves(graph):
    guest = next(user for user in graph.tenant.users.values() if user.guest)
    before = guest.valid_from

    answer = graph.post(f"users/{guest.id}/revokeSignInSessions")

    assert (answer.status_code, answer.json()["value"]) == (200, True)
    assert guest.valid_from == before


def test_nobody_is_404(graph):
    path = "users/dddddddd-0000-4000-8000-000000000000/revokeSignInSessions"

    refused(graph.post(path), 404, "Request_ResourceNotFound")


def test_each_call_moves_the_moment_again(graph):
    adele = graph.user("adele")
    graph.post(f"users/{adele.id}/revokeSignInSessions")
    first = adele.valid_from
    graph.world.clock.advance(5)

    graph.post(f"users/{adele.id}/revokeSignInSessions")

    assert adele.valid_from - first >= timedelta(seconds=5)


# --- who may, to whom ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "theirs", "allowed"),
    [
        (None, None, False),
        ("Global Reader", None, False),
        ("Helpdesk Administrator", None, True),
        ("Helpdesk Administrator", "Helpdesk Administrator", True),
        ("Helpdesk Administrator", "Message Center Reader", True),
        ("Helpdesk Administrator", "Authentication Administrator", False),
        ("Helpdesk Administrator", "Global Administrator", False),
        ("Password Administrator", "Message Center Reader", False),
        ("Authentication Administrator", "Authentication Administrator", True),
        ("Authentication Administrator", "Helpdesk Administrator", False),
        ("User Administrator", "Groups Administrator", True),
        ("User Administrator", "Application Administrator", False),
        ("Privileged Authentication Administrator", "Global Administrator", True),
        ("Global Administrator", "Global Administrator", True),
    ],
)
def test_a_person_signs_out_others_by_rank(served, graph, role, theirs, allowed):
    graph.tenant.update_user(graph.user("henrietta").id, role_template_ids=[ROLE_IDS[role]] if role else [])
    graph.tenant.update_user(graph.user("alex").id, role_template_ids=[ROLE_IDS[theirs]] if theirs else [])
    henrietta = Graph.as_person(served, "henrietta@contoso.example", REVOKE)

    answer = henrietta.post("users/alex@contoso.example/revokeSignInSessions")

    if allowed:
        assert answer.status_code == 200
    else:
        refused(answer, 403, "Authorization_RequestDenied")


def test_members_of_role_assignable_groups_need_the_highest_rank(served, graph):
    graph.tenant.update_user(graph.user("henrietta").id, role_template_ids=[ROLE_IDS["User Administrator"]])
    path = "users/diego@contoso.example/revokeSignInSessions"

    refused(Graph.as_person(served, "henrietta@contoso.example", REVOKE).post(path), 403, "Authorization_RequestDenied")
    assert Graph.as_person(served, "megan@contoso.example", REVOKE).post(path).status_code == 200


def test_an_app_by_itself_may_sign_out_a_global_administrator(graph):
    assert graph.post("users/megan@contoso.example/revokeSignInSessions").status_code == 200


def test_a_person_signs_out_themself_with_the_permission(served, graph):
    adele = Graph.as_person(served, "adele@contoso.example", REVOKE)
    before = graph.user("adele").valid_from

    assert adele.post("me/revokeSignInSessions").status_code == 200
    assert graph.user("adele").valid_from > before


def test_only_the_older_action_serves_people_without_an_admins_consent(served):
    adele = Graph.as_person(served, "adele@contoso.example", "User.ReadWrite")

    refused(adele.post("me/revokeSignInSessions"), 403, "Authorization_RequestDenied")
    assert adele.post("beta/me/invalidateAllRefreshTokens").status_code == 200


# --- tokens already out ----------------------------------------------------------------------------


def test_a_capable_client_is_challenged_after_a_revocation(served, graph):
    adele = Graph.as_person(served, "adele@contoso.example", "User.Read", capable=True)
    assert adele.get("me")

    graph.post("users/adele@contoso.example/revokeSignInSessions")
    answer = adele.send("GET", "me")

    refused(answer, 401, "InvalidAuthenticationToken", "TokenIssuedBeforeRevocationTimestamp")
    header = answer.headers["WWW-Authenticate"]
    assert 'error="insufficient_claims"' in header
    claims = json.loads(base64.b64decode(re.search(r'claims="([^"]+)"', header)[1]))
    valid_from = str(int(graph.user("adele").valid_from.timestamp()))
    assert claims == {"access_token": {"nbf": {"essential": True, "value": valid_from}}}
    assert Graph.as_person(served, "adele@contoso.example", "User.Read", capable=True).get("me")


@pytest.mark.parametrize("change", ["disable_user", "delete_user"])
def test_a_capable_client_is_challenged_when_the_person_goes(served, graph, change):
    adele = Graph.as_person(served, "adele@contoso.example", "User.Read", capable=True)

    getattr(graph.tenant, change)(graph.user("adele").id)

    refused(adele.send("GET", "me"), 401, "InvalidAuthenticationToken", "UserDisabledOrDeleted")


def test_a_client_that_cannot_answer_keeps_its_token_to_its_end(served, graph):
    adele = Graph.as_person(served, "adele@contoso.example", "User.Read")

    graph.post("users/adele@contoso.example/revokeSignInSessions")

    assert adele.get("me")
