"""The tenant's own custom policies, as they were read last: from Microsoft Graph, or from files somebody gave."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import locks
from accounts.models import Tenant
from b2c.models import KeptPolicy, PolicyText
from b2c.policies.elements import PolicyError
from b2c.policies.model import PolicySet
from b2c.policies.reading import read
from graph import custom_policies


@dataclass(frozen=True)
class Kept:
    """What is known of a tenant's policies. `policies` is None where they cannot be read: `trouble` says why."""

    policies: PolicySet | None
    read_at: datetime
    trouble: str = ""


def kept(tenant: Tenant) -> Kept | None:
    """The policies read last; None where nobody has read any. Asks nobody."""
    rows = list(KeptPolicy.objects.filter(tenant=tenant).order_by("policy_id"))
    if not rows:
        return None
    read_at = max(row.read_at for row in rows)
    try:
        return Kept(read({f"{row.policy_id}.xml": bytes(row.xml) for row in rows}), read_at)
    except PolicyError as error:
        return Kept(None, read_at, str(error))


def keep(tenant: Tenant, files: Mapping[str, bytes]) -> None:
    """These are the tenant's policies now, by id; what was kept before goes."""
    now = timezone.now()
    with transaction.atomic():
        locks.wait(f"policies:{tenant.pk}")
        KeptPolicy.objects.filter(tenant=tenant).delete()
        KeptPolicy.objects.bulk_create(
            KeptPolicy(tenant=tenant, policy_id=policy_id[:128], xml=xml, read_at=now)
            for policy_id, xml in files.items()
        )


def read_from_graph(tenant: Tenant) -> int:
    """Read them anew from the tenant. Returns how many there are.

    Raises:
        GraphError: they could not be read; what was kept stays.
    """
    found = custom_policies.read_all(tenant.pk)
    keep(tenant, found)
    return len(found)


def digests(tenant: Tenant) -> dict[str, str]:
    """The digest of each policy as it was read last, by its id in small letters. Asks nobody."""
    rows = KeptPolicy.objects.filter(tenant=tenant)
    return {row.policy_id.lower(): digest_of(bytes(row.xml)) for row in rows}


def replaced(tenant: Tenant, policy_id: str, xml: bytes | None) -> None:
    """One policy was uploaded, or deleted (None). Where none were ever read, the rest is not known: nothing is kept."""
    with transaction.atomic():
        locks.wait(f"policies:{tenant.pk}")
        rows = KeptPolicy.objects.filter(tenant=tenant)
        if not rows.exists():
            return
        rows.filter(policy_id__iexact=policy_id).delete()
        if xml is not None:
            KeptPolicy.objects.create(tenant=tenant, policy_id=policy_id[:128], xml=xml, read_at=timezone.now())


# --- Texts by their digest ----------------------------------------------------------------------------------


def digest_of(xml: bytes) -> str:
    return hashlib.sha256(xml).hexdigest()


def put_by(tenant_id: UUID, xml: bytes) -> str:
    """Keep this text; returns the digest under which it is found again."""
    digest = digest_of(xml)
    PolicyText.objects.get_or_create(tenant_id=tenant_id, sha256=digest, defaults={"xml": xml})
    return digest


def text(tenant_id: UUID, digest: str) -> bytes | None:
    """The text with this digest; None where there is none, or a row that was edited."""
    row = PolicyText.objects.filter(tenant_id=tenant_id, sha256=digest).first()
    xml = bytes(row.xml) if row else b""
    return xml if row and digest_of(xml) == digest else None
