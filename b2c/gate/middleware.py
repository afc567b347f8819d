"""Inside the portal the gate is asked before everything else: a session, a scope, a host name are not its matter.

Some of what comes later speaks to the database, which may be away: then the gate still answers as its tenant wants.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseNotFound
from django.urls import resolve

PREFIX = "/b2c/"
URLS = "b2c.gate.urls"


def answer_gate_first(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return HttpResponseForbidden()  # a redirect would have the secret sent in the clear first, and again
        try:
            found = resolve(request.path_info, URLS)
        except Http404:
            return HttpResponseNotFound()
        response = found.func(request, **found.kwargs)
        if response.status_code == HTTPStatus.CONFLICT:
            response._has_been_logged = True  # a refusal is an answer: Django would log a warning for each
        response["Content-Length"] = len(response.content)  # Django leaves that to a middleware that comes later
        return response

    return middleware
