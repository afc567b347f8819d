"""How much somebody may send: said by the view, judged by the length that is announced, before a byte of it is read.

Django reads a form while it looks for its CSRF token, and stores its files, whoever sends it. So this stands before.
A body without an announced length is not read at all: WSGI servers give Django none then.
"""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat

from accounts.access import membership_in

USUAL = 1024 * 1024  # bytes; the longest form of the portal but its lists of people


class BodyLimitMiddleware:
    """Before CsrfViewMiddleware, which reads; after the tenant's scope is known, for who may send more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable, args, kwargs) -> HttpResponse | None:
        announced = _announced(request)
        if announced <= USUAL:
            return None
        limit = getattr(view, "takes", 0) if _may(request, view, kwargs) else 0
        if announced <= limit:
            return None
        return render(request, "413.html", {"limit": filesizeformat(max(limit, USUAL))}, status=413)


def _announced(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0  # Django reads nothing then, too


def _may(request: HttpRequest, view: Callable, kwargs: dict) -> bool:
    """Whether the sender may use the view: strangers, and those of another role, are not read from."""
    capability = getattr(view, "capability", None)
    if not request.user.is_authenticated or request.user.tenant_id is None or capability is None:
        return False
    try:
        return membership_in(request.user, kwargs["tenant"]).can(capability)
    except (Http404, KeyError):
        return False
