"""Hears every request that the portal puts on the wire, in this process and in those that tests start, and judges it.

It sits on `Session.send` of graph/transport.py, through which all of them go, below every mock and above the sandbox.
Processes that tests start write what they send to a file of the run (`hook/sitecustomize.py`), which is judged when the
test is over: judging costs them nothing.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.wire.judge import Request, Violation, judge

HOOK = Path(__file__).parent / "hook"
VARIABLE = "CONSENTRY_TEST_WIRE"


class Recorder:
    """What was sent since the last look, and what was wrong with it.

    Attributes:
        file: where other processes leave what they send.
        kept: requests are kept too, for those who want to look at them.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.kept: list[Request] | None = None
        self.seen = 0
        self._violations: list[Violation] = []
        self._read = 0
        self._lock = threading.Lock()

    def install(self) -> None:
        """Listen to this process, and to every process that inherits its environment from now on."""
        from graph import transport

        heard, send = self, transport.Session.send

        def listening(session, request, **options):
            if not isinstance(session.get_adapter(request.url), transport.RefusingAdapter):
                heard.hear(as_request(request))
            return send(session, request, **options)

        listening.__wrapped__ = send
        transport.Session.send = listening
        self.file.touch()
        os.environ[VARIABLE] = str(self.file)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HOOK), os.environ.get("PYTHONPATH"))))

    def hear(self, request: Request) -> None:
        found = judge(request)
        with self._lock:
            self.seen += 1
            self._violations += found
            if self.kept is not None:
                self.kept.append(request)

    def take(self) -> list[Violation]:
        """What was wrong since the last look, in every process."""
        if self.file.stat().st_size > self._read:
            with self.file.open() as lines:
                lines.seek(self._read)
                for line in iter(lines.readline, ""):
                    if not line.endswith("\n"):
                        break  # half written
                    self.hear(Request(**{**(given := json.loads(line)), "body": given["body"].encode("latin-1")}))
                    self._read = lines.tell()
        with self._lock:
            found, self._violations = self._violations, []
        return found

    @contextmanager
    def keeping(self) -> Iterator[list[Request]]:
        """The requests of this process that are sent meanwhile."""
        self.kept = []
        try:
            yield self.kept
        finally:
            self.kept = None


def as_request(prepared) -> Request:
    """A `requests.PreparedRequest` as the judge wants it."""
    body = prepared.body or b""
    return Request(
        prepared.method,
        prepared.url,
        {name.lower(): str(value) for name, value in prepared.headers.items()},
        body if isinstance(body, bytes) else body.encode(),
    )
