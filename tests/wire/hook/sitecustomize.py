"""Python reads this at the start of every process that a test starts: what the portal sends from there is written down.

One line of JSON a request, appended by one write, so that processes do not write into each other's lines.
"""

import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder

_TRANSPORT = "graph.transport"
_FILE = os.environ.get("CONSENTRY_TEST_WIRE", "")


class _Finder(MetaPathFinder):
    """Lets graph/transport.py be loaded as always, and listens to its sessions from then on."""

    def find_spec(self, name, path=None, target=None):
        if name != _TRANSPORT:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            _listen(module.Session, module.RefusingAdapter)

        spec.loader.exec_module = exec_module
        return spec


def _listen(session_class, refusing) -> None:
    import json

    send = session_class.send

    def listening(session, request, **options):
        if isinstance(session.get_adapter(request.url), refusing):
            return send(session, request, **options)
        body = request.body or b""
        line = {
            "method": request.method,
            "url": request.url,
            "headers": {name.lower(): str(value) for name, value in request.headers.items()},
            "body": (body if isinstance(body, bytes) else body.encode()).decode("latin-1"),
        }
        file = os.open(_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, (json.dumps(line) + "\n").encode())
        finally:
            os.close(file)
        return send(session, request, **options)

    session_class.send = listening


if _FILE:
    sys.meta_path.insert(0, _Finder())
