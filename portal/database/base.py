"""Django's PostgreSQL, with a deadline on every answer: a server that hangs must not hang every thread with it.

`statement_timeout` is the server's own and says nothing while the server is stopped or the way to it is lost. So the
client too stops waiting, a moment later, and drops the connection. DEADLINE in DATABASES: seconds; 0 waits for ever.
https://www.psycopg.org/psycopg3/docs/api/connections.html#psycopg.Connection.wait
"""

from contextlib import nullcontext
from functools import partial

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from portal.database import watch


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict) -> psycopg.Connection:
        watched = self.settings_dict.get("WATCHED", True)
        with watch.waiting_for() if watched else nullcontext():
            connection = super().get_new_connection(conn_params)
        if deadline := self.settings_dict.get("DEADLINE"):
            connection.wait = partial(_wait, connection, type(connection).wait, deadline, watched)
        return connection


def _wait(connection: psycopg.Connection, wait, deadline: float, watched: bool, *args, **kwargs):
    """Raises: OperationalError, after which the connection is closed when the server never answered."""
    try:
        with watch.waiting_for(connection) if watched else nullcontext():
            return wait(connection, *args, **{"timeout": deadline, **kwargs})
    except psycopg.OperationalError as late:
        if not connection.closed and connection.pgconn.transaction_status == TransactionStatus.ACTIVE:
            connection.close()  # an answer that comes now would be taken for that to the next question
            raise psycopg.OperationalError(f"no answer within {deadline:g} s") from late
        raise
