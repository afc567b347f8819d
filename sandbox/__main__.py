"""`python -m sandbox --port 9400`: a pretend Entra ID and Microsoft Graph on this machine."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import tempfile
from pathlib import Path

import uvicorn

from sandbox import seed, tls
from sandbox.app import create_app
from sandbox.b2c import memory
from sandbox.clouds import CLOUDS
from sandbox.quota import READINGS

HOST = "127.0.0.1"  # people and programs of this machine only: everybody can be anybody here
GRACE = 3  # seconds that requests under way may take when the process is told to stop


class Server(uvicorn.Server):
    """One listener among several: signals are handled once, for all of them."""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


def main(arguments: list[str] | None = None) -> None:
    options = _read(arguments)
    world = seed.world(
        options.profile,
        users=options.users,
        apps=options.apps,
        grants=options.grants,
        latency_ms=options.latency_ms,
        time_scale=options.time_scale,
        quota=options.quota,
        lag_seconds=options.lag,
        consent_lag_seconds=options.consent_lag,
        cloud=options.cloud,
    )
    app = create_app(world)
    memory.of(world).lead(dict(one.split("=", 1) for one in options.gate))
    asyncio.run(_serve(app, options))


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=9400, help="http, for browsers and the portal")
    parser.add_argument("--tls-port", type=int, help="https as well, under a local authority (see --tls-folder)")
    parser.add_argument("--tls-folder", type=Path, help="where ca.pem is written; VAR_DIR/sandbox-tls by default")
    parser.add_argument("--profile", default="contoso", choices=["contoso", "demo", "large"])
    parser.add_argument("--users", type=int, help="so many users in Contoso")
    parser.add_argument("--apps", type=int, help="so many apps in Contoso")
    parser.add_argument("--grants", type=int, help="so many grants in Contoso")
    parser.add_argument("--latency-ms", type=float, default=0, help="how long Graph takes to answer")
    parser.add_argument("--time-scale", type=float, default=1.0, help="how much faster quotas and delays run")
    parser.add_argument("--quota", default="window", choices=READINGS, help="how Microsoft's limit of writes is read")
    parser.add_argument("--lag", type=float, default=0, help="seconds until an app sees what was changed")
    parser.add_argument("--consent-lag", type=float, default=0, help="seconds until consented permissions are seen")
    parser.add_argument("--cloud", default="global", choices=sorted(CLOUDS), help="which of Microsoft's clouds it is")
    parser.add_argument(
        "--gate",
        action="append",
        default=[],
        metavar="ORIGIN=ADDRESS",
        help="where a host that custom policies call really is: https://portal.contoso.example=http://127.0.0.1:8000",
    )
    options = parser.parse_args(arguments)
    if not all(one.startswith("https://") and "=http" in one for one in options.gate):
        parser.error("--gate must be like https://portal.contoso.example=http://127.0.0.1:8000")
    if options.time_scale <= 0:
        parser.error("--time-scale must be more than 0")
    return options


async def _serve(app, options: argparse.Namespace) -> None:
    """Listen until told to stop; then let requests under way finish."""
    servers = [_server(app, options.port)]
    if options.tls_port is not None:
        files = tls.make(options.tls_folder or _tls_folder())
        servers.append(_server(app, options.tls_port, files))
        print(f"Authority to trust: {files.authority}", flush=True)
    # All sockets are bound before anything is announced, so that a port in use is an error and not a half start.
    sockets = [_bind(server.config.port) for server in servers]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    for one, server in zip(sockets, servers, strict=True):
        scheme = "https" if server.config.is_ssl else "http"
        print(f"Sandbox: {scheme}://{HOST}:{one.getsockname()[1]}", flush=True)
    await asyncio.gather(*(server.serve([one]) for server, one in zip(servers, sockets, strict=True)))


def _server(app, port: int, files: tls.Files | None = None) -> Server:
    secured = {"ssl_certfile": str(files.certificate), "ssl_keyfile": str(files.key)} if files else {}
    config = uvicorn.Config(
        app,
        host=HOST,
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,  # the origin is worked out in sandbox.identity.origin
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE,
        backlog=2048,
        **secured,
    )
    return Server(config)


def _bind(port: int) -> socket.socket:
    # Named in full: asyncio switches off Nagle's delay only for sockets that say they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        raise SystemExit(f"Port {port} of {HOST} is in use or not allowed: {error.strerror}") from None
    return listener


def _tls_folder() -> Path:
    return Path(os.environ.get("VAR_DIR") or tempfile.mkdtemp(prefix="sandbox-")) / "sandbox-tls"


if __name__ == "__main__":
    main()
