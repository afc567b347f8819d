"""`make demo`: what it refuses, what it keeps. That it runs is shown by every test in tests/browser."""

import errno
import fcntl
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.local import demo, way
from sandbox import __main__ as sandbox_command

PROJECT = Path(__file__).resolve().parent.parent.parent


def run_demo(var_dir: Path, **environment: object) -> subprocess.CompletedProcess:
    environment = {**os.environ, "VAR_DIR": str(var_dir), **{name: str(value) for name, value in environment.items()}}
    return subprocess.run(
        [sys.executable, "-m", "portal.local.demo"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def taken_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path, taken_port: int, name: str):
    result = run_demo(tmp_path, **{"PORT": 1025, "SANDBOX_PORT": 1026, name: taken_port})

    assert result.returncode == 1
    assert f"Port {taken_port} cannot be used" in result.stderr
    assert f"{name}={taken_port + 1} make demo" in result.stderr
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize("said", ["abc", "99999", "0", "-1"])
@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_nonsense_for_a_port_is_a_sentence(tmp_path: Path, name: str, said: str):
    result = run_demo(tmp_path, **{name: said})

    assert result.returncode == 1
    assert f"{name}={said} is no port" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_pretend_microsoft_takes_its_time_unless_told_otherwise(tmp_path: Path):
    result = run_demo(tmp_path, PACE="warp")

    assert "PACE=warp is none of microsoft, none" in result.stderr
    known = {pace: sandbox_command._read([str(word) for word in options]) for pace, options in demo.PACES.items()}
    assert known["microsoft"].latency_ms > 0
    assert known["microsoft"].lag > 0
    assert (known["none"].latency_ms, known["none"].lag) == (0, 0)


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")

    result = run_demo(tmp_path / "file" / "var")

    assert result.returncode == 1
    assert "VAR_DIR cannot be written to" in result.stderr
    assert "Traceback" not in result.stderr


def test_what_a_killed_demo_started_stops_by_itself(tmp_path: Path, free_ports: tuple[int, int]):
    code = (
        "import sys, time; from contextlib import ExitStack; from portal.local.demo import Demo;"
        "demo = Demo(ExitStack()); demo._take_folder();"
        "demo._start('sandbox', 'sandbox', '--port', demo.sandbox_port); print('started', flush=True); time.sleep(60)"
    )
    environment = os.environ | {"VAR_DIR": str(tmp_path), "SANDBOX_PORT": str(free_ports[1])}
    running = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, env=environment, stdout=subprocess.PIPE)
    until(lambda: answers(free_ports[1]))

    running.kill()
    running.communicate()

    until(lambda: not answers(free_ports[1]))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_two_demos_in_one_folder_are_one_too_many(tmp_path: Path):
    with (tmp_path / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        result = run_demo(tmp_path)

    assert result.returncode == 1
    assert "already running" in result.stderr


def test_an_unreachable_database_is_reported_in_one_sentence(tmp_path: Path, free_ports: tuple[int, int]):
    port, sandbox_port = free_ports

    result = run_demo(tmp_path, PORT=port, SANDBOX_PORT=sandbox_port, DATABASE_URL="postgres://x@127.0.0.1:1/x")

    assert result.returncode == 1
    assert "The database cannot be used" in result.stderr
    assert "Traceback" not in result.stderr
    assert not answers(sandbox_port)


def test_keys_are_made_once_and_are_nobody_elses_business(tmp_path: Path, free_ports: tuple[int, int]):
    port, sandbox_port = free_ports
    run_demo(tmp_path, PORT=port, SANDBOX_PORT=sandbox_port, DATABASE_URL="postgres://x@127.0.0.1:1/x")
    kept = (tmp_path / "demo.env").read_text()

    run_demo(tmp_path, PORT=port, SANDBOX_PORT=sandbox_port, DATABASE_URL="postgres://x@127.0.0.1:1/x")

    assert (tmp_path / "demo.env").read_text() == kept
    assert {line.split("=")[0] for line in kept.split()} == {"SECRET_KEY", "TOKEN_CACHE_KEYS", "AUDIT_KEYS"}
    assert stat.S_IMODE((tmp_path / "demo.env").stat().st_mode) == 0o600


@pytest.fixture
def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_under_a_closed_folder_it_says_so_before_anything_is_installed(tmp_path: Path):
    tmp_path.chmod(0o700)

    assert "cannot enter" in way.objection(tmp_path / "var" / "postgres")
    words = ["make", "--no-print-directory", "--dry-run", "demo", "PYTHON=python3"]  # these tests may be `make test`
    plan = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True)
    assert plan.stdout.splitlines()[0] == "python3 portal/local/way.py"
    alone = [sys.executable, "-I", "-S", "portal/local/way.py"]
    done = subprocess.run(alone, cwd=PROJECT, env={"DATABASE_URL": "postgres://"}, check=False)
    assert done.returncode == 0  # nothing is installed by then


def test_a_full_disk_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys):
    def full(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/var/demo.env")

    monkeypatch.setattr(demo.Demo, "run", full)
    monkeypatch.setattr(demo.signal, "signal", lambda *_: None)

    assert demo.main() == 1
    assert "The disk is full: /var/demo.env" in capsys.readouterr().err
