"""The stage for every test: a database, a running sandbox, two tenants and the cast."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.contenttypes.management import create_contenttypes
from django.db import connection
from django.db.models.signals import post_migrate, post_save
from django.test import Client
from django.utils import translation

from accounts.models import Membership, Tenant
from graph import breaker, tokens
from revocation.rules import two_persons
from tests.factories import Person, make_person, make_tenant, with_known_roles
from tests.sandbox_client import CONTOSO, FABRIKAM, Sandbox
from tests.signing_in import sign_in as _sign_in
from tests.wire.recorder import Recorder

# --- the run ---------------------------------------------------------------------------------------


def pytest_unconfigure(config: pytest.Config) -> None:
    """Only the process that made the temporary server and folder takes them away."""
    if hasattr(config, "workerinput"):
        return
    from portal.local.postgres import Server

    if folder := os.environ.get("CONSENTRY_TEST_SERVER"):
        Server(Path(folder)).stop()
    if folder := os.environ.get("CONSENTRY_TEST_FOLDER"):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Before the first connection: the embedded server, unless DATABASE_URL names another."""
    if folder := os.environ.get("CONSENTRY_TEST_SERVER"):
        from portal.local.postgres import Server

        Server(Path(folder), durable=False).start()


# What migrations put there and no test changes: emptied, it would have to be made again after every test.
KEPT_TABLES = {"django_content_type", "auth_permission"}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Let transactional tests empty the tables: the audit record's trigger refuses TRUNCATE to everybody.

    Only the table's owner can switch a trigger off, and only the flush between two tests does.
    """
    original = connection.ops.sql_flush
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)

    def sql_flush(style, tables, **options):
        tables = [name for name in tables if name not in KEPT_TABLES]
        guarded = sorted(name for name in tables if name.startswith("audit_"))
        off = [f'ALTER TABLE "{name}" DISABLE TRIGGER USER' for name in guarded]
        on = [f'ALTER TABLE "{name}" ENABLE TRIGGER USER' for name in guarded]
        statements = original(style, tables, **options)
        return [*off, *statements, *on] if statements else []

    connection.ops.sql_flush = sql_flush


# --- the wire ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def wire(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    """Hears every request the portal sends to Microsoft, here and in the processes that tests start."""
    recorder = Recorder(tmp_path_factory.mktemp("wire") / "sent")
    recorder.install()
    return recorder


@pytest.fixture(autouse=True)
def _microsoft_would_take_it(wire: Recorder) -> Iterator[None]:
    """Fail the test in which the portal sent something that Microsoft's documents do not let through."""
    yield
    if found := wire.take():
        pytest.fail("sent what Microsoft would not take:\n" + "\n".join(sorted(set(map(str, found)))), pytrace=False)


# --- Entra ID and Graph ------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _rows_are_sealed_as_they_are_saved() -> Iterator[None]:
    """A test that saves a tenant or a membership means that the portal did. `update` is a hand in the database."""

    def seal(sender, instance, **_signal) -> None:
        if sender is Tenant:
            instance.rule_seal = two_persons.seal(instance)
            Tenant.objects.filter(pk=instance.pk).update(rule_seal=instance.rule_seal)
        elif sender is Membership:
            instance.seal = instance.sealed()
            Membership.objects.filter(pk=instance.pk).update(seal=instance.seal)

    post_save.connect(seal)
    yield
    post_save.disconnect(seal)


@pytest.fixture(autouse=True)
def _nothing_remembered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No token and no client of an earlier world, no host of it that hung, and nobody's language."""
    translation.activate(settings.LANGUAGE_CODE)  # a request leaves its reader's behind
    tokens.forget_everything()
    breaker.forget()
    if not {"db", "transactional_db"} & set(request.fixturenames) and not request.node.get_closest_marker("django_db"):
        monkeypatch.setattr(breaker, "shared", None)  # processes tell one another of hosts that hang in rows


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(settings.SANDBOX_URL, log=tmp_path_factory.mktemp("sandbox") / "log")
    try:
        yield sandbox.start()
    finally:
        sandbox.stop()


@pytest.fixture
def entra(sandbox_process: Sandbox) -> Sandbox:
    """A running Entra ID and Graph, put back to its first state."""
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture(scope="session")
def world(sandbox_process: Sandbox) -> dict:
    """The sandbox's people and applications as they are after a reset."""
    sandbox_process.reset()
    return sandbox_process.world()


# --- the cast ----------------------------------------------------------------------------------------


@pytest.fixture
def contoso(db: None) -> Tenant:
    return with_known_roles(make_tenant(CONTOSO, "Contoso", "contoso.example"))


@pytest.fixture
def fabrikam(db: None) -> Tenant:
    return with_known_roles(make_tenant(FABRIKAM, "Fabrikam", "fabrikam.example"))


def _person(world: dict, tenant: Tenant, name: str, *roles: str) -> Person:
    people = next(one["users"] for one in world["tenants"] if one["id"] == str(tenant.id))
    found = next(one for one in people if one.get("displayName", one.get("name")) == name)
    return make_person(tenant, found["id"], name, *roles, upn=found.get("userPrincipalName") or found["upn"])


@pytest.fixture
def adele(world: dict, contoso: Tenant) -> Person:
    """An ordinary user."""
    return _person(world, contoso, "Adele Vance")


@pytest.fixture
def megan(world: dict, contoso: Tenant) -> Person:
    """Contoso's admin."""
    return _person(world, contoso, "Megan Bowen", "tenant_admin")


@pytest.fixture
def isaiah(world: dict, contoso: Tenant) -> Person:
    """Contoso's second admin: the one who approves what Megan asks for."""
    return _person(world, contoso, "Isaiah Langer", "tenant_admin")


@pytest.fixture
def henrietta(world: dict, contoso: Tenant) -> Person:
    """Contoso's helpdesk."""
    return _person(world, contoso, "Henrietta Mueller", "helpdesk")


@pytest.fixture
def nestor(world: dict, contoso: Tenant) -> Person:
    """Contoso's auditor."""
    return _person(world, contoso, "Nestor Wilke", "auditor")


@pytest.fixture
def robin(world: dict, fabrikam: Tenant) -> Person:
    """The admin of the other tenant."""
    return _person(world, fabrikam, "Robin Counts", "tenant_admin")


@pytest.fixture
def sign_in() -> Callable[..., Client]:
    """`sign_in(client, person, auth_age=0)`: the client, signed in `auth_age` seconds ago as sign-in would leave it."""
    return _sign_in
