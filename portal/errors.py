"""Answers to requests that no view gets to see."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was not accepted: say so (403), and lead back to the page it was on. `reason` is for Django's log."""
    return render(request, "403_csrf.html", {"way_back": _page_of_the_form(request)}, status=403)


def _page_of_the_form(request: HttpRequest) -> str:
    """The address of the page that sent the form, as the browser names it; the first page where it does not."""
    referrer = request.headers.get("Referer", "")
    return referrer if url_has_allowed_host_and_scheme(referrer, {request.get_host()}) else "/"
