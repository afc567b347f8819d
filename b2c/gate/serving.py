"""How gunicorn serves the gate: threads that wait for the database together, and no patience with slow clients.

What is given on the command line goes before this. https://gunicorn.org/reference/settings/
"""

import socket
import struct

SLOW = 5  # seconds until the next bytes of a request

worker_class = "gthread"
workers = 2
threads = 4
keepalive = 75  # B2C's data centres keep connections open
graceful_timeout = 10
control_socket_disable = True
limit_request_line = 1024
limit_request_fields = 50
limit_request_field_size = 16384  # a token of External ID


def when_ready(server) -> None:
    """Let no client hold a thread: a read that brings nothing for `SLOW` seconds fails.

    gunicorn makes its sockets blocking before each request, so the limit has to be the kernel's. Connections inherit
    it from the socket that listens.
    """
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SLOW, 0))
