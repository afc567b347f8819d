"""Walking lists whose links we do not make."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from graph.errors import Expired, Rejected, Unavailable
from tests.graph.scripted import Reply, problem

USERS = [{"id": f"aaaaaaaa-0000-4000-8000-00000000000{n}"} for n in range(4)]
NEXT = "https://graph.microsoft.com/v1.0/users?$skiptoken="


def page(*users: dict, token: str = "", count: int | None = None, link: str = "") -> Reply:
    body = {"value": list(users)}
    if token or link:
        body["@odata.nextLink"] = link or NEXT + token
    if count is not None:
        body["@odata.count"] = count
    return Reply(body=body)


def test_every_page_is_given_with_graphs_own_count(microsoft, contoso_graph):
    microsoft.answers(page(*USERS[:2], token="two", count=4), page(*USERS[2:]))

    pages = list(contoso_graph.users())

    assert [len(one.items) for one in pages] == [2, 2]
    assert pages[0].count == 4
    assert microsoft.graph_requests[1].path == "/v1.0/users?$skiptoken=two"
    assert microsoft.graph_requests[1].headers["ConsistencyLevel"] == "eventual"


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/users?$skiptoken=x",
        "https://graph.microsoft.com.evil.example/v1.0/users",
        "https://graph.microsoft.com@evil.example/v1.0/users",
        "http://graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.us/v1.0/users",
        "//evil.example/users",
        "/v1.0/users",
    ],
)
def test_a_link_to_another_host_is_not_followed(microsoft, contoso_graph, link):
    microsoft.answers(page(*USERS[:2], link=link))

    walk = contoso_graph.users()
    next(walk)
    with pytest.raises(Rejected):
        next(walk)

    assert len(microsoft.graph_requests) == 1


def test_a_list_that_leads_back_to_itself_ends(microsoft, contoso_graph):
    microsoft.answers(page(USERS[0], token="a"), page(USERS[1], token="b"), page(USERS[2], token="a"))

    with pytest.raises(Unavailable):
        list(contoso_graph.users())

    assert len(microsoft.graph_requests) == 3


def test_a_forgotten_place_starts_the_list_again_and_says_so(microsoft, contoso_graph):
    forgotten = Reply(400, problem("Directory_ExpiredPageToken"))
    microsoft.answers(page(USERS[0], token="a"), forgotten, page(USERS[0], token="b"), page(USERS[1]))

    pages = list(contoso_graph.users())

    assert [one.restarted for one in pages] == [False, True, False]


def test_a_place_forgotten_again_and_again_is_given_up(microsoft, contoso_graph):
    microsoft.answers(*[Reply(410, problem("resyncRequired"))] * 3)

    with pytest.raises(Expired):
        list(contoso_graph.users())


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": {"id": 1}}, {"value": ["x"]}])
def test_a_page_without_a_list_is_no_answer(microsoft, contoso_graph, body):
    microsoft.answers(Reply(body=body))

    with pytest.raises(Unavailable):
        list(contoso_graph.users())


def test_a_tenant_without_advanced_queries_is_read_without_them(microsoft, contoso_graph):
    microsoft.answers(Reply(400, problem("Request_UnsupportedQuery")), page(*USERS))

    assert [len(one.items) for one in contoso_graph.users()] == [4]
    assert "$count" not in microsoft.graph_requests[1].path


def test_who_was_active_is_asked_in_short_pages_and_from_a_moment_on(microsoft, contoso_graph):
    seen = USERS[0] | {
        "signInActivity": {
            "lastSignInDateTime": "2026-11-22T08:00:00Z",  # an attempt, which may have failed
            "lastSuccessfulSignInDateTime": "2026-11-20T07:30:00Z",
        }
    }
    microsoft.answers(page(seen, USERS[1], token="two"), page(USERS[2] | {"signInActivity": None}))
    since = datetime(2026, 11, 15, 13, 0, tzinfo=timezone(timedelta(hours=1)))

    people = [person for one in contoso_graph.person_activities(since) for person in one.items]

    asked = urlsplit(microsoft.graph_requests[0].path)
    assert asked.path == "/v1.0/users"
    assert parse_qs(asked.query) == {
        "$select": ["id,signInActivity"],
        "$filter": ["signInActivity/lastSuccessfulSignInDateTime ge 2026-11-15T12:00:00Z"],
        "$top": ["500"],
    }
    assert [person.last_active_at for person in people] == [datetime(2026, 11, 20, 7, 30, tzinfo=UTC), None, None]


def test_a_search_is_quoted_so_that_nobody_types_a_query(microsoft, contoso_graph):
    microsoft.answers(page(USERS[0]))

    contoso_graph.find_users('adele" OR "mail:x')

    assert "%22displayName%3Aadele%20%20OR%20%20mail%3Ax%22" in microsoft.graph_requests[0].path


ODD_APP = {"@odata.type": "#microsoft.graph.somethingNew", "id": "not-a-guid"}
APP = {"id": "bbbbbbbb-0000-4000-8000-000000000001", "appId": "cccccccc-0000-4000-8000-000000000001"}


def test_a_row_of_an_unknown_make_costs_no_list_and_is_named(microsoft, contoso_graph):
    microsoft.answers(page(ODD_APP, APP, token="two", count=3), page(APP | {"id": None}))

    first, second = contoso_graph.service_principals()

    assert [str(app.id) for app in first.items] == [APP["id"]]
    assert [(row.id, row.type) for row in first.unreadable] == [("not-a-guid", "#microsoft.graph.somethingNew")]
    assert (list(second.items), second.unreadable[0].id) == ([], "")


def test_a_whole_list_names_the_unreadable_rows_of_all_its_pages_once(microsoft, contoso_graph):
    forgotten = Reply(400, problem("Directory_ExpiredPageToken"))
    microsoft.answers(page(ODD_APP, token="two"), forgotten, page(ODD_APP, token="two"), page(APP, ODD_APP))

    apps = contoso_graph.deleted_service_principals()

    assert [str(app.id) for app in apps] == [APP["id"]]
    assert [row.id for row in apps.unreadable] == ["not-a-guid", "not-a-guid"]


def test_an_agent_without_a_client_id_is_known_by_its_object_id(microsoft, contoso_graph):
    """https://learn.microsoft.com/graph/api/agentidentity-get: the answer has no `appId`."""
    agent = {"@odata.type": "#microsoft.graph.agentIdentity", "id": APP["id"], "displayName": "Travel agent"}
    microsoft.answers(page(agent))

    (listed,) = contoso_graph.service_principals()

    assert [str(app.app_id) for app in listed.items] == [APP["id"]]
