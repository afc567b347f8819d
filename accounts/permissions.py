"""Which application permissions a tenant granted the portal, as far as is known. What is not known is not missing.

https://learn.microsoft.com/graph/permissions-reference
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from accounts.models import Tenant
from graph.client import GraphClient
from graph.errors import NotFound


class Standing(TextChoices):
    GRANTED = "granted", gettext_lazy("Granted")
    MISSING = "missing", gettext_lazy("Missing")
    NOT_KNOWN = "not_known", gettext_lazy("Not known")


@dataclass(frozen=True)
class Feature:
    """Something the portal does that needs a permission.

    Attributes:
        any_of: application permissions, the least powerful first; one of them is enough.
        text: what it is, and what is without it.
        optional: the portal is whole without it.
    """

    key: str
    any_of: tuple[str, ...]
    text: str | Promise
    optional: bool = False


def known(tenant: Tenant) -> bool:
    """Whether it is known what the tenant granted: Microsoft was asked, and the latest answer told."""
    return tenant.permissions_checked_at is not None and tenant.permissions_unknown_since is None


def standing(tenant: Tenant, any_of: Iterable[str]) -> Standing:
    """Whether the tenant granted one of these. Asks nobody: as found last."""
    if set(any_of) & set(tenant.granted_permissions):
        return Standing.GRANTED
    return Standing.MISSING if known(tenant) else Standing.NOT_KNOWN


def missing(tenant: Tenant, any_of: tuple[str, ...]) -> str:
    """Why what needs one of these is switched off, and who can change that; empty unless it is known to be missing."""
    if not any_of or standing(tenant, any_of) != Standing.MISSING:
        return ""
    return _(
        "Switched off: this organisation has not granted the portal %(permission)s. A Global Administrator or a"
        " Privileged Role Administrator can grant it; the connection page shows how."
    ) % {"permission": any_of[0]}


def renew(tenant: Tenant, client: GraphClient) -> None:
    """Ask Microsoft what the tenant granted, and keep the answer. Two requests, and no new token.

    Raises:
        GraphError: it could not be asked. What was known stays.
    """
    try:
        remember(tenant, client.own_permissions())
    except NotFound:
        remember(tenant, None)


def remember(tenant: Tenant, permissions: Iterable[str] | None) -> None:
    """Keep what the tenant granted: features switch themselves by it.

    Args:
        permissions: None where Microsoft did not tell. What was known is kept, with the time since when it is not.
    """
    if permissions is None:
        tenant.permissions_unknown_since = tenant.permissions_unknown_since or timezone.now()
    else:
        tenant.granted_permissions = sorted(permissions)
        tenant.permissions_checked_at, tenant.permissions_unknown_since = timezone.now(), None
    tenant.save(update_fields=["granted_permissions", "permissions_checked_at", "permissions_unknown_since"])
