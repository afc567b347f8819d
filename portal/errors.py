"""Answers to requests that no view gets to see."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was not accepted: say so (403), and lead back to the page it was on. `reason` is for Django's log."""
    return render(request, "403_csrf.html", {"way_back": _page_of_the_form(request)}, status=403)


def _page_of_the_form(request: HttpRequest) -> str:
    """The address of the page that sent the form, as the browser names it; the first page where it does not.

    A form whose text the browser keeps (keep.js) may have been a dialog over another page; it is itself the page at
    the address it was sent to.
    """
    if request.POST.get("kept"):
        return request.get_full_path()
    referrer = request.headers.get("Referer", "")
    return referrer if url_has_allowed_host_and_scheme(referrer, {request.get_host()}) else "/"
