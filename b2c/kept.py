"""The tenant's own custom policies, as they were read last: from Microsoft Graph, or from files somebody gave."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import locks
from accounts.models import Tenant
from b2c.models import KeptPolicy
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
