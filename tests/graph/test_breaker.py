"""A host that hangs is found out once, and known to everybody; one slow answer closes nothing."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from accounts import outages
from graph import breaker, transport
from graph.breaker import News
from graph.client import GraphClient
from graph.errors import Unavailable
from tests.graph.scripted import Microsoft, Reply
from tests.sandbox_client import CONTOSO

GRAPH = "graph.microsoft.com"
ASKED = f"https://{GRAPH}/v1.0/organization"
BEARER = {"Authorization": "Bearer x"}


class Hanging(Microsoft):
    """Graph leaves unanswered what begins with one of these paths; sign-in answers."""

    unanswered: tuple[str, ...] = ()

    def reply_to(self, request) -> Reply:
        if request.host == GRAPH and request.path.startswith(self.unanswered):
            return Reply(hang=True)
        return super().reply_to(request) if request.host != GRAPH else Reply(body={"value": []})


@pytest.fixture
def microsoft(settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    monkeypatch.setattr(breaker, "LATE", 0.1)
    monkeypatch.setattr(breaker, "HOLD", 0.1)
    settings.GRAPH_TIMEOUT = 0.3
    with Hanging() as running:
        settings.SANDBOX_URL = running.url
        yield running


def wait_until(is_so: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never came about"
        threading.Event().wait(0.01)


class Notes:
    """Another process, as rows would show it."""

    def __init__(self) -> None:
        self.told: dict[str, News] = {}

    def tell(self, host: str, news: News | None) -> bool:
        if news:
            self.told[host] = news
        else:
            self.told.pop(host, None)
        return True

    def hear(self) -> dict[str, News]:
        return dict(self.told)


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    monkeypatch.setattr(breaker, "shared", notes := Notes())
    monkeypatch.setattr(breaker, "HEARD_EVERY", 0.0)
    return notes


def ask() -> requests.Response:
    return transport.session().get(ASKED, headers=BEARER)


def refused_at_once() -> bool:
    began = time.monotonic()
    try:
        ask()
    except breaker.NotAsked:
        return time.monotonic() - began < 0.1
    except requests.RequestException:
        pass
    return False


def test_a_host_that_hangs_is_asked_no_more_until_it_answers_something_trivial(microsoft: Hanging, notes: Notes):
    microsoft.unanswered = ("/v1.0/",)
    with pytest.raises(requests.ConnectionError):
        ask()
    assert breaker.doubted(GRAPH)  # and who can do without does not wait meanwhile
    wait_until(refused_at_once)
    assert breaker.silent()[GRAPH] > 0.3

    sent = len(microsoft.asked("/organization"))
    with pytest.raises(Unavailable) as told:
        GraphClient(CONTOSO, priority="high").organization()
    assert (told.value.sent, len(microsoft.asked("/organization"))) == (False, sent)
    assert told.value.retry_after

    microsoft.unanswered = ("/nothing",)
    wait_until(lambda: answers(ask))
    assert not breaker.silent()
    assert not notes.told


def answers(ask: Callable[[], requests.Response]) -> bool:
    try:
        return ask().ok
    except requests.RequestException:
        return False


def test_one_question_that_is_never_answered_closes_nothing(microsoft: Hanging, notes: Notes):
    microsoft.unanswered = ("/v1.0/organization",)
    for _ in range(3):
        with pytest.raises(requests.ConnectionError):
            ask()

    assert transport.session().get(f"https://{GRAPH}/v1.0/users?$top=1", headers=BEARER).ok
    wait_until(lambda: not breaker.doubted(GRAPH))
    assert not breaker.silent()
    assert len(microsoft.asked("/$metadata")) == 1  # asked beside it, and not with every one


def test_the_other_host_is_not_meant(microsoft: Hanging, notes: Notes):
    microsoft.unanswered = ("/v1.0/",)
    with pytest.raises(requests.ConnectionError):
        ask()
    wait_until(refused_at_once)

    assert transport.session().get("https://login.microsoftonline.com/organizations/discovery/v2.0/keys").ok


def test_what_another_process_found_counts_here_and_so_does_its_end(microsoft: Hanging, notes: Notes):
    notes.tell(GRAPH, News(silent_for=40.0, holds_for=30.0))
    with pytest.raises(breaker.NotAsked):
        ask()
    assert breaker.silent()[GRAPH] == pytest.approx(40, abs=1)

    notes.tell(GRAPH, None)
    assert ask().ok


def test_while_one_waits_the_next_one_asks_something_trivial(microsoft: Hanging, notes: Notes):
    microsoft.unanswered = ("/v1.0/",)
    first = threading.Thread(target=lambda: answers(ask))
    first.start()
    wait_until(lambda: microsoft.asked("/organization"))
    wait_until(lambda: refused_at_once() or breaker.doubted(GRAPH))
    first.join()

    assert microsoft.asked("/$metadata")


def test_a_person_may_be_hurried(microsoft: Hanging, settings):
    settings.GRAPH_TIMEOUT = 20.0
    microsoft.unanswered = ("/v1.0/",)
    began = time.monotonic()
    with transport.hurried(0.2), pytest.raises(requests.ConnectionError):
        ask()

    assert time.monotonic() - began < 2


@pytest.mark.django_db(transaction=True)
def test_rows_tell_of_it_by_the_databases_clock():
    rows = outages.Rows()
    assert rows.tell(GRAPH, News(silent_for=40.0, holds_for=15.0))
    assert rows.hear() is None  # this thread's connection is closed: nobody opens one to look

    told = outages.told()
    assert told[GRAPH].silent_for == pytest.approx(40, abs=2)
    assert told[GRAPH].holds_for == pytest.approx(15, abs=2)
    assert rows.hear().keys() == {GRAPH}

    assert rows.tell(GRAPH, None)
    assert outages.told() == {}
