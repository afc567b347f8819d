"""What must be right before the portal serves anyone. `manage.py` runs these, and so does every start.

Web servers run them through `refuse_unsafe_start`; the one about the database runs with `migrate` and
`check --database default`.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from graph.clouds import ANY_ORGANISATION
from graph.transport import is_loopback

DOCS = "See docs/running.md."


@register(Tags.security)
def sandbox_stays_on_this_machine(**kwargs) -> list[CheckMessage]:
    """Whoever reaches the sandbox can be anyone: it must never face people who are not at this machine."""
    if not settings.SANDBOX_URL:
        return []
    outside = [
        name for name in ("SANDBOX_URL", "PORTAL_URL") if not is_loopback(urlsplit(getattr(settings, name)).hostname)
    ]
    return [
        Error(
            f"SANDBOX_URL is set, and {name} is not a loopback address.",
            hint="The sandbox lets everyone sign in as anyone. Remove SANDBOX_URL to use Microsoft Entra ID.",
            id="portal.E001",
        )
        for name in outside
    ]


@register(Tags.security)
def keys_are_there(**kwargs) -> list[CheckMessage]:
    """The third of them, SECRET_KEY, Django asks for by itself."""
    return [*_audit_keys(), *_token_cache_keys()]


def _audit_keys() -> Iterator[CheckMessage]:
    hint = f"AUDIT_KEYS: 32 bytes in hex, newest first; for example from `openssl rand -hex 32`. {DOCS}"
    if not settings.AUDIT_KEYS:
        yield Error("AUDIT_KEYS is empty: no audit entry can be signed.", hint=hint, id="portal.E002")
    elif not all(map(_is_hex_key, settings.AUDIT_KEYS)):
        yield Error("AUDIT_KEYS holds something that is no 32-byte key in hex.", hint=hint, id="portal.E003")


def _token_cache_keys() -> Iterator[CheckMessage]:
    hint = f"TOKEN_CACHE_KEYS: Fernet keys, newest first; `manage.py new_keys` makes one. {DOCS}"
    if not settings.TOKEN_CACHE_KEYS:
        yield Error("TOKEN_CACHE_KEYS is empty: no sign-in can be kept.", hint=hint, id="portal.E004")
    elif not all(map(_is_fernet_key, settings.TOKEN_CACHE_KEYS)):
        yield Error("TOKEN_CACHE_KEYS holds something that is no Fernet key.", hint=hint, id="portal.E005")


@register(Tags.security, deploy=True)
def registration_is_complete(**kwargs) -> list[CheckMessage]:
    """The portal's own app registration: an id, and one of certificate and secret."""
    found: list[CheckMessage] = []
    if not settings.ENTRA_CLIENT_ID:
        found.append(Error("ENTRA_CLIENT_ID is empty.", hint="See docs/real-tenant.md.", id="portal.E006"))
    if not settings.ENTRA_CERTIFICATE and not settings.ENTRA_CLIENT_SECRET:
        hint = "Set ENTRA_CERTIFICATE and ENTRA_PRIVATE_KEY. See docs/real-tenant.md."
        found.append(Error("The portal has no credential for Entra ID.", hint=hint, id="portal.E007"))
    for name in ("ENTRA_CERTIFICATE", "ENTRA_PRIVATE_KEY", "MICROSOFT_CA_BUNDLE"):
        path = getattr(settings, name)
        if path and not Path(path).is_file():
            found.append(Error(f"{name} names a file that is not there: {path}", id="portal.E008"))
    if not _names_whom_it_serves(settings.ENTRA_TENANT):
        hint = "A tenant id, as a GUID, for a single-tenant registration; without it any organisation may come."
        found.append(Error("ENTRA_TENANT is no tenant id.", hint=hint, id="portal.E014"))
    if bool(settings.ENTRA_CERTIFICATE) != bool(settings.ENTRA_PRIVATE_KEY):
        hint = "The certificate is what Entra ID knows; the private key signs."
        found.append(
            Error("ENTRA_CERTIFICATE and ENTRA_PRIVATE_KEY go together; one is empty.", hint=hint, id="portal.E009")
        )
    return found


@register(Tags.security, deploy=True)
def public_address_is_https(**kwargs) -> list[CheckMessage]:
    address = urlsplit(settings.PORTAL_URL)
    if address.scheme == "https" or is_loopback(address.hostname):
        return []
    hint = "Entra ID accepts http only for loopback, and cookies would travel in the clear."
    return [Error("PORTAL_URL must be https.", hint=hint, id="portal.E010")]


@register(Tags.database)
def database_role_is_bound(databases: list[str] | None = None, **kwargs) -> list[CheckMessage]:
    """Row-level security binds neither a superuser nor a role with BYPASSRLS: with one, half the isolation is gone."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "postgresql":
            found.append(Error("Only PostgreSQL is supported.", hint=DOCS, id="portal.E011"))
            continue
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT current_user, rolsuper, rolbypassrls, current_setting('server_version_num')::int"
                    " FROM pg_roles WHERE rolname = current_user"
                )
                role, superuser, bypasses, version = cursor.fetchone()
        except DatabaseError:
            continue  # `migrate` itself says what is wrong, better than a check could
        if superuser or bypasses:
            fault = "is a superuser" if superuser else "has BYPASSRLS"
            hint = f'ALTER ROLE "{role}" NOSUPERUSER NOBYPASSRLS, or use another role. {DOCS}'
            found.append(Error(f'The database role "{role}" {fault}.', hint=hint, id="portal.E012"))
        if version < 150000:
            found.append(Error("PostgreSQL 15 or newer is needed.", hint=DOCS, id="portal.E013"))
    return found


def refuse_unsafe_start() -> None:
    """Stop a web server from starting on settings that would be unsafe.

    Raises: ImproperlyConfigured, naming every error.
    """
    errors = [message for message in run_checks(tags=[Tags.security]) if message.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(map(str, errors)))


def _names_whom_it_serves(value: str) -> bool:
    """Issuers hold the id in its one canonical spelling; a domain name or `common` fits none."""
    try:
        return value == ANY_ORGANISATION or str(UUID(value)) == value
    except ValueError:
        return False


def _is_hex_key(value: str) -> bool:
    try:
        return len(bytes.fromhex(value)) >= 32
    except ValueError:
        return False


def _is_fernet_key(value: str) -> bool:
    try:
        Fernet(value)
    except ValueError:
        return False
    return True
