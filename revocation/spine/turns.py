"""How many processes work on one tenant at a time, whatever number of messages the broker delivers.

A place is a session lock of PostgreSQL: it is gone with the process that held it, so a killed worker blocks nobody.
A message that finds every place taken ends there: so messages never pile up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings

from accounts import locks
from revocation.spine import budget

ENOUGH_FOR_ONE = 100.0  # writes a second that one process manages, however slowly Microsoft answers


def places() -> int:
    """One process empties a window of Microsoft's quota in seconds; a second would only crowd the machine."""
    rule = budget.tenant_rule()
    return 1 if rule and rule.rate <= ENOUGH_FOR_ONE else settings.REVOCATION_RUNNERS_PER_TENANT


@contextmanager
def place(tenant_id: UUID) -> Iterator[bool]:
    """Whether this process may work on the tenant now; a place it got is free again afterwards."""
    with locks.first_free(f"runner:{tenant_id}:{number}" for number in range(places())) as mine:
        yield mine
