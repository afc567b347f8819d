"""Filters that a person keeps under a name of their own, for one list of one workspace."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import Membership, SavedView

MOST = 30  # views of one list, of one person in one tenant
LONGEST = SavedView._meta.get_field("query").max_length


class TooMany(Exception):
    """They keep as many as they may."""


class TooLong(Exception):
    """These filters are too long to be kept: letters that are none of ASCII take up to twelve characters each."""


def of(membership: Membership, list_: str) -> list[SavedView]:
    """Their own views of this list, by name. One query."""
    return list(_own(membership).filter(list=list_).order_by("name"))


def spelled(chosen: Mapping[str, str]) -> str:
    """These filters as every view spells them, whatever order somebody chose them in."""
    return urlencode(sorted((name, value) for name, value in chosen.items() if value))


def keep(membership: Membership, list_: str, name: str, chosen: Mapping[str, str]) -> SavedView:
    """Keep these filters; what had this name is replaced.

    Raises:
        TooMany: of this list there are `MOST` of other names.
        TooLong: as an address spells them, they are longer than `LONGEST`.
    """
    query = spelled(chosen)
    if len(query) > LONGEST:
        raise TooLong
    found = _own(membership).filter(list=list_)
    if found.exclude(name=name).count() >= MOST:
        raise TooMany
    facts = {"membership": membership, "tenant_id": membership.tenant_id, "list": list_, "name": name}
    try:
        with transaction.atomic():
            return SavedView.objects.create(**facts, query=query)
    except IntegrityError:  # it had, or another window was faster
        found.filter(name=name).update(query=query)
        return found.get(name=name)


def one(membership: Membership, view_id: UUID) -> SavedView:
    """One of their own.

    Raises:
        SavedView.DoesNotExist: it is nobody's, or another person's.
    """
    return _own(membership).get(pk=view_id)


def forget(tenant_id: UUID, is_told: Callable[[str], bool]) -> int:
    """Delete everybody's views in a tenant that tell, in their name or in what they filter by, what must not be kept.

    Returns:
        how many there were.
    """
    views = SavedView.objects.filter(tenant_id=tenant_id)
    found = [
        pk
        for pk, name, query in views.values_list("pk", "name", "query").iterator()
        if any(map(is_told, [name, *dict(parse_qsl(query)).values()]))
    ]
    return views.filter(pk__in=found).delete()[0]


def _own(membership: Membership):
    return SavedView.objects.filter(membership=membership, tenant_id=membership.tenant_id)
