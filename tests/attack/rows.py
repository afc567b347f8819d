"""A stolen password of the database: what the portal's role may do with it, and what the portal makes of such rows."""

import time
from collections.abc import Iterator
from uuid import uuid4

import psycopg

from tests.attack.ground import CONTOSO, FABRIKAM, Ground, Tried

REFUSED = [
    "ALTER TABLE audit_auditentry DISABLE TRIGGER USER",
    "ALTER TABLE revocation_revocationrequest NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE accounts_membership DISABLE ROW LEVEL SECURITY",
    "ALTER POLICY tenant_isolation ON accounts_membership USING (true)",
    "DROP POLICY tenant_isolation ON accounts_membership",
    "CREATE POLICY mine ON accounts_membership USING (true)",
    "DROP TABLE audit_auditentry",
    "DROP TRIGGER audit_entry_append_only ON audit_auditentry",
    "TRUNCATE audit_auditentry",
    "TRUNCATE accounts_membership",
    "UPDATE audit_auditentry SET reason = ''",
    "DELETE FROM audit_auditentry",
    "DELETE FROM audit_chainhead",
    "UPDATE audit_chainhead SET sequence = 0",
    "DELETE FROM django_migrations",
    "CREATE TABLE mine (id int)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE EXTENSION dblink",
    "SET ROLE consentry_owner",
    "SET ROLE postgres",
    "SET session_replication_role = replica",
    "ALTER ROLE consentry SUPERUSER",
    "ALTER ROLE consentry BYPASSRLS",
    "COPY accounts_membership TO PROGRAM 'cat'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
]


def statements(ground: Ground) -> Iterator[Tried]:
    for statement in REFUSED:
        with ground.hand(CONTOSO) as connection:
            try:
                connection.execute(statement)
                held, seen = False, "done"
            except psycopg.Error as refused:
                held, seen = True, type(refused).__name__
        yield Tried(f"by hand: {statement[:60]}", held, seen)


def walls(ground: Ground) -> Iterator[Tried]:
    """Each table of a tenant's rows: without a tenant, as another, and across."""
    with ground.hand() as connection:
        owned = connection.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1"
        ).fetchall()
        for (table,) in owned:
            rows = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
            yield Tried(f"{table} without a tenant", rows == 0, f"{rows} rows")
    with ground.hand(FABRIKAM) as connection:
        for (table,) in owned:
            rows = connection.execute(f'SELECT count(*) FROM "{table}" WHERE tenant_id = %s', [CONTOSO]).fetchone()[0]
            yield Tried(f"{table} as another tenant", rows == 0, f"{rows} rows")
            try:
                moved = connection.execute(f'UPDATE "{table}" SET tenant_id = %s', [CONTOSO]).rowcount
            except psycopg.Error:
                moved = 0
            yield Tried(f"{table}: rows moved to another tenant", moved == 0, f"{moved} rows")


def by_hand(ground: Ground) -> Iterator[Tried]:
    """Rows that let somebody in, or have something done: written, and then the portal is asked."""
    yield from _memberships(ground)
    yield from _over(ground)
    yield from _rule_and_approval(ground)


def _memberships(ground: Ground) -> Iterator[Tried]:
    robin = ground.visitor("foreigner")
    with ground.hand(FABRIKAM) as fabrikam:
        (user,) = fabrikam.execute("SELECT id FROM accounts_user WHERE upn = 'robin@fabrikam.example'").fetchone()
    for source in ("granted", "entra"):
        made = uuid4()
        with ground.hand(CONTOSO) as connection:
            connection.execute(
                "INSERT INTO accounts_membership (id, tenant_id, user_id, roles, source, granted_by, let_in_by,"
                " person_label, created_at, seal)"
                " VALUES (%s, %s, %s, '{tenant_admin}', %s, '', '{}', 'Robin', now(), '')",
                [made, CONTOSO, user, source],
            )
            for path in ("apps", "people", "settings", "audit"):
                answer = robin.get(f"/t/contoso/{path}/")
                yield Tried(f"a written membership ({source}) opens {path}", answer.status_code == 404)
            connection.execute("DELETE FROM accounts_membership WHERE id = %s", [made])


