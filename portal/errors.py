"""Answers to requests that no view gets to see."""

import logging
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

AWAY = (OperationalError, InterfaceError)  # the database cannot be reached, or does not answer
RETRY_AFTER = 10  # seconds


def fault(request: HttpRequest) -> HttpResponse:
    """What takes the place of a page that failed: 503 while the database is away, else 500 with nothing about why."""
    ours = {"request_id": getattr(request, "id", "")}
    # Without the request: what a template would ask of it may need the database, or fail like the page.
    if not isinstance(sys.exc_info()[1], AWAY):
        return render(None, "500.html", ours, status=500)
    words = ours | {
        "title": gettext("Consentry's database does not answer at the moment"),
        "explanation": gettext(
            "Nothing was changed by opening this page. What you asked for earlier is kept, and carries on by itself."
        ),
    }
    response = render(None, "503.html", words, status=503)
    response["Retry-After"] = RETRY_AFTER
    return response


class DatabaseAwayInOneLine(logging.Filter):
    """A database that is away is one line a request: the traceback would tell nobody anything, hundreds of times."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, AWAY):
            reason = " ".join(str(error).split()) or type(error).__name__
            record.msg, record.args = f"{record.getMessage()}: the database does not answer ({reason})", ()
            record.exc_info = record.exc_text = None
        return True


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
