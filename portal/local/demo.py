"""Everything from a clean clone to a running portal with a pretend Entra ID behind it: what `make demo` runs.

    python -m portal.local.demo

Keeps keys, database and logs under VAR_DIR, so that it starts again without questions. The sandbox forgets: every
start finds its people and apps as they were first. Stops what it started on Ctrl-C, SIGTERM and SIGHUP, or when one of
its processes ends. PORT, SANDBOX_PORT, VAR_DIR, PROFILE (demo, contoso, large) and PACE (microsoft, none) are honoured;
DATABASE_URL and CELERY_BROKER_URL replace the embedded PostgreSQL and the broker made of files.
"""

import ctypes
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType
from uuid import UUID

import requests

from portal import keys
from portal.local.postgres import PostgresProblem, Server

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds for one part to answer
PR_SET_PDEATHSIG = 1  # of linux/prctl.h
GRACE = 15  # seconds for one part to stop by itself
PORTAL_CLIENT = {
    "ENTRA_CLIENT_ID": "c0c0c0c0-0000-4000-8000-000000000001",
    "ENTRA_CLIENT_SECRET": "sandbox-portal-secret",  # known to everyone, like everything in the sandbox
    "ENTRA_CERTIFICATE": "",
    "ENTRA_PRIVATE_KEY": "",
}
CONNECTED = [UUID("11111111-1111-4111-8111-111111111111"), UUID("22222222-2222-4222-8222-222222222222")]
CUSTOMERS = UUID("55555555-5555-4555-8555-555555555555")  # an Azure AD B2C tenant
PORTAL_IN_POLICIES = "https://portal.contoso.example"  # what its policies call the portal
# How long Microsoft takes to answer, and until its directory shows an app what was changed. None at all would show
# nobody how "accepted" becomes "verified".
PACES = {"microsoft": ("--latency-ms", 120, "--lag", 3), "none": ()}
GUIDE = """
  Portal    {portal}
  Entra ID  {sandbox}   (pretend; everyone signs in without a password)
  Logs      {logs}

  Who can sign in
    adele@contoso.example      Adele Vance         user: her own apps
    megan@contoso.example      Megan Bowen         tenant admin of Contoso
    isaiah@contoso.example     Isaiah Langer       tenant admin, the second one: approves what Megan asks for
    henrietta@contoso.example  Henrietta Mueller   helpdesk: signs people out
    nestor@contoso.example     Nestor Wilke        auditor: reads everything, changes nothing
    robin@fabrikam.example     Robin Counts        tenant admin of Fabrikam, which never sees Contoso
    tara@tailspin.example      Tara Nowak          admin of Tailspin, which has not connected the portal yet
    nadia@{customers}  Nadia Fischer  tenant admin of Contoso Customers, an Azure AD B2C tenant
    hugo@{customers}   Hugo Baker     helpdesk there

  Five things to try
    1. As Adele, remove Mail Sidekick, which reads her mail while you look:
       {sandbox}/apps/mail-sidekick/
       It reads on until the clock time the dialog said; its next refresh is refused with AADSTS65001.
    2. As Henrietta, find Adele under People and sign her out everywhere. Follow it from asked to verified;
       the refresh of every app she uses is then refused with AADSTS50173.
    3. As Megan, open Apps, sort by risk, and delete an app. Restore it under Deleted apps.
    4. As Hugo, find Ines Moreau under People and refuse her refresh in Contoso Store. Then let the three apps try:
       {sandbox}/b2c/
       The store is refused, the two others go on. End the rule, and the store refreshes again.
    5. As Nadia, ask why the single-page app Contoso Rewards still refreshes after a sign-out: the tenant's own policies
       say it. Sign Ines out everywhere, and let the app renew in its hidden frame.
"""


class DemoProblem(Exception):
    """The demo cannot go on. The message says why and what to do."""


class Stopped(Exception):
    """A signal asked the demo to stop."""


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        with ExitStack() as stack:
            Demo(stack).run()
    except Stopped:
        print("Stopped.", flush=True)
        return 0
    except OSError as full:
        if full.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(f"\nThe disk is full: {full.filename or full}. Make room, or set VAR_DIR.", file=sys.stderr)
        return 1
    except (DemoProblem, PostgresProblem) as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        return 1
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not interrupt the stopping.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped


def _port(name: str, default: int) -> int:
    said = os.environ.get(name) or str(default)
    if not said.isdecimal() or not 0 < int(said) < 65536:
        raise DemoProblem(f"{name}={said} is no port: a number from 1 to 65535, for example {name}={default}.")
    return int(said)


