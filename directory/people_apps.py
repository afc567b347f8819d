"""How many apps act for people, and how risky they are. Read through `directory.selectors`."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from accounts.models import Tenant
from directory.models import PermissionGrant, Risk


@dataclass
class AppCount:
    """The apps a person let act for them, those that an administrator let in for everyone apart."""

    all: int = 0
    high: int = 0
    medium: int = 0


def apps_of_people(tenant: Tenant, people: Iterable[UUID]) -> dict[UUID, AppCount]:
    """The count of each of these people who let an app in, in one query."""
    grants = PermissionGrant.objects.filter(
        tenant=tenant, principal_id__in=list(people), client__deleted_at__isnull=True
    )
    found: dict[UUID, AppCount] = defaultdict(AppCount)
    for person, _app, risk in grants.values_list("principal_id", "client_id", "client__risk").distinct():
        counted = found[person]
        counted.all += 1
        counted.high += risk == Risk.HIGH
        counted.medium += risk == Risk.MEDIUM
    return found
