"""What stops a start: each unsafe or missing setting, by its id."""

from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from portal import checks

FERNET, HEX = Fernet.generate_key().decode(), "a1" * 32


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
        ("http://127.0.0.1.example", "http://10.0.0.1", ["portal.E001", "portal.E001"]),
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


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://consentry.example", []),
        ("http://127.0.0.1:8000", []),
        ("http://consentry.example", ["portal.E010"]),
    ],
)
def test_people_elsewhere_come_by_https(settings, address: str, found: list[str]):
    settings.PORTAL_URL = address

    assert ids(checks.public_address_is_https) == found


def test_web_servers_refuse_unsafe_settings(settings):
    checks.refuse_unsafe_start()

    settings.PORTAL_URL = "https://consentry.example"

    with pytest.raises(ImproperlyConfigured, match=r"portal\.E001"):
        checks.refuse_unsafe_start()


@pytest.mark.django_db
def test_an_ordinary_role_passes():
    assert ids(checks.database_role_is_bound, databases=["default"]) == []


@pytest.mark.django_db
@pytest.mark.parametrize("right", ["superuser", "bypassrls"])
def test_a_role_that_policies_do_not_bind_is_refused(monkeypatch: pytest.MonkeyPatch, right: str):
    row = ("boss", right == "superuser", right == "bypassrls", 150000)
    monkeypatch.setattr(connection, "cursor", lambda: FixedRow(row))

    assert ids(checks.database_role_is_bound, databases=["default"]) == ["portal.E012"]


@pytest.mark.django_db
def test_an_old_postgresql_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "cursor", lambda: FixedRow(("consentry", False, False, 140010)))

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
