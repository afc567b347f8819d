"""A proxy of this machine that leads Microsoft's names to the sandbox, and no other name anywhere.

Clients that have Microsoft's addresses built in, or compare an issuer with the address they asked, are pointed at it
with `HTTPS_PROXY`. It answers `CONNECT` only: TLS goes through it unread, to the sandbox's own listener, whose
certificate carries those names.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator

from sandbox.tls import NAMES

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
REFUSED = b"HTTP/1.1 403 Not Microsoft's\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
LONGEST_HEAD = 16_384  # bytes
CHUNK = 65_536


class Proxy:
    """Listens on a port of its own until stopped. `refused` holds the names that were asked for in vain."""

    def __init__(self, tls_port: int) -> None:
        self.tls_port, self.port = tls_port, 0
        self.refused: set[str] = set()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Proxy":
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the proxy did not start")
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LONGEST_HEAD))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end(server))
        self._loop.close()

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _closing(writer):
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                method, _, rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").partition(" ")
                host, _, port = rest.partition(" ")[0].partition(":")
                if method == "CONNECT" and port == "443" and host.lower() in NAMES:
                    await self._lead(reader, writer)
                else:
                    self.refused.add(host)
                    writer.write(REFUSED)
                    await writer.drain()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.tls_port)
        async with _closing(there_writer):
            writer.write(ESTABLISHED)
            ways = [asyncio.create_task(_pump(reader, there_writer)), asyncio.create_task(_pump(there_reader, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


@contextlib.asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(CHUNK):
        target.write(chunk)
        await target.drain()


if __name__ == "__main__":
    with Proxy(int(sys.argv[1])) as running:
        print(f"Microsoft's names lead to port {running.tls_port}: HTTPS_PROXY={running.url}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
