"""How each tenant wants its gate, in this process's memory: so that a decision costs one query, and so that it is
known what to answer while the database is away.

What is known is read again after a few seconds. A caller who is not recognised is always looked up again, whether
their tenant has a gate or not: a new credential works at once, and the time of the answer tells nobody who is here.
"""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from uuid import UUID

from django.db import Error, connection

from accounts.models import Tenant
from accounts.tenancy import tenant_context
from b2c.models import GateSetting
from b2c.rules import TOLERANCE

logger = logging.getLogger(__name__)

LIFETIME = 5.0  # seconds
# After the database failed, nobody asks it for so long (seconds): else every thread would wait for its time-out.
REST = 1.0


class Away(Exception):
    """The database does not answer."""


@dataclass(frozen=True)
class Known:
    """One tenant's gate."""

    tenant_id: UUID
    fails_open: bool
    tolerance: timedelta
    digests: frozenset[str]
    apps_by_policy: dict[str, frozenset[UUID]] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    extension_app_id: UUID | None = None
    extension_host: str = ""
    read_at: float = 0.0


_lock = threading.Lock()
_known: dict[UUID, Known] = {}
_away_until = 0.0

_READ = """
SELECT s.fails, s.tolerance, s.apps_by_policy::text, s.messages::text, s.extension_app_id, s.extension_host,
    array(SELECT digest FROM b2c_gatecredential c WHERE c.tenant_id = s.tenant_id AND c.ended_at IS NULL)
FROM b2c_gatesetting s JOIN accounts_tenant t ON t.id = s.tenant_id
WHERE s.tenant_id = %s AND s.is_b2c AND t.state = %s
"""


def last(tenant_id: UUID) -> Known | None:
    """What was known last, however long ago."""
    return _known.get(tenant_id)


def current(tenant_id: UUID) -> Known | None:
    """The tenant's gate; None where it has none. While the database is away, what was known last.

    Raises:
        Away: nothing is known of it, and the database does not answer.
    """
    known = _known.get(tenant_id)
    if known and monotonic() - known.read_at < LIFETIME:
        return known
    try:
        return read_again(tenant_id)
    except Away:
        if known:
            return known
        raise


def read_again(tenant_id: UUID) -> Known | None:
    """Ask the database.

    Raises:
        Away: it does not answer.
    """
    with asking(tenant_id), connection.cursor() as cursor:
        cursor.execute(_READ, [tenant_id, Tenant.State.ACTIVE])
        row = cursor.fetchone()
    found = _made(tenant_id, row) if row else None
    with _lock:
        if found:
            _known[tenant_id] = found
        else:
            _known.pop(tenant_id, None)
    return found


def forget() -> None:
    """Start as a new process would."""
    global _away_until
    _known.clear()
    _away_until = 0.0


@contextmanager
def asking(tenant_id: UUID) -> Iterator[None]:
    """Ask the database within, in the tenant's scope.

    Raises:
        Away: it does not answer, or did not a moment ago.
    """
    global _away_until
    if monotonic() < _away_until:
        raise Away
    try:
        with tenant_context(tenant_id):
            yield
    except Error as error:
        _away_until = monotonic() + REST
        logger.warning("The gate's database does not answer: %s", type(error).__name__)
        raise Away from error


def _made(tenant_id: UUID, row: tuple) -> Known:
    fails, tolerance, apps, messages, extension_app_id, extension_host, digests = row
    return Known(
        tenant_id=tenant_id,
        fails_open=fails == GateSetting.Fails.OPEN,
        tolerance=TOLERANCE if tolerance else timedelta(),
        digests=frozenset(digests),
        apps_by_policy={policy: frozenset(map(UUID, ids)) for policy, ids in json.loads(apps).items()},
        messages=json.loads(messages),
        extension_app_id=extension_app_id,
        extension_host=extension_host,
        read_at=monotonic(),
    )
