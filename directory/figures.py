"""Columns of an app that the database computes from others, whoever writes those, and what the numbers in them say."""

from dataclasses import dataclass
from typing import Self

from django.db.models import Case, F, Q, Value, When

# First-party apps are owned by one of these: https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
MICROSOFT_TENANT_IDS = {"f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"}

# What `disabledByMicrosoftStatus` says of an app Microsoft lets live; anything else it has stopped.
NOT_STOPPED_BY_MICROSOFT = ("", "NotDisabled")

UNVERIFIED, OFF = 4, 8  # added to the risk, which is 1 to 3

_acting = {"account_enabled": True, "is_disabled": False, "disabled_by_microsoft__in": NOT_STOPPED_BY_MICROSOFT}
_anothers = Q(owner_tenant_id__isnull=True) | ~Q(owner_tenant_id=F("tenant_id"))

# What cannot act never leads a list of the worst.
RANK = Case(When(**_acting, deleted_at__isnull=True, then=F("danger")), default=Value(0))
# What the overview counts apps by, in one number; 0 for Microsoft's own, which it does not count.
FIGURE = Case(
    When(owner_tenant_id__in=sorted(MICROSOFT_TENANT_IDS), then=Value(0)),
    default=F("risk")
    + Case(When(_anothers & Q(publisher_verified=False), then=Value(UNVERIFIED)), default=Value(0))
    + Case(When(**_acting, then=Value(0)), default=Value(OFF)),
)


@dataclass(frozen=True)
class Figure:
    """What a `FIGURE` says."""

    risk: int
    is_unverified: bool
    can_act: bool

    @classmethod
    def read(cls, number: int) -> Self:
        return cls(risk=number & 3, is_unverified=bool(number & UNVERIFIED), can_act=not number & OFF)
