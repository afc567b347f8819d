"""Is it alive, can it serve, how busy is it: for load balancers, init systems and Prometheus."""

import hmac
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from accounts import outages
from graph.transport import is_loopback
from portal.checks import faces_others

PROBE_SECONDS = 2  # the least that libpq takes; load balancers wait little longer
HEADS_LATE = 300  # seconds since every tenant's head was last written; it should be 60
SWEEPER_LATE = 6  # sweeps missed until the portal says that nobody sweeps

_schema_is_current = (
    False  # in this process; a newer schema needs newer code, so it is asked until true, then never again
)


@login_not_required
@never_cache
@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. Nothing else is asked, so that a lost database restarts no healthy process."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether pages can be served: 200, or 503 with what is missing.

    A late sweeper, signed heads that are not written, or a Microsoft that answers nobody are reported and do not make
    it 503: pages work without them, and no other machine would fare better.
    """
    found = {"database": _database(), "migrations": "unknown", "sweeper": "unknown", "heads": _heads()}
    found["microsoft"] = "unknown"
    if found["database"] == "ok":
        found["migrations"] = _migrations()
    if found["migrations"] == "ok":
        found["sweeper"], found["microsoft"] = _sweeper(), _microsoft()
    ready = found["database"] == found["migrations"] == "ok"
    return JsonResponse({"ready": ready, **found}, status=200 if ready else 503)


def answer_probes_first(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that answers probes before the others are asked: some speak to the database, one wants a host name."""
    probes = {"/healthz": healthz, "/readyz": readyz}

    def middleware(request: HttpRequest) -> HttpResponse:
        return probes.get(request.path_info, get_response)(request)

    return middleware


@login_not_required
@never_cache
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text: for bearers of METRICS_TOKEN. To anyone else it does not exist.

    Without a token it is for this machine, and only where nobody else can come: no public name and no proxy, behind
    which everyone seems to come from here whatever headers it adds.
    """
    if not _may_read_metrics(request):
        return HttpResponseNotFound()
    from portal.metrics import exposition

    return HttpResponse(exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_read_metrics(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    if token:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    if faces_others() or settings.SECURE_PROXY_SSL_HEADER:
        return False
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return is_loopback(request.META.get("REMOTE_ADDR")) and not forwarded


def _database() -> str:
    """Asked on a connection of its own, so that a database that hangs is told from one that is slow, and in time."""
    probe = connection.copy()
    probe.settings_dict["OPTIONS"]["connect_timeout"] = probe.settings_dict["DEADLINE"] = PROBE_SECONDS
    try:
        with probe.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    finally:
        probe.close()
    return "ok"


def _migrations() -> str:
    global _schema_is_current
    if not _schema_is_current:
        loader = MigrationLoader(connection)
        missing = set(loader.graph.nodes) - set(loader.applied_migrations)
        if missing:
            return f"{len(missing)} not applied"
        _schema_is_current = True
    return "ok"


def _sweeper() -> str:
    """Seconds since the last sweep, in words that say whether that is too long."""
    from portal.metrics import sweeper_age

    age = sweeper_age()
    if age is None:
        return "has not run yet"
    late = age > settings.REVOCATION_SWEEP_SECONDS * SWEEPER_LATE
    return f"late: last run {age:.0f} s ago" if late else "ok"


def _microsoft() -> str:
    """What the processes found out while they worked: nothing is asked for a probe."""
    hung = [f"{host} answers nobody for {news.silent_for:.0f} s" for host, news in sorted(outages.told().items())]
    return "; ".join(hung) or "ok"


def _heads() -> str:
    """Whether every tenant's signed head is written outside the database. Asks the folder, and no tenant."""
    from audit.heads import round_age

    age = round_age()
    if age is None:
        return "have not been written yet"
    return f"late: last written for every tenant {age:.0f} s ago" if age > HEADS_LATE else "ok"
