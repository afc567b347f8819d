"""What must be right before the portal serves anyone. Web, workers and beat ask `refuse_unsafe_start`.

`manage.py` runs those that need neither a database nor a finished deployment before each command; `migrate` and
`check --deploy --database default` run the others too. How strict they are is decided by `faces_others`.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections
from environ import Env

from graph import certificate
from graph.clouds import ANY_ORGANISATION
from graph.transport import is_loopback

DOCS = "See docs/running.md."
UNREACHABLE = "portal.E015"


LEAST_SECRET = 50  # characters; what Django's own `check --deploy` asks for


def faces_others() -> bool:
    """Whether anyone but this machine may be served: any name the portal answers to is not loopback."""
    return bool(_names_of_others())


def _names_of_others() -> list[str]:
    """The settings that let others in, as a sentence names them: `ALLOWED_HOSTS (consentry.example)`."""
    address = urlsplit(settings.PORTAL_URL).hostname
    named = [("PORTAL_URL", address), *(("ALLOWED_HOSTS", host) for host in settings.ALLOWED_HOSTS)]
    return [f"{name} ({host})" for name, host in named if not is_loopback((host or "").strip("[]"))]


@register(Tags.security)
def sandbox_stays_on_this_machine(**kwargs) -> list[CheckMessage]:
    """Whoever reaches the sandbox can be anyone: it must never face people who are not at this machine."""
    if not settings.SANDBOX_URL:
        return []
    host = urlsplit(settings.SANDBOX_URL).hostname
    outside = [] if is_loopback(host) else [f"SANDBOX_URL ({host})"]
    return [
        Error(
            f"SANDBOX_URL is set, and {name} is not a loopback address.",
            hint="The sandbox lets everyone sign in as anyone. Remove SANDBOX_URL to use Microsoft Entra ID.",
            id="portal.E001",
        )
        for name in outside + _names_of_others()
    ]


@register(Tags.security)
def others_are_served_safely(**kwargs) -> list[CheckMessage]:
    """What may be loose on this machine alone, and never where anybody else comes: http, DEBUG, a guessable key."""
    found: list[CheckMessage] = []
    if not (others := ", ".join(_names_of_others())):
        return found
    if urlsplit(settings.PORTAL_URL).scheme != "https":
        hint = (
            "Set PORTAL_URL to the https address where people reach the portal, as registered in Entra ID. "
            "Over http, cookies travel in the clear."
        )
        found.append(Error(f"PORTAL_URL is not https, and others are served: {others}.", hint=hint, id="portal.E010"))
    if settings.DEBUG:
        hint = "Remove DEBUG: its pages show settings and code to whoever meets a fault."
        found.append(Error(f"DEBUG is on, and others are served: {others}.", hint=hint, id="portal.E016"))
    if len(settings.SECRET_KEY) < LEAST_SECRET or len(set(settings.SECRET_KEY)) < 5:
        hint = f"`manage.py new_keys` makes one; {LEAST_SECRET} characters at least. Who guesses it makes sessions."
        found.append(Error(f"SECRET_KEY is guessable, and others are served: {others}.", hint=hint, id="portal.E017"))
    return found


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
    if settings.ONBOARDING not in (["open"], ["closed"]) and not all(map(_is_id, settings.ONBOARDING)):
        hint = '"open", "closed", or the ids of the tenants that may be connected, with commas between them.'
        found.append(
            Error("ONBOARDING is neither of its words, nor a list of tenant ids.", hint=hint, id="portal.E019")
        )
    if bool(settings.ENTRA_CERTIFICATE) != bool(settings.ENTRA_PRIVATE_KEY):
        hint = "The certificate is what Entra ID knows; the private key signs."
        found.append(
            Error("ENTRA_CERTIFICATE and ENTRA_PRIVATE_KEY go together; one is empty.", hint=hint, id="portal.E009")
        )
    if ending := certificate.warning():
        found.append(
            Warning(ending, hint="How to change it: docs/running.md, Keys and certificates.", id="portal.W021")
        )
    return found


@register(Tags.staticfiles, deploy=True)
def static_files_are_collected(**kwargs) -> list[CheckMessage]:
    """Without the list that `collectstatic` writes, every page is a 500."""
    kept = getattr(staticfiles_storage, "manifest_name", None)
    if kept is None or settings.DEBUG or staticfiles_storage.manifest_storage.exists(kept):
        return []
    hint = (
        f"Run `manage.py collectstatic` with the environment of the web server. STATIC_ROOT is {settings.STATIC_ROOT}."
    )
    return [Error("The static files are not collected.", hint=hint, id="portal.E018")]


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
                    "SELECT current_user, rolsuper, rolbypassrls, current_setting('server_version_num')::int,"
                    " EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
                    " AND pg_has_role(current_user, relowner, 'MEMBER')) FROM pg_roles WHERE rolname = current_user"
                )
                role, superuser, bypasses, version, owns = cursor.fetchone()
        except DatabaseError as problem:
            reason = " ".join(str(problem).split()) or type(problem).__name__
            hint = f"Is PostgreSQL running, and does DATABASE_URL name it? {DOCS}"
            found.append(Error(f"The database cannot be reached: {reason}", hint=hint, id=UNREACHABLE))
            continue
        if superuser or bypasses:
            fault = "is a superuser" if superuser else "has BYPASSRLS"
            hint = f'ALTER ROLE "{role}" NOSUPERUSER NOBYPASSRLS, or use another role. {DOCS}'
            found.append(Error(f'The database role "{role}" {fault}.', hint=hint, id="portal.E012"))
        elif owns and not _migrates(role):
            level, number = (Error, "portal.E020") if faces_others() else (Warning, "portal.W020")
            hint = f"Let another role own them: DATABASE_OWNER_URL, and deploy/postgres-role.sh makes both. {DOCS}"
            found.append(level(f'The database role "{role}" owns its tables.', hint=hint, id=number))
        if version < 150000:
            found.append(Error("PostgreSQL 15 or newer is needed.", hint=DOCS, id="portal.E013"))
    return found


def _migrates(role: str) -> bool:
    """Whether this process works as the owner at the moment: `manage.py migrate` does."""
    owner = settings.DATABASE_OWNER_URL
    return bool(owner) and Env.db_url_config(owner)["USER"] == role


def refuse_unsafe_start(*, pages: bool = False) -> None:
    """Stop a process from starting on settings that would be unsafe. Where others are served, all must be complete.

    `pages` is for processes that show some. A database that is away stops nobody: it comes back.

    Raises: ImproperlyConfigured, naming every error and what to set.
    """
    tags = [Tags.security, Tags.database, *([Tags.staticfiles] if pages else [])]
    unopened = [alias for alias in connections if connections[alias].connection is None]
    try:
        found = run_checks(tags=tags, include_deployment_checks=faces_others(), databases=list(connections))
    finally:
        for alias in unopened:
            connections[alias].close()  # the process may fork, and its children must not share this one
    errors = [message for message in found if message.is_serious() and message.id != UNREACHABLE]
    if errors:
        raise ImproperlyConfigured("Consentry does not start like this.\n" + "\n".join(map(str, errors)))


def _names_whom_it_serves(value: str) -> bool:
    """Issuers hold the id in its one canonical spelling; a domain name or `common` fits none."""
    return value == ANY_ORGANISATION or _is_id(value)


def _is_id(value: str) -> bool:
    try:
        return str(UUID(value)) == value
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