def _over(ground: Ground) -> Iterator[Tried]:
    """What was carried out is put back to waiting: workers come round every few seconds."""
    henrietta = ground.visitor("helpdesk")
    with ground.hand(CONTOSO) as connection:
        person = "SELECT id FROM directory_person WHERE upn = 'lee@contoso.example' OR display_name = 'Lee Gu' LIMIT 1"
        (target,) = connection.execute(person).fetchone()
        henrietta.post(f"/t/contoso/people/{target}/sign-out/", {"reason": "Attack"})
        request = _wait_for(connection, "state = 'finished'")
        yield Tried("control: a sign-out is carried out", request is not None)
        if request is None:
            return
        called = _calls(ground, target)
        connection.execute("UPDATE revocation_revocationrequest SET state = 'running' WHERE id = %s", [request])
        connection.execute(
            "UPDATE revocation_revocationstep SET state = 'waiting', not_before = NULL WHERE request_id = %s", [request]
        )
        closed = _wait_for(connection, f"id = '{request}' AND state = 'finished'")
        yield Tried("what is over is done again", _calls(ground, target) == called)
        yield Tried("and stays over", closed is not None)


def _rule_and_approval(ground: Ground) -> Iterator[Tried]:
    henrietta, megan = ground.visitor("helpdesk"), ground.visitor("tenant_admin")
    with ground.hand(CONTOSO) as connection:
        (target,) = connection.execute(
            "SELECT id FROM directory_person WHERE display_name = 'Pradeep Gupta'"
        ).fetchone()
        connection.execute("UPDATE accounts_tenant SET approval_threshold = 100000 WHERE id = %s", [CONTOSO])
        henrietta.post(f"/t/contoso/people/{target}/sign-out/", {"reason": "Attack"})
        request = _wait_for(connection, "state = 'awaiting_approval'")
        yield Tried("a looser rule of two, written by hand", request is not None)
        connection.execute("UPDATE accounts_tenant SET approval_threshold = 50 WHERE id = %s", [CONTOSO])
        if request is None:
            return
        named = "UPDATE revocation_revocationrequest SET "
        forgeries = {
            "state running without a yes": "state = 'running'",
            "needs no approval any more": "state = 'running', needs_approval = false",
            "a yes of nobody": "state = 'running', approved_at = now(), approved_digest = digest, approver_id = 'x'",
            "the asker is somebody else": "state = 'running', actor_id = 'command-line', needs_approval = false",
        }
        for what, change in forgeries.items():
            connection.execute(f"{named}{change} WHERE id = %s", [request])
            time.sleep(0.5)
            henrietta.get("/t/contoso/revocations/")
            back = _wait_for(connection, f"id = '{request}' AND state <> 'running'", seconds=45)
            yield Tried(f"by hand: {what}", back is not None and not _calls(ground, target))
            connection.execute(
                f"{named}state = 'awaiting_approval', needs_approval = true, actor_id = %s WHERE id = %s",
                [_object_id(connection, "henrietta@contoso.example"), request],
            )
        connection.execute(
            "UPDATE revocation_revocationstep SET target_id = %s WHERE request_id = %s", [str(uuid4()), request]
        )
        (digest,) = connection.execute(
            "SELECT digest FROM revocation_revocationrequest WHERE id = %s", [request]
        ).fetchone()
        megan.post(f"/t/contoso/revocations/{request}/approve/", {"digest": digest})
        (state,) = connection.execute(
            "SELECT state FROM revocation_revocationrequest WHERE id = %s", [request]
        ).fetchone()
        yield Tried("approving steps that were moved to somebody else", state != "running", state)
        yield Tried("nobody was signed out by any of it", not _calls(ground, target))


def _object_id(connection, upn: str) -> str:
    return str(connection.execute("SELECT object_id FROM accounts_user WHERE upn = %s", [upn]).fetchone()[0])


def _wait_for(connection, condition: str, seconds: float = 60) -> str | None:
    deadline = time.monotonic() + seconds
    query = f"SELECT id FROM revocation_revocationrequest WHERE {condition} ORDER BY created_at DESC LIMIT 1"
    while time.monotonic() < deadline:
        if row := connection.execute(query).fetchone():
            return str(row[0])
        time.sleep(0.3)
    return None


def _calls(ground: Ground, person) -> int:
    path = f"/users/{person}/revokeSignInSessions".lower()
    return sum(path in one["path"].lower() for one in ground.sandbox.requests() if one["method"] == "POST")


SECTIONS = [statements, walls, by_hand]
