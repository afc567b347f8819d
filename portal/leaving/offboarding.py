"""A tenant leaves: what the portal holds of it is exported to a signed folder, read back, and destroyed.

The folder has every row as JSON, the whole record as archived segments with its signed heads, and a manifest with the
digest of each file, signed under the audit key. What opens something (tokens, keys of sessions, hashes of credentials)
is not in it. Then everything goes, in one transaction that also closes the tenant's heads with a signed line and tells
the operator's record: so that verification knows a tenant that left from one that vanished.
"""

import base64
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, models, transaction
from django.utils import timezone

from accounts import keys, services as accounts
from accounts.access import Actor
from accounts.ids import OPERATOR
from accounts.models import Bucket, Membership, Tenant, User
from accounts.tenancy import tenant_context, user_context
from audit import archive, canonical, heads, services as audit, signing, verification
from audit.head_files import current, sealed_files
from audit.models import AuditEvent, Segment
from revocation import services
from revocation.models import RevocationRequest, WriteQuota
from tenants import standing

FORMAT = "consentry-tenant/1"
PURPOSE = "tenant"  # of the key that signs the manifest
MANIFEST = "manifest.json"
# What opens something, or could: not even its owner needs it in a file.
SECRET = {"accounts.TokenCache": {"blob"}, "b2c.GateCredential": {"digest"}, "accounts.User": {"password", "factor"}}
RECORD = {"audit.AuditEntry", "audit.ChainHead", "audit.Segment"}  # exported as segments


class CannotLeave(Exception):
    """Nothing was destroyed. The message says why."""


def offboard(tenant: Tenant, folder: Path, actor: Actor, *, stop: bool = False) -> Counter[str]:
    """Export a tenant to `folder`, which must not be there yet, and destroy it. Says how many rows of what went.

    The role that owns the tables alone may do it.

    Args:
        stop: cancel what is open, where it would otherwise refuse.

    Raises:
        CannotLeave: something is open, or the export could not be written and read back. The tenant is suspended by
            then, unless something was open; `manage.py resume_tenant` lets its people in again.
    """
    if folder.exists():
        raise CannotLeave(f"{folder} is there already.")
    with tenant_context(tenant.pk):
        _stop(tenant, actor, stop)
        _close(tenant, actor)
        try:
            digest = _exported(tenant, folder, actor)
        except (OSError, archive.ArchiveProblem) as problem:
            shutil.rmtree(_part(folder), ignore_errors=True)
            raise CannotLeave(f"The export could not be written: {problem}") from problem
        gone = _destroy(tenant, actor, folder, digest)
    shutil.rmtree(settings.AUDIT_ARCHIVE_DIR / str(tenant.pk), ignore_errors=True)  # it is in the folder
    return gone


def _stop(tenant: Tenant, actor: Actor, stop: bool) -> None:
    found = list(RevocationRequest.objects.open().filter(tenant=tenant))
    if found and not stop:
        raise CannotLeave(
            f"{len(found)} revocations are open, the first is “{found[0].title}”. Let them end, or --stop."
        )
    for request in found:
        services.cancel(request, actor)


def _close(tenant: Tenant, actor: Actor) -> None:
    """Nobody comes in any more, and nobody of it stays anywhere."""
    with suppress(standing.NotNow):  # nobody comes in already
        standing.suspend(tenant, actor, "offboarding")
    people = list(User.objects.filter(tenant=tenant))
    accounts.end_portal_sessions(people, reason="ended_by_operator", actor=actor)
    for person in people:
        with user_context(person.pk):
            elsewhere = list(Membership.objects.filter(user=person).exclude(tenant=tenant))
        for membership in elsewhere:
            accounts.revoke_membership(membership, actor=actor)


# --- Exporting ---------------------------------------------------------------------------------------------


def _part(folder: Path) -> Path:
    return folder.with_name(folder.name + ".part")


def _exported(tenant: Tenant, folder: Path, actor: Actor) -> str:
    """Write the folder, read it back, and put it in its place. Returns the digest of its manifest."""
    audit.record_on_tenant(AuditEvent.TENANT_LEFT, tenant.pk, tenant.name, actor=actor)
    heads.export(tenant.pk)
    for _segment in archive.archive(tenant.pk, None, actor):
        pass
    part = _part(folder)
    shutil.rmtree(part, ignore_errors=True)
    (part / "rows").mkdir(parents=True, mode=0o700)
    counts = {}
    for model in owned():
        if model._meta.label not in RECORD:
            counts[model._meta.label] = _write(part / "rows" / f"{model._meta.label}.jsonl", _rows(model, tenant.pk))
    counts["accounts.Tenant"] = _write(part / "rows" / "accounts.Tenant.jsonl", [_plain(tenant)])
    _copy(settings.AUDIT_ARCHIVE_DIR / str(tenant.pk), part / "record" / str(tenant.pk))
    for path in [*sealed_files(tenant.pk, settings.AUDIT_HEADS_DIR), current(settings.AUDIT_HEADS_DIR, tenant.pk)]:
        if path.exists():
            _copy(path, part / "heads" / path.name)
    files = [path for path in sorted(part.rglob("*")) if path.is_file()]
    body = {
        "format": FORMAT,
        "tenant_id": str(tenant.pk),
        "name": tenant.name,
        "at": canonical.instant(timezone.now()),
        "rows": counts,
        "files": {str(path.relative_to(part)): signing.digest(path) for path in files},
        "key_id": keys.newest(),
    }
    _write(part / MANIFEST, [signing.sign(body, PURPOSE, body["tenant_id"])])
    if faults := check(part):
        raise archive.ArchiveProblem(f"It does not read back as it should: {'; '.join(faults[:3])}")
    part.rename(folder)
    return signing.digest(folder / MANIFEST)


