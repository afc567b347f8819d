"""The broker made of files, under several processes at once: each message whole, and taken by one of them."""

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest
from django.conf import settings
from kombu import Connection, Exchange, Queue
from kombu.utils.scheduling import cycle_by_name

from portal.local.broker import Channel

MESSAGES = 1_000
PROCESSES = multiprocessing.get_context("fork")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


def connect(folder: Path) -> Connection:
    places = {"data_folder_in": "messages", "data_folder_out": "messages", "control_folder": "control"}
    options = {name: str(folder / place) for name, place in places.items()}
    return Connection("filesystem://localhost//", transport="portal.local.broker:Transport", transport_options=options)


def channel(folder: Path) -> Channel:
    return connect(folder).default_channel


def put(folder: Path, first: int) -> None:
    mine = channel(folder)
    for number in range(first, first + MESSAGES):
        mine._put("consentry", {"number": number})


def get(folder: Path, report: Path) -> None:
    """Looks without a pause, so that it often looks while a message is being made."""
    mine, got = channel(folder), []
    while True:
        try:
            message = mine._get("consentry")
        except Empty:
            continue
        if message["number"] < 0:
            break
        got.append(message["number"])
    report.write_text(json.dumps(got))


def test_a_sign_out_comes_before_readings_that_lie_there_longer(folder: Path):
    got: list[str] = []
    with connect(folder) as connection:
        queues = [Queue(name, Exchange("consentry"), routing_key=name) for name in ("consentry", "consentry-directory")]
        producer = connection.Producer()

        def put(name: str) -> None:
            producer.publish({}, exchange="consentry", routing_key=name, declare=queues)

        def take(_body, message) -> None:
            got.append(message.delivery_info["routing_key"])
            message.ack()

        for _ in range(3):
            put("consentry-directory")
        with connection.Consumer(queues, callbacks=[take]):
            connection.drain_events(timeout=5)
            put("consentry")
            put("consentry")
            for _ in range(3):
                connection.drain_events(timeout=5)

    assert got == ["consentry-directory", "consentry", "consentry", "consentry-directory"]


def test_so_it_does_in_redis(tmp_path: Path):
    said = "import portal.settings as s; print(s.CELERY_BROKER_TRANSPORT_OPTIONS['queue_order_strategy'])"
    given = os.environ | {"CELERY_BROKER_URL": "rediss://broker/0", "VAR_DIR": str(tmp_path)}

    run = subprocess.run([sys.executable, "-c", said], env=given, capture_output=True, text=True, check=True)

    strategy = cycle_by_name(run.stdout.strip())()
    strategy.update([queue.name for queue in settings.CELERY_TASK_QUEUES][::-1])
    for _ in range(2):
        assert strategy.consume(2) == ["consentry", "consentry-directory"]
        strategy.rotate("consentry")


def bind(folder: Path, number: int) -> None:
    queue = Queue(f"queue-{number}", Exchange("all", type="fanout"))
    with connect(folder) as connection:
        queue(connection.default_channel).declare()


def run(*started: PROCESSES.Process) -> Iterator[int]:
    for one in started:
        one.start()
    for one in started:
        one.join(60)
        yield one.exitcode


def test_each_message_is_whole_and_taken_once(folder: Path):
    reports = [folder / f"report-{number}" for number in range(2)]
    readers = [PROCESSES.Process(target=get, args=(folder, report), daemon=True) for report in reports]
    writers = [PROCESSES.Process(target=put, args=(folder, first)) for first in (0, MESSAGES)]
    for reader in readers:
        reader.start()

    assert list(run(*writers)) == [0, 0]
    for _ in readers:
        channel(folder)._put("consentry", {"number": -1})
    for reader in readers:
        reader.join(60)
        assert reader.exitcode == 0

    got = [number for report in reports for number in json.loads(report.read_text())]
    assert sorted(got) == list(range(2 * MESSAGES))
    assert list((folder / "messages").iterdir()) == []


def test_processes_that_start_together_all_get_what_is_for_everyone(folder: Path):
    together = [PROCESSES.Process(target=bind, args=(folder, number)) for number in range(8)]

    assert list(run(*together)) == [0] * 8

    assert {row.queue for row in channel(folder).get_table("all")} == {f"queue-{number}" for number in range(8)}
    assert [path.name for path in (folder / "control").iterdir()] == ["all.exchange"]


def test_messages_come_in_the_order_in_which_they_were_sent(folder: Path):
    mine = channel(folder)
    for number in range(20):
        mine._put("consentry", {"number": number})
        mine._put("another", {"number": -number})

    assert [mine._get("consentry")["number"] for _ in range(20)] == list(range(20))
    with pytest.raises(Empty):
        mine._get("consentry")
    assert mine._size("another") == 20


def test_half_a_message_ends_nobody(folder: Path):
    mine = channel(folder)
    (folder / "messages" / "0.consentry.msg").write_text('{"number": ')
    (folder / "messages" / "00.consentry.msg").write_bytes(b"\xff\x00")
    mine._put("consentry", {"number": 2})

    assert mine._get("consentry") == {"number": 2}
    assert list((folder / "messages").iterdir()) == []
