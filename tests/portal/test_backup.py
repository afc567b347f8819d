"""A backup holds what it claims, and a restored database is the one that was backed up."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal.database import dumps
from portal.local.postgres import Server

PROJECT = Path(__file__).resolve().parents[2]
# A tenant, and a row that row-level security hides from everybody else.
FILL = """
from uuid import UUID
from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from audit import services
from audit.models import AuditEvent
tenant = Tenant.objects.create(id=UUID("11111111-1111-4111-8111-111111111111"), slug="contoso", name="Contoso")
with tenant_context(tenant.pk):
    services.record(AuditEvent.TENANT_CONNECTED, tenant_id=tenant.pk, actor=Actor.command_line(tenant.pk))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A portal's database with one tenant in it."""
    with tempfile.TemporaryDirectory(prefix="consentry-backup-") as folder:
        Path(folder).chmod(0o711)
        server = Server(Path(folder), durable=False)
        server.start()
        manage(server, "migrate", "--verbosity", "0")
        filled = manage(server, "shell", "--no-imports", "--command", FILL)
        assert filled.returncode == 0, filled.stderr
        yield server
        server.stop()


def superuser(server: Server, database: str = "consentry") -> str:
    return f"host={server.socket_dir} user=postgres dbname={database}"


def manage(server: Server, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": server.url, "DATABASE_OWNER_URL": server.owner_url} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def rows(address: str) -> dict[str, int]:
    with psycopg.connect(address) as connection:
        return dumps._counted(connection)


def test_a_backup_comes_back_whole_under_the_owner(server, tmp_path):
    file = tmp_path / "backup.dump"
    made = manage(server, "backup", str(file), DATABASE_BACKUP_URL=superuser(server))
    assert made.returncode == 0, made.stderr
    assert file.stat().st_mode & 0o077 == 0
    with psycopg.connect(superuser(server), autocommit=True) as connection:
        connection.execute("CREATE DATABASE second OWNER consentry_owner")
    other = {
        "DATABASE_URL": server.url.replace("/consentry?", "/second?"),
        "DATABASE_OWNER_URL": server.owner_url.replace("/consentry?", "/second?"),
    }

    back = manage(server, "restore", str(file), **other)

    assert back.returncode == 0, back.stderr
    before, after = rows(superuser(server)), rows(superuser(server, "second"))
    assert before == after
    assert (after["accounts_tenant"], after["audit_auditentry"]) == (1, 1)
    again = manage(server, "restore", str(file), **other)
    assert again.returncode == 1
    assert "not empty" in again.stderr


def test_a_role_that_sees_nothing_makes_no_backup(server, tmp_path):
    made = manage(server, "backup", str(tmp_path / "empty.dump"), DATABASE_BACKUP_URL=server.owner_url)

    assert made.returncode == 1
    assert "BYPASSRLS" in made.stderr
    assert not list(tmp_path.iterdir())


def test_a_file_with_fewer_rows_than_were_counted_is_not_restored(server, tmp_path):
    file = tmp_path / "backup.dump"
    manifest = dumps.back_up(superuser(server), file)
    more = {**manifest.rows, "accounts_tenant": 2}
    dumps.manifest_of(file).write_bytes(dumps.Manifest(manifest.at, more).signed())

    with pytest.raises(dumps.DumpProblem, match="accounts_tenant"):
        dumps.restore(superuser(server, "postgres"), file)

    dumps.manifest_of(file).write_bytes(dumps.Manifest(manifest.at, more).signed().replace(b": 2", b": 1"))
    with pytest.raises(dumps.DumpProblem, match="not what was signed"):
        dumps.restore(superuser(server, "postgres"), file)
