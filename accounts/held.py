"""A form that was sent without a fresh sign-in waits in the session while the person confirms who they are.

Nothing is done with it by itself: afterwards its page is open again, filled in as it was, or one button sends it.
Files and what looks like a secret never wait.
"""

import re
from dataclasses import asdict, dataclass, field
from time import time
from typing import Self

from django.core import signing
from django.forms import BaseForm
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

HELD = "held_form"  # session: the form that waits
LIFETIME = 15 * 60  # seconds
MOST = 64 * 1024  # characters of what was typed
FOR_WHAT = "for_what"
SECRET = re.compile(r"passw|secret|token|kept|^" + FOR_WHAT, re.IGNORECASE)


@dataclass(frozen=True)
class Held:
    """A form as it was sent.

    Attributes:
        path: the address it was sent to, with its query.
        what: what it does, as its own page called it; empty where that did not say.
        page: whether that address also shows the form.
    """

    path: str
    what: str
    page: bool
    fields: list[list[str]] = field(default_factory=list)
    user: str = ""
    at: float = 0.0

    @classmethod
    def of(cls, request: HttpRequest) -> Self | None:
        """What waits for this person; None where nothing does, or it waited too long."""
        try:
            found = cls(**request.session.get(HELD) or {})
        except TypeError:
            return None
        fits = found.user == str(request.user.pk) and time() - found.at <= LIFETIME
        return found if fits else None


def mark(what: str, *, page: bool = True) -> SafeString:
    """A hidden field by which a form says what it does, should a fresh sign-in be needed first. Signed: it is shown.

    Args:
        page: whether the form is also found by opening the address it is sent to.
    """
    signed = signing.Signer(salt=FOR_WHAT).sign_object([what, page])
    return format_html('<input type="hidden" name="{}" value="{}">', FOR_WHAT, signed)


def hold(request: HttpRequest, back: str) -> str:
    """Let the form of this request wait. Returns the address to open afterwards; `back` where there is none to keep."""
    if request.method != "POST":
        return back
    what, page = _for_what(request.POST.get(FOR_WHAT, ""))
    page = page or back.partition("?")[0] == request.path
    fields = [[name, value] for name, values in request.POST.lists() if not SECRET.search(name) for value in values]
    if not (page or what) or sum(len(name) + len(value) for name, value in fields) > MOST:
        request.session.pop(HELD, None)
        return back
    held = Held(request.get_full_path(), what, page, fields, str(request.user.pk), time())
    request.session[HELD] = asdict(held)
    return held.path if page else reverse("accounts:go-on")


def release(request: HttpRequest) -> None:
    """Something was sent and accepted: nothing waits any more."""
    if HELD in request.session:
        del request.session[HELD]


def refill(request: HttpRequest, form: BaseForm | None) -> bool:
    """Fill the form in as it was sent, once, where it waits for this very page. Returns whether it did."""
    held = Held.of(request)
    if form is None or form.is_bound or request.method != "GET" or not held or held.path != request.get_full_path():
        return False
    sent = QueryDict(mutable=True)
    for name, value in held.fields:
        sent.appendlist(name, value)
    for name, one in form.fields.items():
        if not one.widget.is_hidden:  # what is hidden is about what is shown now
            form.initial[name] = one.widget.value_from_datadict(sent, {}, form.add_prefix(name))
    release(request)
    return True


def _for_what(signed: str) -> tuple[str, bool]:
    try:
        what, page = signing.Signer(salt=FOR_WHAT).unsign_object(signed)
    except (signing.BadSignature, ValueError, TypeError):
        return "", False
    return what, page
