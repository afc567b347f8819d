"""How gunicorn serves the portal: probes are answered by threads of their own, whatever holds up the pages.

    gunicorn -c python:portal.serving portal.wsgi

Threads that wait for a database which hangs would otherwise keep /healthz waiting, and an orchestrator would restart
processes that are well. What is given on the command line goes before this. https://gunicorn.org/reference/settings/
"""

import gc
import selectors
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module

from django.conf import settings
from gunicorn.workers.gthread import TConn, ThreadWorker

PROBES = {b"GET /healthz": 1, b"GET /readyz ": 2}  # as a request begins: so many threads


class Worker(ThreadWorker):
    """gunicorn's threads, and a few for probes. What is asked is looked at before somebody is called to answer it."""

    def init_process(self) -> None:
        self.for_probes = {start: ThreadPoolExecutor(threads) for start, threads in PROBES.items()}
        super().init_process()

    def load_wsgi(self) -> None:
        """The portal whole, its pages too, and put aside for the garbage collector.

        Half a million objects that stay for good would be looked through every few hundred pages, and one of these
        waits for it two or three times as long. https://docs.python.org/3/library/gc.html#gc.freeze
        """
        super().load_wsgi()
        import_module(settings.ROOT_URLCONF)
        gc.collect()
        gc.freeze()

    def enqueue_req(self, conn: TConn) -> None:
        start = _start_of(conn)
        if start is None and not (conn.initialized or conn.data_ready):
            self._wait_for(conn)
            return
        pool = self.for_probes.get(start, self.tpool)
        answered = pool.submit(self.handle, conn)
        answered.add_done_callback(lambda future: self.method_queue.defer(self.finish_request, conn, future))

    def _wait_for(self, conn: TConn) -> None:
        """Nothing was sent yet: no thread is needed before something is."""
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))


def _start_of(conn: TConn) -> bytes | None:
    """How the request begins, as far as it has come; None where nothing has."""
    try:
        return conn.sock.recv(len(b"GET /readyz "), socket.MSG_PEEK | socket.MSG_DONTWAIT) or b""
    except OSError:
        return None


worker_class = Worker
control_socket_disable = True
