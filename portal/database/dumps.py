"""Backups that hold what they claim: counted in the moment they are made, and counted again in the file.

Row-level security hides every row from a role it binds, so `pg_dump` under the portal's own role makes an empty file
and calls it done. A backup is made under a role that sees everything (DATABASE_BACKUP_URL), counts every table under
the dump's own snapshot, and is kept only where the file holds as many rows. The manifest beside it says how many, and
is signed under the audit key: it goes wherever the file goes.

https://www.postgresql.org/docs/current/app-pgdump.html
"""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.utils import timezone
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from audit import canonical, keys, signing
from portal.local.postgres import PostgresProblem, programs

_COPY = re.compile(rb"^COPY (?:public\.)?\"?([a-z0-9_]+)\"? ")
PURPOSE = "backup"  # of the key that signs a manifest


class DumpProblem(Exception):
    """No backup was made, or none was restored. The message says why; what was there is as it was."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: rows by table, and when its snapshot was taken."""

    at: str
    rows: dict[str, int]

    def signed(self) -> bytes:
        body = {"at": self.at, "rows": self.rows, "key_id": keys.newest()}
        return json.dumps(signing.sign(body, PURPOSE), indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Raises: DumpProblem where it is missing or not what was signed."""
        try:
            body = json.loads(path.read_bytes())
            holds = signing.holds(body, PURPOSE)
        except FileNotFoundError:
            raise DumpProblem(f"{path} is missing: without it nobody can tell whether the backup is whole.") from None
        except keys.UnknownKey as unknown:
            raise DumpProblem(f"{path} is signed with the key {unknown}, which is not in AUDIT_KEYS.") from None
        except ValueError:
            holds = False
        if not holds:
            raise DumpProblem(f"{path} is not what was signed.")
        return cls(body["at"], body["rows"])


def back_up(url: str, path: Path) -> Manifest:
    """Write the whole database to `path`, and what it holds to the file beside it.

    Args:
        url: of a role that row-level security does not bind.

    Raises:
        DumpProblem: the role sees less than everything, or the file holds less than was counted. No file is left.
    """
    if path.exists():
        raise DumpProblem(f"{path} is there already.")
    part = path.with_name(path.name + ".part")
    part.touch(mode=0o600)
    try:
        with psycopg.connect(url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            _require_sight(connection)
            manifest = Manifest(canonical.instant(timezone.now()), _counted(connection))
            (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone()
            _run(url, "pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={part}")
        _require(manifest, part)
        manifest_of(path).write_bytes(manifest.signed())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def restore(url: str, path: Path) -> Manifest:
    """Bring a backup into an empty database, whole or not at all.

    Args:
        url: of the role that is to own the tables.

    Raises:
        DumpProblem: the backup is not whole, or the database is not empty. Nothing was changed.
    """
    manifest = Manifest.read(manifest_of(path))
    _require(manifest, path)
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    if tables != (0,):
        raise DumpProblem("The database is not empty. Make a new one, and name it in DATABASE_URL.")
    _run(url, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(path))
    return manifest


def manifest_of(path: Path) -> Path:
    return path.with_name(path.name + ".manifest.json")


def _require_sight(connection: psycopg.Connection) -> None:
    asked = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    if connection.execute(asked).fetchone() != (True,):
        raise DumpProblem(
            "Row-level security hides rows from this role: the backup would be empty. DATABASE_BACKUP_URL has to name"
            " a role with BYPASSRLS and pg_read_all_data; deploy/postgres-role.sh makes one."
        )


def _counted(connection: psycopg.Connection) -> dict[str, int]:
    """Rows of every table, in the transaction whose snapshot the dump takes."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    count = sql.SQL("SELECT count(*) FROM {}")
    return {name: connection.execute(count.format(sql.Identifier(name))).fetchone()[0] for (name,) in tables}


def _require(manifest: Manifest, dump: Path) -> None:
    """Compare what the file holds with what was counted. Reads the whole file, a line at a time."""
    found: Counter[str] = Counter()
    with subprocess.Popen(
        [_program("pg_restore"), "--data-only", "--file=-", str(dump)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        table = ""
        for line in process.stdout:
            if table:
                if line == b"\\.\n":
                    table = ""
                else:
                    found[table] += 1
            elif match := _COPY.match(line):
                table = match[1].decode()
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise DumpProblem(f"The backup cannot be read: {said}")
    short = [name for name, rows in manifest.rows.items() if found[name] != rows]
    if short:
        listed = ", ".join(f"{name} ({found[name]} of {manifest.rows[name]})" for name in short[:5])
        raise DumpProblem(f"The backup does not hold what the database holds: {listed}.")


def _run(url: str, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; the password travels by environment, not on the command line."""
    known = conninfo_to_dict(url)
    environment = os.environ | {"PGPASSWORD": known.pop("password", "") or ""}
    address = psycopg.conninfo.make_conninfo(**known)
    result = subprocess.run(
        [_program(program), f"--dbname={address}", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise DumpProblem(f"{program} failed: {result.stderr.strip()}")


def _program(name: str) -> str:
    """From PATH where the newest is there; the embedded server's own elsewhere, which reads every older server too."""
    with suppress(PostgresProblem):
        return str(programs() / name)
    if found := shutil.which(name):
        return found
    raise DumpProblem(f"{name} is not installed. On Debian: apt-get install postgresql-client")
