"""The suite of `make chaos`, shortened: everything goes wrong at once, on each broker that answers.

REDIS_URL and RABBITMQ_URL name brokers elsewhere. Where none answers, the test ends with a line that says so.
"""

from collections.abc import Iterator

import pytest

from benchmarks import brokers, chaos

PEOPLE = 160
STRIKES = 5  # each thing at least once
WORKERS = 2
PATIENCE = 120  # seconds; a good run needs some twenty

pytestmark = [pytest.mark.services, pytest.mark.xdist_group("services"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def bed() -> Iterator[chaos.ChaosBed]:
    with chaos.ChaosBed(people=PEOPLE, scale=12, window=PEOPLE // 4 + 20) as bed:
        yield bed


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Iterator[brokers.Redis | brokers.RabbitMQ]:
    try:
        broker = brokers.reach(request.param)
    except brokers.Absent as absent:
        pytest.skip(str(absent))
    try:
        yield broker
    finally:
        broker.close()


def test_everybody_ends_in_a_true_state_whatever_breaks(bed, broker):
    with bed.staffed(broker, WORKERS):
        chaos.warm_up(bed, broker)
        if broker.name == "rabbitmq" and broker.controlled:
            assert broker.queue_type() == "quorum"
        line = chaos.run_one(bed, broker, chaos.storm(bed, broker, STRIKES), PEOPLE, PATIENCE)

    print(line)
    assert not line.violations, f"{line}\n{bed.tails()}"
    assert line.states == {"verified": PEOPLE}
    assert line.carried_out == PEOPLE
    assert bed.chaos("verify_audit") == {"ok": True}


def test_a_broker_that_is_gone_neither_fails_nor_slows_a_click(bed):
    lines = list(chaos.dead_brokers(bed))

    assert len(lines) == 4
    assert not [str(line) for line in lines if line.violations]
