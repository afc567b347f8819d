"""HTTP to Microsoft: the only place that makes a session, sets a timeout or knows about the sandbox.

Code everywhere else keeps Microsoft's real URLs. A proxy, and certificates of one that looks into TLS, are settings of
the portal's own; the environment's are not for us. In sandbox mode an adapter leads their hosts to the sandbox on this
machine and refuses every other address, so that nothing leaves it by mistake.
"""

import ipaddress
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit, urlunsplit

import requests
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProxyError, SSLError
from urllib3.util.retry import Retry

from graph import breaker, correlation
from graph.clouds import ANY_ORGANISATION, HOSTS, LOGIN_HOSTS

POOL_SIZE = 16
# Only the making of a connection is repeated: what was sent once is never sent again behind the caller's back.
CONNECT_ONLY = Retry(
    total=1, connect=1, read=0, redirect=0, status=0, other=0, respect_retry_after_header=False, raise_on_status=False
)

_local = threading.local()
Witness = Callable[[requests.PreparedRequest, requests.Response], None]
_witnesses: list[Witness] = []
NO_ANSWER = "none"  # in the place of a status


def _nobody(seconds: float, host: str, method: str, status: str) -> None:
    pass


# Told how long each call took, and which status it had.
timed: Callable[[float, str, str, str], None] = _nobody


class Session(requests.Session):
    """A session with our timeout, without redirects, deaf to proxy and certificate variables of the environment."""

    def __init__(self, timeout: float):
        super().__init__()
        self.timeout = timeout
        self.guarded = True  # asks nobody who is known to hang
        # REQUESTS_CA_BUNDLE would override `verify`, and a proxy variable would see every token.
        self.trust_env = False
        # A thread's session serves many people and tenants; nothing may travel from one's request to another's.
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def request(self, method, url, **options):
        options.setdefault("timeout", _within(self.timeout))
        # Neither endpoint redirects. Following one could carry a bearer to another host.
        # `get()` asks for it by itself, so a default would not do.
        options["allow_redirects"] = False
        return super().request(method, url, **options)

    def send(self, request, **options):
        host = urlsplit(request.url).netloc
        if ours := correlation.for_microsoft():
            request.headers.setdefault(correlation.HEADER, ours)
        if self.guarded and host in HOSTS:
            with breaker.asking(host, partial(_ask_trivially, host), self.timeout), _timed(request, host) as status:
                response = super().send(request, **options)
                status.append(response.status_code)
        else:
            response = super().send(request, **options)
        for witness in tuple(_witnesses):
            witness(request, response)
        return response


@contextmanager
def _timed(request: requests.PreparedRequest, host: str) -> Iterator[list[int]]:
    """What the block appends is the call's status; nothing where it was never answered."""
    began, status = time.monotonic(), []
    try:
        yield status
    finally:
        timed(time.monotonic() - began, host, request.method, str(status[0]) if status else NO_ANSWER)


@contextmanager
def witnessed(witness: Witness) -> Iterator[None]:
    """Show `witness` what this process sends meanwhile, from whichever thread, and what is answered.

    Both hold tokens and names: who looks must keep neither.
    """
    _witnesses.append(witness)
    try:
        yield
    finally:
        _witnesses.remove(witness)


@contextmanager
def hurried(seconds: float) -> Iterator[None]:
    """Let what this thread asks of Microsoft meanwhile take no longer than that, all of it together."""
    _local.until = time.monotonic() + seconds
    try:
        yield
    finally:
        _local.until = None


def _within(timeout: float) -> float:
    until = getattr(_local, "until", None)
    return timeout if until is None else min(timeout, max(0.05, until - time.monotonic()))


def _ask_trivially(host: str, seconds: float) -> None:
    """Ask a host for a public document: whatever it answers, it answers. Its beginning is enough."""
    login = host in LOGIN_HOSTS
    path = f"{ANY_ORGANISATION}/v2.0/.well-known/openid-configuration" if login else "v1.0/$metadata"
    with _make(sandbox_base(), seconds) as session:
        session.guarded = False
        session.get(f"https://{host}/{path}", stream=True).close()


class SandboxAdapter(HTTPAdapter):
    """Sends what is meant for Microsoft's hosts to the sandbox, which answers as the host that was asked."""

    def __init__(self, base: str):
        self._base = urlsplit(base)
        super().__init__(pool_maxsize=POOL_SIZE, max_retries=CONNECT_ONLY)

    def send(self, request, **options):
        meant = urlsplit(request.url)
        led = request.copy()
        led.url = urlunsplit((self._base.scheme, self._base.netloc, meant.path, meant.query, ""))
        led.headers["Host"] = meant.netloc
        led.headers["X-Forwarded-Proto"] = meant.scheme
        response = super().send(led, **options)
        response.url, response.request = request.url, request
        return response


class RefusingAdapter(HTTPAdapter):
    """What sandbox mode mounts for every other address."""

    def send(self, request, **options):
        host = urlsplit(request.url).netloc
        raise requests.exceptions.InvalidURL(f"Sandbox mode reaches Microsoft's hosts only, not {host}.")


def sandbox_base() -> str:
    """The sandbox's address, or an empty string in real life.

    Raises:
        ImproperlyConfigured: it is not an address of this machine.
    """
    base = settings.SANDBOX_URL.rstrip("/")
    if base and not is_loopback(urlsplit(base).hostname):
        raise ImproperlyConfigured("SANDBOX_URL must be an address of this machine, such as http://127.0.0.1:9400.")
    return base


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def session() -> Session:
    """This thread's session: pooled connections, GRAPH_TIMEOUT seconds to connect and to read."""
    base = sandbox_base()
    wanted = (os.getpid(), base, settings.GRAPH_TIMEOUT, settings.MICROSOFT_PROXY, settings.MICROSOFT_CA_BUNDLE)
    if getattr(_local, "made_for", None) != wanted:
        _local.session = _make(base, settings.GRAPH_TIMEOUT)
        _local.made_for = wanted  # connections must not survive a fork
    return _local.session


def _make(base: str, timeout: float) -> Session:
    made = Session(timeout)
    if base:
        made.mount("https://", RefusingAdapter())
        made.mount("http://", RefusingAdapter())
        adapter = SandboxAdapter(base)
        for host in HOSTS:
            made.mount(f"https://{host}/", adapter)
    else:
        made.mount("https://", HTTPAdapter(pool_maxsize=POOL_SIZE, max_retries=CONNECT_ONLY))
        made.proxies = {"https": settings.MICROSOFT_PROXY} if settings.MICROSOFT_PROXY else {}
        made.verify = settings.MICROSOFT_CA_BUNDLE or True
    return made


def browser_url(url: str) -> str:
    """The address a browser must visit for one of Microsoft's sign-in, sign-out or consent pages."""
    base, parts = sandbox_base(), urlsplit(url)
    if not base or parts.netloc not in LOGIN_HOSTS:
        return url
    lead = urlsplit(base)
    return urlunsplit((lead.scheme, lead.netloc, *parts[2:]))


def never_left(error: requests.RequestException) -> bool:
    """Whether the connection was never made, so that the other side cannot have seen the request.

    A proxy that does not let us through ends it as early, and so does a certificate that is not trusted.
    """
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.InvalidURL | breaker.NotAsked):
        return True
    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(reason, SSLError):
        return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in reason.args)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError | ProxyError)
