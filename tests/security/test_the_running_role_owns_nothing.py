"""The portal's role in the database writes rows: it changes no table, policy or trigger, and nothing of the record."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal import checks
from portal.local.postgres import Server

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("runtime-role")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="consentry-roles-") as folder:
        Path(folder).chmod(0o711)
        made = Server(Path(folder), durable=False)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def manage(server: Server, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": server.url,
        "DATABASE_OWNER_URL": server.owner_url,
        "SANDBOX_URL": "",
    }
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment | settings, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def migrated(server: Server) -> Server:
    done = manage(server, "migrate", "--no-input", "-v0")
    assert done.returncode == 0, done.stderr
    return server


@pytest.fixture
def runtime(migrated: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(migrated.url.replace("postgres://consentry@/", "postgresql://consentry@/")) as connection:
        yield connection
        connection.rollback()


def test_it_owns_no_table_and_the_owner_owns_them_all(runtime):
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"

    assert runtime.execute(owners).fetchall() == [("consentry_owner",)]


def test_it_reads_and_writes_rows(runtime):
    runtime.execute("INSERT INTO accounts_bucket VALUES ('x', 1, now())")
    assert runtime.execute("UPDATE accounts_bucket SET level = 2").rowcount == 1
    assert runtime.execute("DELETE FROM accounts_bucket").rowcount == 1
    assert runtime.execute("SELECT count(*) FROM audit_auditentry").fetchone() == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit_auditentry DISABLE TRIGGER USER",
        "ALTER TABLE revocation_revocationrequest NO FORCE ROW LEVEL SECURITY",
        "ALTER POLICY tenant_isolation ON accounts_membership USING (true)",
        "DROP POLICY tenant_isolation ON accounts_membership",
        "DROP TABLE audit_auditentry",
        "TRUNCATE audit_auditentry",
        "UPDATE audit_auditentry SET reason = ''",
        "DELETE FROM audit_auditentry",
        "DELETE FROM audit_chainhead",
        "UPDATE audit_label SET text = '', key = '', erased_at = now()",
        "DELETE FROM audit_label",
        "INSERT INTO audit_redaction (tenant_id, sequence, person_id) VALUES (gen_random_uuid(), 1, 'x')",
        "INSERT INTO audit_segment SELECT * FROM audit_segment",
        "DELETE FROM audit_segment",
        "DELETE FROM django_migrations",
        "CREATE TABLE mine (id int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "SET ROLE consentry_owner",
        "SET session_replication_role = replica",
        "GRANT ALL ON audit_auditentry TO consentry",
    ],
)
def test_it_changes_nothing_else(runtime, statement):
    try:
        runtime.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return
    rights = runtime.execute("SELECT has_table_privilege('audit_auditentry', 'UPDATE')").fetchone()
    assert statement.startswith("GRANT"), "it was done"
    assert rights == (False,)


def test_the_portals_own_checks_are_content(migrated):
    done = manage(migrated, "check", "--database", "default")

    assert "owns its tables" not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


def test_an_owner_does_not_start_where_others_are_served(db, settings):
    settings.DATABASE_OWNER_URL = ""  # the role of these tests made their database
    settings.ALLOWED_HOSTS = ["consentry.example"]
    (found,) = checks.database_role_is_bound(["default"])
    assert (found.id, found.is_serious()) == ("portal.E020", True)

    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    (found,) = checks.database_role_is_bound(["default"])
    assert (found.id, found.is_serious()) == ("portal.W020", False)


def test_a_database_of_one_role_is_handed_over(migrated):
    with migrated._as_superuser("consentry") as connection:
        connection.execute("ALTER DATABASE consentry OWNER TO consentry")
        connection.execute("ALTER TABLE accounts_bucket OWNER TO consentry")

    migrated.start()

    with migrated._as_superuser("consentry") as connection:
        owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'accounts_bucket'"
        assert connection.execute(owner).fetchone() == ("consentry_owner",)
