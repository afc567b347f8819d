"""How long requests to the portal take, for `/metrics`. Probes are answered before."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts import durations

METHODS = {"GET", "HEAD", "POST", "OPTIONS"}  # a method is whatever somebody writes there, and each would be a label


def count_durations(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = get_response(request)
        method = request.method if request.method in METHODS else "other"
        durations.PAGES.add(time.monotonic() - began, method, str(response.status_code))
        return response

    return middleware
