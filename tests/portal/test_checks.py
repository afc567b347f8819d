"""What stops a start: each unsafe or missing setting, by its id."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from django.utils.functional import empty

from portal import checks

PROJECT = Path(__file__).resolve().parent.parent.parent
MANIFEST = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
FERNET, HEX = Fernet.generate_key().decode(), "a1" * 32


@pytest.fixture(autouse=True)
def _only_this_machine_is_served(settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]  # without the name Django's test client adds


@pytest.fixture
def in_public(settings):
    """Settings with which others may be served."""
    settings.SANDBOX_URL, settings.PORTAL_URL = "", "https://consentry.example"
    settings.ALLOWED_HOSTS = ["consentry.example"]


def ids(check: Callable, **kwargs) -> list[str]:
    return [message.id for message in check(app_configs=None, **kwargs)]


@pytest.mark.parametrize(
    ("sandbox", "portal", "found"),
    [
        ("", "https://consentry.example", []),
        ("http://127.0.0.1:9400", "http://127.0.0.1:8000", []),
        ("http://[::1]:9400", "http://localhost:8000", []),
        ("http://127.0.0.1:9400", "https://consentry.example", ["portal.E001"]),
        ("http://192.0.2.7:9400", "http://127.0.0.1:8000", ["portal.E001"]),
        ("http://127.0.0.1.example", "https://10.0.0.1", ["portal.E001", "portal.E001"]),
    ],
)
def test_the_sandbox_never_faces_other_machines(settings, sandbox: str, portal: str, found: list[str]):
    settings.SANDBOX_URL, settings.PORTAL_URL = sandbox, portal

    assert ids(checks.sandbox_stays_on_this_machine) == found


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("AUDIT_KEYS", [], ["portal.E002"]),
        ("AUDIT_KEYS", [HEX, "not hex"], ["portal.E003"]),
        ("AUDIT_KEYS", ["a1" * 16], ["portal.E003"]),
        ("TOKEN_CACHE_KEYS", [], ["portal.E004"]),
        ("TOKEN_CACHE_KEYS", [FERNET, HEX], ["portal.E005"]),
    ],
)
def test_keys_must_be_there_and_fit(settings, name: str, value: object, found: list[str]):
    assert ids(checks.keys_are_there) == []

    setattr(settings, name, value)

    assert ids(checks.keys_are_there) == found


def test_a_deployment_needs_a_registration_and_a_credential(settings):
    settings.ENTRA_CLIENT_ID = settings.ENTRA_CLIENT_SECRET = ""

    assert ids(checks.registration_is_complete) == ["portal.E006", "portal.E007"]


@pytest.mark.parametrize(
    ("tenant", "found"),
    [
        ("organizations", []),
        ("11111111-1111-4111-8111-111111111111", []),
        ("common", ["portal.E014"]),
        ("contoso.example", ["portal.E014"]),
        ("11111111-1111-4111-8111-11111111111A", ["portal.E014"]),
    ],
)
def test_the_only_tenant_is_named_by_its_id(settings, tenant: str, found: list[str]):
    settings.ENTRA_TENANT = tenant

    assert ids(checks.registration_is_complete) == found


def test_a_certificate_needs_its_private_key(settings, tmp_path):
    settings.ENTRA_CERTIFICATE, settings.ENTRA_PRIVATE_KEY = str(tmp_path / "absent.pem"), ""

    assert ids(checks.registration_is_complete) == ["portal.E008", "portal.E009"]


@pytest.mark.parametrize("host", ["consentry.example", "*", ".example", "10.0.0.1", "[2001:db8::1]"])
def test_the_sandbox_is_refused_by_any_public_host(settings, host: str):
    settings.ALLOWED_HOSTS = ["127.0.0.1", host]

    assert ids(checks.sandbox_stays_on_this_machine) == ["portal.E001"]


@pytest.mark.parametrize(
    ("address", "hosts", "found"),
    [
        ("https://consentry.example", ["consentry.example"], []),
        ("http://127.0.0.1:8000", ["127.0.0.1", "localhost", "[::1]"], []),
        ("http://consentry.example", ["127.0.0.1"], ["portal.E010"]),
        ("http://127.0.0.1:8000", ["consentry.example"], ["portal.E010"]),  # PORTAL_URL was forgotten
        ("http://127.0.0.1:8000", ["*"], ["portal.E010"]),
    ],
)
def test_people_elsewhere_come_by_https(settings, address: str, hosts: list[str], found: list[str]):
    settings.PORTAL_URL, settings.ALLOWED_HOSTS = address, hosts

    assert ids(checks.others_are_served_safely) == found


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [("DEBUG", True, "portal.E016"), ("SECRET_KEY", "abc", "portal.E017"), ("SECRET_KEY", "a" * 64, "portal.E017")],
)
def test_what_is_loose_stays_on_this_machine(settings, name: str, value: object, found: str):
    setattr(settings, name, value)
    assert ids(checks.others_are_served_safely) == []

    settings.PORTAL_URL = "https://consentry.example"

    assert ids(checks.others_are_served_safely) == [found]


def test_pages_need_their_static_files_collected(settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": MANIFEST, "OPTIONS": {"location": tmp_path}}}
    staticfiles_storage._wrapped = empty
    try:
        assert ids(checks.static_files_are_collected) == ["portal.E018"]

        (tmp_path / "staticfiles.json").write_text("{}")

        assert ids(checks.static_files_are_collected) == []
    finally:
        staticfiles_storage._wrapped = empty


# --- the start of each kind of process ---------------------------------------------------------------------


@pytest.mark.django_db
def test_a_start_on_this_machine_is_easy_going(settings):
    settings.ENTRA_CLIENT_ID = ""

    checks.refuse_unsafe_start()


@pytest.mark.django_db
def test_a_start_for_others_needs_everything(settings, in_public, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "cursor", lambda: FixedRow(("consentry", False, False, 150000, False)))
    checks.refuse_unsafe_start()

    settings.ENTRA_CERTIFICATE = settings.ENTRA_PRIVATE_KEY = "/etc/consentry/absent"

    with pytest.raises(ImproperlyConfigured, match=r"E008\) ENTRA_CERTIFICATE names a file that is not there"):
        checks.refuse_unsafe_start()


@pytest.mark.django_db
def test_a_role_that_policies_do_not_bind_starts_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "cursor", lambda: FixedRow(("boss", True, False, 150000, False)))

    with pytest.raises(ImproperlyConfigured, match='The database role "boss" is a superuser'):
        checks.refuse_unsafe_start()


@pytest.mark.django_db
def test_a_database_that_is_away_stops_no_start_and_is_said_by_the_check(monkeypatch: pytest.MonkeyPatch):
    def refused():
        raise OperationalError("connection to server failed:\nConnection refused")

    monkeypatch.setattr(connection, "cursor", refused)

    checks.refuse_unsafe_start()
    assert ids(checks.database_role_is_bound, databases=["default"]) == ["portal.E015"]


KINDS = {
    "web": [sys.executable, "-c", "import portal.wsgi"],
    "worker": [sys.executable, "-m", "celery", "-A", "portal", "worker", "--pool", "solo"],
    "beat": [sys.executable, "-m", "celery", "-A", "portal", "beat"],
    "command": [sys.executable, "manage.py", "tidy_accounts"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_process_refuses_the_sandbox_in_public_and_says_why(tmp_path: Path, kind: str):
    public = {"ALLOWED_HOSTS": "consentry.example", "PORTAL_URL": "https://consentry.example"}
    mode = {"DJANGO_SETTINGS_MODULE": "portal.settings", "VAR_DIR": str(tmp_path)}

    ended = subprocess.run(
        KINDS[kind], cwd=PROJECT, env=os.environ | mode | public, capture_output=True, text=True, timeout=60
    )

    assert ended.returncode != 0
    assert "(portal.E001) SANDBOX_URL is set, and ALLOWED_HOSTS (consentry.example) is not a loopback" in ended.stderr
    assert "HINT: The sandbox lets everyone sign in as anyone. Remove SANDBOX_URL" in ended.stderr


@pytest.mark.django_db
def test_an_ordinary_role_passes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "cursor", lambda: FixedRow(("consentry", False, False, 150000, False)))

    assert ids(checks.database_role_is_bound, databases=["default"]) == []


@pytest.mark.django_db
@pytest.mark.parametrize("right", ["superuser", "bypassrls"])
def test_a_role_that_policies_do_not_bind_is_refused(monkeypatch: pytest.MonkeyPatch, right: str):
    row = ("boss", right == "superuser", right == "bypassrls", 150000, True)
    monkeypatch.setattr(connection, "cursor", lambda: FixedRow(row))

    assert ids(checks.database_role_is_bound, databases=["default"]) == ["portal.E012"]


@pytest.mark.django_db
def test_an_old_postgresql_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "cursor", lambda: FixedRow(("consentry", False, False, 140010, False)))

    assert ids(checks.database_role_is_bound, databases=["default"]) == ["portal.E013"]


class FixedRow:
    def __init__(self, row: tuple) -> None:
        self.row = row

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def execute(self, statement: str) -> None:
        pass

    def fetchone(self) -> tuple:
        return self.row
