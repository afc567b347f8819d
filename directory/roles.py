"""What is known of the directory roles somebody holds. *Not known* is never *none*: an empty list says nothing by
itself, and whoever decides by roles asks here.

Known is what a whole reading of the last day told: of all role assignments (`Collection` of kind `roles`), or of this
person alone. Whose membership in a group the portal may not see, may hold that group's roles.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import Tenant
from directory.models import Collection, Person

# The directory is read every quarter of an hour. What nobody could read for a day is not known any more.
KNOWN_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Roles:
    """What is known of one person's roles.

    Attributes:
        held: role template ids, or a custom role's id, in any scope; at least these.
        known: whether `held` and `possible` are all there can be.
        possible: further roles they may hold, through groups whose members may not be read.
        scoped: one of them is scoped to an administrative unit.
        in_role_group: a member or an owner of a group that may hold roles; None where that is not known.
    """

    held: frozenset[str]
    known: bool
    possible: frozenset[str] = frozenset()
    scoped: bool = False
    in_role_group: bool | None = None


class KnownRoles:
    """One tenant's knowledge of roles: one query, however many people are asked about."""

    FIELDS = ("pk", "role_template_ids", "has_scoped_role", "roles_known_at")  # of a person, for `of`

    def __init__(self, tenant: Tenant) -> None:
        self._whole = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.ROLES).first() or Collection()
        self._since = timezone.now() - KNOWN_FOR
        self._group_people = frozenset(self._whole.role_group_people)

    @property
    def read_at(self) -> datetime | None:
        """When the whole tenant's roles were last read to the end."""
        return self._whole.complete_at

    def of_person(self, person: Person) -> Roles:
        return self.of(person.pk, person.role_template_ids, person.has_scoped_role, person.roles_known_at)

    def of(self, pk: UUID, held: Iterable[UUID | str], scoped: bool, known_at: datetime | None) -> Roles:
        """The same from a row's columns, in the order of `FIELDS`."""
        whole_at = self._whole.complete_at
        # A person no reading has taken in yet is not vouched for by one that was complete before they came.
        read_at = max(known_at, whole_at or known_at) if known_at else None
        alone = bool(known_at and (whole_at is None or known_at > whole_at))
        return Roles(
            held=frozenset(map(str, held)),
            known=bool(read_at and read_at > self._since),
            possible=frozenset() if alone else frozenset(map(str, self._whole.possible_roles)),
            scoped=scoped,
            in_role_group=True if pk in self._group_people else self._not_in_one(),
        )

    def _not_in_one(self) -> bool | None:
        fresh = self._whole.complete_at and self._whole.complete_at > self._since
        return False if fresh and self._whole.role_groups_known else None
