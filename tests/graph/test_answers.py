"""What Graph says, whether it may have been done, and what we ask again."""

import base64
import json
import socket
from datetime import UTC, datetime

import pytest

from graph import tokens
from graph.errors import Expired, Forbidden, NotFound, Rejected, Throttled, TokenError, TokenUnavailable, Unavailable
from graph.types import Call, User
from tests.graph.scripted import Reply, app_token, problem
from tests.sandbox_client import CONTOSO

ADELE = {"id": "aaaaaaaa-0000-4000-8000-000000000001", "displayName": "Adele Vance"}
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1726258122"}}}'


def challenge() -> dict[str, str]:
    encoded = base64.b64encode(CLAIMS.encode()).decode()
    return {"WWW-Authenticate": f'Bearer realm="", error="insufficient_claims", claims="{encoded}"'}


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "Request_BadRequest", Rejected),
        (400, "Directory_ExpiredPageToken", Expired),
        (403, "Authorization_RequestDenied", Forbidden),
        (404, "Request_ResourceNotFound", NotFound),
        (409, "Directory_ConcurrencyViolation", Throttled),
        (410, "Gone", Expired),
    ],
)
def test_a_status_becomes_the_error_that_callers_choose_by(microsoft, contoso_graph, status, code, error):
    microsoft.answers(*[Reply(status, problem(code, "No."), {"request-id": "header-1"})] * 3)

    with pytest.raises(error) as caught:
        contoso_graph.user(ADELE["id"])

    assert (caught.value.status, caught.value.code, caught.value.request_id) == (status, code, "header-1")


def test_a_read_is_asked_again_over_a_fault(microsoft, contoso_graph):
    microsoft.answers(Reply(503, b"busy"), Reply(body=ADELE))

    assert contoso_graph.user(ADELE["id"]).display_name == "Adele Vance"
    assert len(microsoft.graph_requests) == 2


def test_a_short_wait_is_kept_and_a_long_one_handed_to_the_caller(microsoft, contoso_graph):
    microsoft.answers(Reply(429, problem("TooMany"), {"Retry-After": "0"}), Reply(body=ADELE))
    contoso_graph.user(ADELE["id"])
    microsoft.answers(Reply(429, problem("TooMany"), {"Retry-After": "120"}))

    with pytest.raises(Throttled) as caught:
        contoso_graph.user(ADELE["id"])

    assert caught.value.retry_after == 120
    assert len(microsoft.graph_requests) == 3


@pytest.mark.parametrize("body", [b"<html>Busy</html>", b"[1]", b'"text"', b"{", b"\xff\xfe"])
def test_garbage_is_no_answer(microsoft, contoso_graph, body):
    microsoft.answers(*[Reply(200, body)] * 3)

    with pytest.raises(Unavailable) as caught:
        contoso_graph.user(ADELE["id"])

    assert caught.value.sent


@pytest.mark.parametrize(
    "body",
    [{}, {"id": None}, {"id": "not-a-guid"}, {"id": 7}, {"id": ADELE["id"], "signInSessionsValidFromDateTime": "?"}],
)
def test_an_item_that_cannot_be_read_is_no_answer_rather_than_a_guess(microsoft, contoso_graph, body):
    microsoft.answers(Reply(body=body))

    with pytest.raises(Unavailable):
        contoso_graph.user(ADELE["id"])


def test_a_refused_token_is_replaced_by_one_that_answers_the_challenge(microsoft, contoso_graph):
    microsoft.token_replies.extend([Reply(body=app_token(number=1)), Reply(body=app_token(number=2))])
    microsoft.answers(Reply(401, problem("InvalidAuthenticationToken"), challenge()), Reply(body=ADELE))

    contoso_graph.user(ADELE["id"])

    first, second = (one.headers["Authorization"] for one in microsoft.graph_requests)
    assert first != second
    assert "1726258122" in microsoft.asked("/oauth2/v2.0/token")[1].body


def test_a_token_refused_twice_is_the_callers_news(microsoft, contoso_graph):
    microsoft.answers(*[Reply(401, problem("InvalidAuthenticationToken", "Invalid x5t claim."))] * 2)

    with pytest.raises(Rejected, match="x5t") as caught:
        contoso_graph.user(ADELE["id"])

    assert "assertion" not in str(caught.value.code)
    assert len(microsoft.graph_requests) == 2


