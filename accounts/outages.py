"""What processes tell one another about a Microsoft that hangs: a row for each host, by the database's own clock.

`graph.breaker` finds out, in threads that hold no connection: such a thread opens one to tell, and closes it. Looking
is left to threads that have a connection anyway and are in no transaction, so that no page and no turn pays for it.
"""

import logging

from django.db import DatabaseError, connection

from graph import breaker
from graph.breaker import News

logger = logging.getLogger(__name__)

_TELL = """
INSERT INTO accounts_silence (host, since, until) VALUES
(%(host)s, now() - %(silent_for)s * interval '1 second', now() + %(holds_for)s * interval '1 second')
ON CONFLICT (host) DO UPDATE SET since = LEAST(accounts_silence.since, excluded.since), until = excluded.until
"""
_HEAR = "SELECT host, extract(epoch FROM now() - since)::float, extract(epoch FROM until - now())::float"


class Rows:
    """`breaker.Shared`, in a table that belongs to no tenant."""

    def tell(self, host: str, news: News | None) -> bool:
        try:
            with connection.cursor() as cursor:
                if news is None:
                    cursor.execute("DELETE FROM accounts_silence WHERE host = %s", [host])
                else:
                    cursor.execute(_TELL, {"host": host, **vars(news)})
        except DatabaseError as error:
            logger.warning("Other processes are not told about %s (%s).", host, type(error).__name__)
            return False
        finally:
            connection.close()  # the thread ends here
        return True

    def hear(self) -> dict[str, News] | None:
        if connection.connection is None or connection.in_atomic_block:
            return None
        try:
            return told()
        except DatabaseError:
            return None


def told() -> dict[str, News]:
    """The hosts that answer nobody, as the processes of the portal have told within the last minute."""
    with connection.cursor() as cursor:
        recent = f"until > now() - {breaker.FORGOTTEN:f} * interval '1 second'"
        cursor.execute(f"{_HEAR} FROM accounts_silence WHERE {recent}")
        return {host: News(silent_for, holds_for) for host, silent_for, holds_for in cursor.fetchall()}