def owned() -> list[type[models.Model]]:
    """Every model with a row of a tenant's in it."""
    return [model for model in apps.get_models() if "tenant_id" in {field.attname for field in model._meta.fields}]


def _rows(model: type[models.Model], tenant_id: UUID) -> Iterator[dict[str, Any]]:
    for row in model._base_manager.filter(tenant_id=tenant_id).order_by("pk").iterator(chunk_size=1000):
        yield _plain(row)


def _plain(row: models.Model) -> dict[str, Any]:
    secret = SECRET.get(row._meta.label, ())
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.attname not in secret}
    return {name: _encoded(value) for name, value in values.items()}


def _encoded(value: Any) -> Any:
    is_binary = isinstance(value, bytes | memoryview)
    return base64.b64encode(bytes(value)).decode() if is_binary else canonical.plain(value)


def _write(path: Path, rows: Iterator[dict] | list[dict]) -> int:
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return count


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def check(folder: Path) -> list[str]:
    """What is wrong with an exported folder; needs the audit keys, and no database."""
    try:
        body = json.loads((folder / MANIFEST).read_bytes())
        if not signing.holds(body, PURPOSE, body["tenant_id"]):
            return ["The manifest is not what was signed."]
    except (OSError, ValueError, KeyError, TypeError, keys.UnknownKey):
        return ["The manifest cannot be read."]
    faults = [name for name, digest in body["files"].items() if not _is(folder / name, digest)]
    report = verification.verify_folder(folder / "record" / body["tenant_id"], folder / "heads")
    return [f"{name} is not what was exported." for name in faults] + report.integrity + report.completeness


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and signing.digest(path) == digest


# --- Destroying --------------------------------------------------------------------------------------------


def _of_accounts() -> Iterator[tuple[type[models.Model], str]]:
    """Models of nobody's tenant that point at an account, and by which field: sessions, links to Entra's ids."""
    for model in apps.get_models(include_auto_created=True):
        for each in model._meta.concrete_fields:
            if each.related_model is User and model not in owned():
                yield model, each.name


@transaction.atomic
def _destroy(tenant: Tenant, actor: Actor, folder: Path, digest: str) -> Counter[str]:
    """Every row, in any order: the database looks at the end of the transaction whether something points nowhere."""
    gone: Counter[str] = Counter()
    people = list(User.objects.filter(tenant=tenant).values_list("pk", flat=True))
    keys_of = [f"{kind}:{tenant.pk}" for kind in ("tenant", "mass", "clicks")]
    gone["revocation.WriteQuota"] = WriteQuota.objects.filter(key__in=keys_of).delete()[0]
    for person in people:
        gone["accounts.Bucket"] += Bucket.objects.filter(key__startswith=f"{person}:").delete()[0]
    sessions = UserSession.objects.filter(user__in=people).values("session_key")
    gone["sessions.Session"] = Session.objects.filter(session_key__in=sessions).delete()[0]
    for model, name in _of_accounts():
        gone[model._meta.label] += model._base_manager.filter(**{f"{name}__in": people}).delete()[0]
    last = Segment.objects.filter(tenant_id=tenant.pk).order_by("-last").values_list("last", flat=True).first() or 0
    audited = {f"audit.{name}" for name in ("AuditEntry", "ChainHead", "Label", "Redaction", "Segment")}
    with connection.cursor() as cursor:
        for model in owned():
            if model._meta.label not in audited:
                cursor.execute(f'DELETE FROM "{model._meta.db_table}" WHERE tenant_id = %s', [tenant.pk])  # noqa: S608 # nosec B608
                gone[model._meta.label] += cursor.rowcount
        archive.let_go(tenant.pk)
        cursor.execute("DELETE FROM accounts_tenant WHERE id = %s", [tenant.pk])
    with tenant_context(OPERATOR):
        audit.record_on_tenant(
            AuditEvent.TENANT_LEFT,
            tenant.pk,
            tenant.name,
            actor=actor,
            on=OPERATOR,
            after={"manifest": digest, "entries": last, "rows": {name: n for name, n in gone.items() if n}},
        )
    heads.end(tenant.pk)
    return Counter({name: count for name, count in gone.items() if count})
