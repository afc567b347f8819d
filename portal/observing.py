"""Traces and faults sent elsewhere, where an installation asks for it: OpenTelemetry and Sentry. Off unless set.

Neither is among the pinned libraries of the portal: `pip install --require-hashes -r requirements-observing.txt`.
What leaves holds ids, addresses without their query and kinds of errors; never a header, a cookie, what a form or an
answer of Microsoft's said, the parameters of a query, or the local variables of a fault. Addresses that open something
by themselves (a proof, a link in a mail) are told by the name of their page.

https://opentelemetry.io/docs/languages/sdk-configuration/otlp-exporter/ https://docs.sentry.io/platforms/python/
"""

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from portal.version import VERSION

INSTALL = "install what it needs: pip install --require-hashes -r requirements-observing.txt"
# What follows opens something to whoever has it.
OPENERS = re.compile(r"(/mail/off/|/sign-out-everywhere/proof/)[^/?#\s]+")


def begin(process: str) -> None:
    """Start what the settings ask for. Once in each process that does work: after forking, before the first request.

    Args:
        process: "web" or "worker": the service is told as `consentry-<process>`.

    Raises:
        ImproperlyConfigured: it is asked for and its library is not installed.
    """
    if settings.SENTRY_DSN:
        _begin_sentry(process)
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        _begin_tracing(process)


def without_openers(text: str) -> str:
    """An address as it may be told: without its query, and without what opens something by itself."""
    return OPENERS.sub(r"\1…", text.partition("?")[0])


def _begin_sentry(process: str) -> None:
    try:
        import sentry_sdk
    except ImportError:
        raise ImproperlyConfigured(f"SENTRY_DSN is set; {INSTALL}") from None
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=f"consentry@{VERSION}",
        server_name="",
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,  # they hold lines of log, and addresses with their queries
        before_send=_scrubbed,
    )
    sentry_sdk.set_tag("process", process)


def _scrubbed(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """Of the request only the method and the address; of an error its kind and place, not what it says."""
    if request := event.pop("request", None):
        event["request"] = {"method": request.get("method"), "url": without_openers(request.get("url", ""))}
    event.pop("user", None)
    event.pop("extra", None)
    for value in event.get("exception", {}).get("values", []):
        value["value"] = ""
    if entry := event.get("logentry"):
        event["logentry"] = {"message": entry.get("message", "")}  # as the code has it, without what was put in
    event["transaction"] = without_openers(event.get("transaction") or "")
    return event


def _begin_tracing(process: str) -> None:
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.celery import CeleryInstrumentor
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
        from opentelemetry.instrumentation.requests import RequestsInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
    except ImportError:
        raise ImproperlyConfigured(f"OTEL_EXPORTER_OTLP_ENDPOINT is set; {INSTALL}") from None

    class Discreet(SpanExporter):
        """Leaves out what could open something, on the way out: whichever instrumentation put it there."""

        def __init__(self) -> None:
            base = settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip("/")
            self._exporter = OTLPSpanExporter(endpoint=f"{base}/v1/traces")

        def export(self, spans):
            for span in spans:
                span._name = without_openers(span.name)
                span._attributes = {
                    key: without_openers(value) if isinstance(value, str) and "/" in value else value
                    for key, value in (span.attributes or {}).items()
                    if key not in ("url.query", "client.address", "net.peer.ip", "user_agent.original")
                }
                span._events = ()  # an error's message may quote what somebody sent
            return self._exporter.export(spans)

        def shutdown(self) -> None:
            self._exporter.shutdown()

    provider = TracerProvider(
        resource=Resource.create({"service.name": f"consentry-{process}", "service.version": VERSION})
    )
    provider.add_span_processor(BatchSpanProcessor(Discreet()))
    trace.set_tracer_provider(provider)
    # Behind what answers probes, which come by an address that is no host name of ours.
    place = settings.MIDDLEWARE.index("django.middleware.security.SecurityMiddleware")
    DjangoInstrumentor().instrument(middleware_position=place)
    CeleryInstrumentor().instrument()
    PsycopgInstrumentor().instrument()
    RequestsInstrumentor().instrument()
