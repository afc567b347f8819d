"""Nothing that the portal sends goes by unheard: not from here, not from a process that a test starts."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from graph import transport
from graph.client import GraphClient
from graph.types import Call
from tests.revocation.processes import environment
from tests.sandbox_client import CONTOSO, PROJECT
from tests.wire import paths, permissions
from tests.wire.judge import Request, judge
from tests.wire.recorder import Recorder

# What the portal does in a process of its own: a request to Graph, with everything that goes before it.
PROGRAM = """
import django
django.setup()
from graph import transport
transport.session().get("https://graph.microsoft.com/v1.0/people", headers={"Authorization": "Bearer x"})
"""


@pytest.fixture
def aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """A recorder beside the run's own, so that what is wrong on purpose fails nobody."""
    monkeypatch.setattr(transport.Session, "send", transport.Session.send.__wrapped__)
    recorder = Recorder(tmp_path / "sent")
    monkeypatch.setenv("CONSENTRY_TEST_WIRE", "")
    monkeypatch.setenv("PYTHONPATH", "")
    recorder.install()
    return recorder


def test_what_this_process_sends_is_judged(entra, aside):
    transport.session().get("https://graph.microsoft.com/v1.0/people", headers={"Authorization": "Bearer x"})

    (found,) = aside.take()
    assert (found.method, found.path, found.rule) == ("GET", "/v1.0/people", "path")
    assert aside.take() == []


def test_what_a_process_of_the_test_sends_is_judged(entra, aside, db):
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=PROJECT, env=environment(), check=True, timeout=60)

    (found,) = aside.take()
    assert (found.method, found.path, found.rule) == ("GET", "/v1.0/people", "path")


def test_what_is_refused_before_it_leaves_was_not_sent(aside):
    with pytest.raises(transport.requests.exceptions.InvalidURL):
        transport.session().get("https://example.com/")

    assert aside.seen == 0
    assert aside.take() == []


def test_every_call_that_may_be_made_is_one_the_portal_declares_something_for():
    """Declarations that stand for a path nobody could call would let a typing error pass for a check."""
    of_agents = [call for table in permissions.AGENT_ACTIONS.values() for call in table]
    for method, template in (*permissions.FEATURES, *permissions.ACTIONS, *of_agents):
        path = template.replace("{id}", paths.ITEM.strip("/"))
        of_beta = any(name in path for name in ("invalidateAll", "SignInActivities", "inherited", "trustFramework"))
        version = "beta" if of_beta else "v1.0"

        target = paths.resolve(version, path)

        assert method in target.methods, (method, template)
        assert permissions.allowed(target, method), (method, template)


def test_judging_costs_little(entra, wire):
    """A thousand people's sign-outs in batches of twenty: well under a millisecond each."""
    client = GraphClient(CONTOSO)
    with wire.keeping() as sent:
        client.batch(
            [Call("POST", f"/users/{at:08x}-0000-4000-8000-000000000000/revokeSignInSessions") for at in range(20)]
        )
    batch: Request = sent[-1]

    judge(batch)
    began = time.perf_counter()
    for _ in range(50):
        assert judge(batch) == []
    assert (time.perf_counter() - began) / 50 < 0.02
