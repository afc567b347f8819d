"""The brokers that faults are tried on. Each takes a corner of its own, so that nobody else's messages are touched."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis
from kombu import Connection

NAMES = ("redis", "rabbitmq", "filesystem")
DOWN_SECONDS = 4.0


class Absent(Exception):
    """No such broker answers here. The message is the line to print."""


class Files:
    """No server at all: messages are files in the bed's folder."""

    name = "filesystem"
    url = ""

    def losses(self) -> dict[str, Callable]:
        return {"message files deleted": self.empty}

    def empty(self, bed) -> None:
        for file in (bed.folder / "queue" / "messages").glob("*"):
            file.unlink(missing_ok=True)

    def close(self) -> None:
        pass


class Redis:
    """A numbered database that is empty. REDIS_URL names the server."""

    name = "redis"

    def __init__(self) -> None:
        self.address = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379"
        parts = urlsplit(self.address)
        self.address_shown = f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}"  # without a password
        for number in range(15, 0, -1):
            self.url = urlunsplit((parts.scheme, parts.netloc, f"/{number}", parts.query, ""))
            self._client = redis.Redis.from_url(self.url, socket_connect_timeout=2, socket_timeout=5)
            try:
                if self._client.dbsize() == 0:
                    return
            except redis.ResponseError:
                continue  # this server has fewer databases
            except redis.RedisError:
                raise Absent(f"not run: no broker at {self.address_shown}") from None
        raise Absent(f"not run: no empty database among 1 to 15 at {self.address_shown}")

    def losses(self) -> dict[str, Callable]:
        return {"Redis flushed": self.empty}

    def empty(self, bed) -> None:
        self._client.flushdb()  # this database, never the whole server

    def close(self) -> None:
        with suppress(redis.RedisError):
            self._client.flushdb()
        self._client.close()


class RabbitMQ:
    """A virtual host made for the run where rabbitmqctl may make one; else the one RABBITMQ_URL names, if unused."""

    name = "rabbitmq"
    QUEUE = "consentry"

    def __init__(self) -> None:
        self.address = os.environ.get("RABBITMQ_URL") or "amqp://guest:guest@127.0.0.1:5672//"
        parts = urlsplit(self.address)
        self.address_shown = f"amqp://{parts.hostname}:{parts.port or 5672}"
        self.url, self._vhost = self.address, ""
        if not self._answers():
            raise Absent(f"not run: no broker at {self.address_shown}")
        self.controlled = self._is_ours_to_control(parts.port or 5672)
        if self.controlled:
            self._vhost = f"consentry-chaos-{os.getpid()}"
            self._control("add_vhost", self._vhost)
            self._control("set_permissions", "-p", self._vhost, parts.username or "guest", ".*", ".*", ".*")
            self.url = urlunsplit((parts.scheme, parts.netloc, f"/{self._vhost}", parts.query, ""))
        elif self._queue_exists():
            raise Absent(f"not run: {self.address_shown} has a queue '{self.QUEUE}' of somebody else's")

    def losses(self) -> dict[str, Callable]:
        found = {"RabbitMQ queue deleted": self.empty}
        if self.controlled:
            found["RabbitMQ node restarted"] = self.restart
        return found

    def empty(self, bed) -> None:
        with suppress(OSError), Connection(self.url, connect_timeout=2) as connection:
            connection.default_channel.queue_delete(self.QUEUE)

    def restart(self, bed) -> None:
        """Every connection ends, nobody listens for a while, then the node comes back with what it kept."""
        self._control("stop_app")
        try:
            time.sleep(DOWN_SECONDS)
        finally:
            self._control("start_app")
            self._control("await_startup")

    def queue_type(self) -> str:
        """What the queue of the workers is; empty where rabbitmqctl is not ours to ask."""
        if not self.controlled:
            return ""
        rows = json.loads(self._control("list_queues", "-p", self._vhost, "name", "type", "--formatter", "json"))
        return next((row["type"] for row in rows if row["name"] == self.QUEUE), "")

    def close(self) -> None:
        if self._vhost:
            with suppress(subprocess.CalledProcessError):
                self._control("delete_vhost", self._vhost)
        else:
            self.empty(None)

    def _answers(self) -> bool:
        try:
            with Connection(self.url, connect_timeout=2) as connection:
                connection.connect()
            return True
        except Exception:  # the library raises what it likes: refused, timed out, not allowed in
            return False

    def _queue_exists(self) -> bool:
        with Connection(self.url, connect_timeout=2) as connection:
            try:
                connection.default_channel.queue_declare(self.QUEUE, passive=True)
            except connection.channel_errors:
                return False
        return True

    def _is_ours_to_control(self, port: int) -> bool:
        """Whether rabbitmqctl is here, may act, and means the node behind our address."""
        try:
            known = json.loads(self._control("status", "--formatter", "json"))
        except (OSError, subprocess.SubprocessError, ValueError):
            return False
        return any(listener["port"] == port for listener in known["listeners"])

    def _control(self, *arguments: str) -> str:
        # Debian keeps it where only root's PATH leads.
        program = shutil.which("rabbitmqctl", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if program is None:
            raise FileNotFoundError("rabbitmqctl")
        command = [program, "--quiet", *arguments]
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=True, cwd=Path("/"), stdin=subprocess.DEVNULL
        )
        return result.stdout


_KINDS = {kind.name: kind for kind in (Redis, RabbitMQ, Files)}


def reach(name: str) -> Redis | RabbitMQ | Files:
    """The broker of this name, in a corner of its own; `close()` it afterwards.

    Raises: Absent, with the line to print.
    """
    return _KINDS[name]()