def test_a_withdrawn_consent_is_said_in_plain_words(microsoft, contoso_graph):
    refusal = {"error": "unauthorized_client", "error_description": "AADSTS700016: not found.", "error_codes": [700016]}
    microsoft.token_replies.append(Reply(400, refusal))

    with pytest.raises(TokenError) as caught:
        contoso_graph.user(ADELE["id"])

    assert caught.value.code == "AADSTS700016"
    assert "administrator must consent" in caught.value.explanation
    assert microsoft.graph_requests == []


def test_a_refusal_is_not_repeated_from_memory_once_the_admin_has_put_it_right(microsoft, contoso_graph):
    microsoft.token_replies.append(Reply(400, {"error": "unauthorized_client", "error_description": "AADSTS700016"}))
    with pytest.raises(TokenError):
        contoso_graph.user(ADELE["id"])
    microsoft.answers(Reply(body=ADELE))

    assert contoso_graph.user(ADELE["id"]).display_name == "Adele Vance"


@pytest.mark.parametrize("reply", [Reply(503, b"busy"), Reply(429, {"error": "x"}), Reply(200, b"<html>")])
def test_a_token_endpoint_without_an_answer_sent_nothing_to_graph(microsoft, contoso_graph, reply):
    microsoft.token_replies.append(reply)

    with pytest.raises(TokenUnavailable) as caught:
        contoso_graph.batch([Call("POST", f"/users/{ADELE['id']}/revokeSignInSessions")])

    assert not caught.value.sent
    assert microsoft.graph_requests == []


def test_a_write_without_an_answer_may_have_been_done_and_is_not_repeated(microsoft, contoso_graph, settings):
    settings.GRAPH_TIMEOUT = 0.3
    microsoft.answers(Reply(hang=True))

    with pytest.raises(Unavailable) as caught:
        contoso_graph.batch([Call("POST", f"/users/{ADELE['id']}/revokeSignInSessions")])

    assert caught.value.sent
    assert len(microsoft.graph_requests) == 1


def test_an_answer_cut_off_halfway_may_have_been_done(microsoft, contoso_graph):
    microsoft.answers(Reply(200, {"responses": []}, cut=True))

    with pytest.raises(Unavailable) as caught:
        contoso_graph.batch([Call("DELETE", "/oauth2PermissionGrants/x")])

    assert caught.value.sent
    assert len(microsoft.graph_requests) == 1


def test_a_connection_that_was_never_made_did_nothing(microsoft, contoso_graph, settings):
    tokens.app_token(CONTOSO)  # it is in memory now
    settings.SANDBOX_URL = f"http://127.0.0.1:{_closed_port()}"
    microsoft_tokens_stay(settings, microsoft)

    with pytest.raises((Unavailable, TokenUnavailable)) as caught:
        contoso_graph.batch([Call("POST", f"/users/{ADELE['id']}/revokeSignInSessions")])

    assert not caught.value.sent


def microsoft_tokens_stay(settings, microsoft) -> None:
    """Let the token in memory serve the new address too, so that it is Graph itself that cannot be reached."""

    known = tokens._apps[next(iter(tokens._apps))]
    tokens._apps[tokens._key(CONTOSO)] = known


def test_microsofts_times_are_read_whatever_their_precision():
    exact = User.read({**ADELE, "signInSessionsValidFromDateTime": "2026-11-22T14:05:50.1234567Z"})
    bare = User.read({**ADELE, "signInSessionsValidFromDateTime": "2026-11-22T14:05:50"})

    assert exact.sessions_valid_from == datetime(2026, 11, 22, 14, 5, 50, 123456, tzinfo=UTC)
    assert bare.sessions_valid_from == datetime(2026, 11, 22, 14, 5, 50, tzinfo=UTC)


def test_a_token_is_never_in_what_is_logged_or_shown(microsoft, contoso_graph):

    token = tokens.app_token(CONTOSO)

    assert token.value not in repr(token)
    assert token.value not in json.dumps(str(token))


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