def _stop_with_us() -> None:
    """Run in the new process: it is asked to stop when the demo is killed so hard that it cannot ask.

    Linux only; elsewhere such a child stays. https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html
    """
    if prctl := getattr(ctypes.CDLL(None), "prctl", None):
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Demo:
    """One run. What it starts is put on `stack`, which stops it in reverse order."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.var_dir = Path(os.environ.get("VAR_DIR") or PROJECT / "var").resolve()
        self.logs = self.var_dir / "logs"
        self.profile = os.environ.get("PROFILE") or "demo"
        self.pace = os.environ.get("PACE") or "microsoft"
        if self.pace not in PACES:
            raise DemoProblem(f"PACE={self.pace} is none of {', '.join(PACES)}.")
        self.port = _port("PORT", 8000)
        self.sandbox_port = _port("SANDBOX_PORT", 9400)
        self.portal_url = f"http://127.0.0.1:{self.port}"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.http = requests.Session()
        self.http.trust_env = False  # a proxy of the environment knows nothing about this machine's ports
        self.processes: dict[str, subprocess.Popen] = {}

    def run(self) -> None:
        self._take_folder()
        self._take_ports()
        # What the processes read. Set here too: this process migrates and connects the tenants itself.
        os.environ.update(self._environment())
        gate = ("--gate", f"{PORTAL_IN_POLICIES}={self.portal_url}")
        paced = PACES[self.pace]
        self._start("sandbox", "sandbox", "--port", self.sandbox_port, "--profile", self.profile, *gate, *paced)
        self._start_database()
        self._prepare()
        self._start("web", "gunicorn", "-c", "python:portal.serving", "portal.wsgi", *self._gunicorn_options())
        self._wait("sandbox", lambda: self._answers(f"{self.sandbox_url}/_sandbox/world"))
        self._let_the_app_begin()
        self._connect_tenants()
        self._start("worker", "celery", "-A", "portal", "worker", "--concurrency", 2, "--loglevel", "INFO")
        self._start("beat", "celery", "-A", "portal", "beat", "--loglevel", "INFO")
        self.stack.callback(self._ask_to_stop, "beat", "worker", "web")
        self._wait("web", lambda: self._answers(f"{self.portal_url}/readyz"))
        self._wait_for_worker()
        self.stack.callback(self._say, "Stopping")
        print(
            GUIDE.format(
                portal=self.portal_url,
                sandbox=self.sandbox_url,
                logs=self.logs,
                customers="contosocustomers.onmicrosoft.com",
            )
        )
        print(f"Ready: {self.portal_url}", flush=True)
        self._watch()

    def _let_the_app_begin(self) -> None:
        """Mail Sidekick gets its access tokens, so that what happens next happens to an app that reads mail already."""
        self.http.post(f"{self.sandbox_url}/apps/mail-sidekick/refresh", timeout=PATIENCE)

    # --- ground ------------------------------------------------------------------------------------

    def _take_folder(self) -> None:
        """VAR_DIR is ours alone while we run: two demos in one folder would share a database and a queue."""
        try:
            if not self.var_dir.exists():
                # Passable: run as root, the embedded PostgreSQL is another account.
                self.var_dir.mkdir(parents=True, mode=0o711)
            for folder in (self.logs, self.var_dir / "queue" / "messages", self.var_dir / "queue" / "control"):
                folder.mkdir(parents=True, exist_ok=True)
            lock = self.stack.enter_context((self.var_dir / "demo.lock").open("w"))
        except OSError as reason:
            raise DemoProblem(
                f"VAR_DIR cannot be written to: {reason.filename}: {reason.strerror}.\n"
                "Give the demo a folder of its own: VAR_DIR=/some/folder make demo"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoProblem(
                f"A demo is already running in {self.var_dir}.\n"
                "Stop it, or give this one a folder and ports of its own: "
                "VAR_DIR=/some/folder PORT=8001 SANDBOX_PORT=9401 make demo"
            ) from None

    def _take_ports(self) -> None:
        for name, port in (("PORT", self.port), ("SANDBOX_PORT", self.sandbox_port)):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as reason:
                    other = port + 1 if port >= 1024 else {"PORT": 8000, "SANDBOX_PORT": 9400}[name]
                    raise DemoProblem(
                        f"Port {port} cannot be used: {reason.strerror}. Choose another: {name}={other} make demo"
                    ) from None

    def _environment(self) -> dict[str, str]:
        chosen = {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "VAR_DIR": str(self.var_dir),
            "PORTAL_URL": self.portal_url,
            "SANDBOX_URL": self.sandbox_url,
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
        }
        return self._keys() | PORTAL_CLIENT | chosen

    def _keys(self) -> dict[str, str]:
        """Made once per VAR_DIR, and readable by their owner only."""
        path = self.var_dir / "demo.env"
        if not path.exists():
            draft = path.with_suffix(".new")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.writelines(f"{name}={value}\n" for name, value in keys.fresh().items())
            draft.rename(path)
        return dict(line.split("=", 1) for line in path.read_text().split())

    def _start_database(self) -> None:
        if os.environ.get("DATABASE_URL"):
            return
        server = Server(self.var_dir)
        self._say("Starting PostgreSQL")
        os.environ["DATABASE_URL"] = server.start()
        os.environ["DATABASE_OWNER_URL"] = server.owner_url
        self.stack.callback(server.stop)

    def _prepare(self) -> None:
        import django
        from django.core.management import call_command
        from django.db import OperationalError

        django.setup()
        self._say("Bringing the database up to date")
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as reason:
            raise DemoProblem(f"The database cannot be used: {reason}") from reason
        call_command("collectstatic", interactive=False, verbosity=0)

    # --- processes -----------------------------------------------------------------------------------

    def _start(self, name: str, module: str, *arguments: object) -> None:
        self._say(f"Starting {name}")
        with (self.logs / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", module, *map(str, arguments)],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_stop_with_us,
                start_new_session=True,  # a Ctrl-C in the terminal reaches only us, and we stop them in order
            )
        self.stack.callback(self._end, self.processes[name])

    def _ask_to_stop(self, *names: str) -> None:
        """Those that need nothing of one another stop at the same time; `_end` then waits for each."""
        for name in names:
            if self.processes[name].poll() is None:
                self.processes[name].terminate()

    def _end(self, process: subprocess.Popen) -> None:
        """Ask it to stop, then make sure that it and all of its children have."""
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _gunicorn_options(self) -> Iterator[object]:
        yield from ("--bind", f"127.0.0.1:{self.port}", "--workers", 2, "--threads", 4)
        # Without queries: Microsoft's answers to a sign-in are in them. No header says over what it came: see settings.
        yield from (
            "--access-logfile",
            "-",
            "--access-logformat",
            '%(h)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s "%(a)s"',
        )
        yield from ("--graceful-timeout", 5, "--no-control-socket", "--forwarded-allow-ips", "")

    def _watch(self) -> None:
        while True:
            self._check_alive()
            time.sleep(1)

    def _check_alive(self) -> None:
        for name, process in self.processes.items():
            if process.poll() is not None:
                log = self.logs / f"{name}.log"
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                raise DemoProblem(f"The {name} ended with status {process.returncode}. The end of {log}:\n{tail}")

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            self._check_alive()
            if time.monotonic() > deadline:
                raise DemoProblem(f"The {name} did not answer within {PATIENCE} s. See {self.logs / name}.log")
            time.sleep(0.1)

    def _answers(self, url: str) -> bool:
        try:
            return self.http.get(url, timeout=10).ok
        except requests.RequestException:
            return False

    def _wait_for_worker(self) -> None:
        """A worker that sweeps is a worker that answers."""
        from portal.metrics import sweeper_age
        from revocation.tasks import sweep

        asked = time.monotonic()
        sweep.delay()

        def swept() -> bool:
            age = sweeper_age()
            return age is not None and age <= time.monotonic() - asked

        self._wait("worker", swept)

    def _say(self, what: str) -> None:
        print(f"{what} ...", flush=True)

    # --- tenants -------------------------------------------------------------------------------------

    def _connect_tenants(self) -> None:
        """Those that have consented to the portal in the sandbox's first state; Tailspin has not."""
        from accounts.access import Actor
        from accounts.models import Tenant
        from directory import sync, tasks
        from portal.local import customers
        from tenants import connecting

        for tenant_id in (*CONNECTED, CUSTOMERS):
            known = Tenant.objects.filter(pk=tenant_id).first()
            tenant = known or connecting.connect(tenant_id, actor=Actor.command_line(tenant_id))
            self._say(f"Reading the directory of {tenant.name}")
            if self.profile == "large":
                tasks.sync_tenant.delay(str(tenant_id))  # takes minutes: the pages fill while a worker walks
            else:
                sync.sync_tenant(tenant)
            if tenant_id == CUSTOMERS:
                customers.open_gate(tenant, self._b2c)

    def _b2c(self, given: dict | None = None) -> dict:
        """Read the sandbox's B2C controls, or set them."""
        answer = self.http.request("POST" if given else "GET", f"{self.sandbox_url}/_sandbox/b2c", json=given)
        answer.raise_for_status()
        return answer.json()


if __name__ == "__main__":
    raise SystemExit(main())
