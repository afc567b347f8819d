"""One id a request: in the answer's `X-Request-ID`, on the page of a fault, and in every line it logs.

The proxy's id is taken where there is one (BEHIND_PROXY) and it is made of what an id is made of.
"""

import logging
import re
from collections.abc import Callable
from textwrap import indent
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from pythonjsonlogger.json import JsonFormatter

from accounts import tenancy
from graph import correlation

HEADER = "X-Request-ID"
_PLAIN = re.compile(r"[A-Za-z0-9._-]{8,64}")
_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")  # what ends a line, or moves a terminal's cursor


class RequestIdMiddleware:
    """First of all, so that whatever is logged has the id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.id = _given(request) or uuid4().hex
        with correlation.known_as(request.id):
            response = self.get_response(request)
        response[HEADER] = request.id
        return response


class WithRequestId(logging.Filter):
    """Tells a line which request or task it belongs to, in which tenant, and for whom. Ids only, never a name.

    An answer that refuses is told when the request's scope is over: whose it was, the request knows.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        named = getattr(request, "id", "") or correlation.current()
        scope, user = tenancy.current_scope(), getattr(request, "_cached_user", None)  # asks the database nothing
        tenant = scope.tenant_id or getattr(getattr(request, "membership", None) or user, "tenant_id", None)
        actor = scope.user_id or getattr(user, "pk", None)
        record.of_request = f" [{named}]" if named else ""
        record.request_id = named or None
        record.tenant = str(tenant) if tenant else None
        record.actor = str(actor) if actor else None
        return True


class Lines(logging.Formatter):
    """A line of log as text. It is one line, whatever somebody put into a name; what goes on below it is set in."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s%(of_request)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = _BREAKS.sub(lambda found: found[0].encode("unicode_escape").decode(), record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        return indent(super().formatException(ei), "    ", lambda line: True)


class JsonLines(JsonFormatter):
    """A line of log as one object. Nothing that a library hangs on a record goes along: it may be a whole request."""

    KEPT = ("time", "level", "logger", "message", "request_id", "tenant", "actor", "exc_info")

    def __init__(self) -> None:
        names = {"levelname": "level", "name": "logger"}
        wanted = "%(levelname)s %(name)s %(message)s %(request_id)s %(tenant)s %(actor)s"
        super().__init__(wanted, rename_fields=names, timestamp="time")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {name: log_data[name] for name in self.KEPT if name in log_data}


def _given(request: HttpRequest) -> str:
    given = request.headers.get(HEADER, "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return given if _PLAIN.fullmatch(given) else ""
