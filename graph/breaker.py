"""A Microsoft that hangs: one process finds out, all know, and nobody's page waits for it again.

One slow answer says nothing about the next. So when a call is late and its host answered nobody since it left, a thread
of its own asks that host something trivial. A host that leaves even this unanswered for GRAPH_TIMEOUT is *silent*:
nothing more is sent there, and whoever would is told so at once, until a trivial question, asked again every few
seconds, is answered. A host that refuses connections is not silent: everybody hears that at once.

What a process finds it tells the others through `shared`, which `accounts.outages` sets: rows. No floor below has any.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, TimeoutError

logger = logging.getLogger(__name__)

LATE = 1.0  # seconds after which a call that nobody's answer has overtaken makes us ask something trivial
HOLD = 5.0  # seconds between two trivial questions to a silent host
DOUBTED_AT_MOST_EVERY = 5.0  # seconds between two trivial questions to a host that answers them
FORGOTTEN = 60.0  # seconds without any news after which a silence counts no more: the next call finds out anew
HEARD_EVERY = 1.0  # seconds between two looks at what other processes found


class NotAsked(requests.ConnectionError):
    """Nothing was sent: the host is silent. `retry_after` is in seconds."""

    def __init__(self, host: str, retry_after: float):
        super().__init__(f"{host} does not answer anybody at the moment.")
        self.retry_after = retry_after


@dataclass(frozen=True)
class News:
    """What some process last found out about a silent host: for how long it has been, and for how long that holds."""

    silent_for: float
    holds_for: float


class Shared(Protocol):
    """Where processes tell one another. Neither raises."""

    def tell(self, host: str, news: News | None) -> bool:
        """None: it answers again. Returns whether the others will hear of it."""

    def hear(self) -> dict[str, News] | None:
        """The silent hosts; None where this thread cannot ask now."""


shared: Shared | None = None


@dataclass
class _Host:
    """What this process knows about one host. Times are on the monotonic clock."""

    under_way: dict[int, float] = field(default_factory=dict)  # calls, by when they left
    answered_at: float = -1.0
    silent_since: float | None = None
    silent_until: float = 0.0  # until somebody asks again
    told: bool = False  # the others know: when their word is gone, one of them had an answer
    trying: bool = False
    tried_at: float = -DOUBTED_AT_MOST_EVERY

    def keeps_waiting(self, now: float) -> bool:
        """Whether a call waits whose host has answered nobody since it left."""
        return any(now - left >= LATE for left in self.unanswered())

    def unanswered(self) -> Iterator[float]:
        return (left for left in self.under_way.values() if left >= self.answered_at)


_lock = threading.Lock()
_hosts: dict[str, _Host] = {}
_heard_at = -HEARD_EVERY
_calls = 0


@contextmanager
def asking(host: str, trivially: Callable[[float], None], patience: float) -> Iterator[None]:
    """Around a call to a host.

    Args:
        trivially: asks the host something trivial, in a thread of its own, for so many seconds at most.
        patience: the seconds after which a host that does not answer it is silent.

    Raises:
        NotAsked: the host is silent.
    """
    global _calls
    _hear()
    with _lock:
        here = _hosts.setdefault(host, _Host())
        now = time.monotonic()
        _forget_old_news(here, now)
        if now >= here.silent_until if here.silent_since is not None else here.keeps_waiting(now):
            _try(host, here, trivially, patience)
        if here.silent_since is not None:
            raise NotAsked(host, max(HOLD, here.silent_until - now))
        _calls += 1
        this, here.under_way[_calls] = _calls, now
    try:
        yield
    except requests.RequestException as error:
        with _lock:
            if is_late(error) and here.answered_at <= now and here.silent_since is None:
                _try(host, here, trivially, patience)
        raise
    else:
        with _lock:
            here.answered_at = time.monotonic()
    finally:
        with _lock:
            here.under_way.pop(this, None)


def is_late(error: Exception) -> bool:
    """Whether a call ended because nothing came back in time. Retries of urllib3 hide that in another error."""
    reason = error.args[0] if error.args else None
    reason = reason.reason if isinstance(reason, MaxRetryError) else reason
    late = isinstance(error, requests.Timeout) or isinstance(reason, TimeoutError)
    return late and not isinstance(reason, NewConnectionError)  # whoever refuses, or has no name, is a timeout there


def doubted(host: str) -> bool:
    """Whether the host is silent or may be: whoever can do without its answer should not wait for it."""
    _hear()
    with _lock:
        here = _hosts.get(host)
        if here is None:
            return False
        _forget_old_news(here, time.monotonic())
        return here.trying or here.silent_since is not None


def silent() -> dict[str, float]:
    """The hosts that do not answer, as far as this process knows, and for how many seconds."""
    _hear()
    now = time.monotonic()
    with _lock:
        return {host: now - here.silent_since for host, here in _hosts.items() if here.silent_since is not None}


def forget() -> None:
    """Know as little as a new process."""
    global _heard_at
    with _lock:
        _hosts.clear()
        _heard_at = -HEARD_EVERY


def _forget_old_news(here: _Host, now: float) -> None:
    if here.silent_since is not None and not here.trying and now - here.silent_until > FORGOTTEN:
        here.silent_since = None


def _try(host: str, here: _Host, trivially: Callable[[float], None], patience: float) -> None:
    """Ask something trivial in a thread: nobody waits for it. Call under the lock."""
    now = time.monotonic()
    if here.trying or (here.silent_since is None and now - here.tried_at < DOUBTED_AT_MOST_EVERY):
        return
    here.trying, here.tried_at = True, now
    threading.Thread(target=_tried, args=(host, here, trivially, patience), daemon=True, name=f"try-{host}").start()


def _tried(host: str, here: _Host, trivially: Callable[[float], None], patience: float) -> None:
    began, answers = time.monotonic(), True
    try:
        trivially(patience)
    except Exception as error:
        answers = not is_late(error)  # else it is not there, or its certificate is not trusted: nobody waits for that
    with _lock:
        if _hosts.get(host) is not here:
            return  # all was forgotten meanwhile
        now = time.monotonic()
        answers = answers or here.answered_at > began
        was_silent = here.silent_since is not None
        here.trying = False
        if answers:
            here.answered_at, here.silent_since = now, None
        else:
            if not was_silent:
                here.silent_since = min([began, *here.unanswered()])
            here.silent_until = now + HOLD
        news = None if answers else News(now - here.silent_since, HOLD + patience)
    if answers and was_silent:
        logger.warning("%s answers again.", host)
    elif not answers and not was_silent:
        logger.warning("%s answers nobody. Nothing more is sent there until it does.", host)
    if shared and (was_silent or not answers):
        told = shared.tell(host, news)
        with _lock:
            here.told = told and not answers


def _hear() -> None:
    """Take over what other processes found, once a second and where this thread can ask for it."""
    global _heard_at
    with _lock:
        now = time.monotonic()
        if shared is None or now - _heard_at < HEARD_EVERY:
            return
        before, _heard_at = _heard_at, now
    told = shared.hear()
    with _lock:
        if told is None:
            _heard_at = before
            return
        now = time.monotonic()
        for host, news in told.items():
            here = _hosts.setdefault(host, _Host())
            if here.silent_since is None:
                here.silent_since = now - news.silent_for
                here.silent_until = now + news.holds_for
            here.told = True
        for host, here in _hosts.items():
            if here.told and host not in told:
                here.silent_since, here.told = None, False
