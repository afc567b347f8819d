"""What is said before a change and when it is refused: one shape for every change, in the page and in the dialog."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import held
from accounts.access import Actor
from revocation.models import RevocationRequest
from revocation.rules.refusals import Refused
from revocation.showing import toasts
from revocation.showing.timeline import TOKEN_LIFETIME


@dataclass(frozen=True)
class Truth:
    """One line of what will happen: "Stops now", "Stops by 14:52", "Stays"."""

    label: str
    text: str
    until: datetime | None = None


@dataclass(frozen=True)
class Crumb:
    name: str
    address: str


@dataclass(frozen=True)
class Confirmation:
    """Everything the page says before a change. `back` is where "keep it" leads without JavaScript."""

    title: str
    button: str
    back: str
    truths: list[Truth] = field(default_factory=list)
    keep: str = ""  # on the way back; "" says "Cancel"
    note: str = ""
    warning: str = ""
    danger: bool = True
    aside: str = ""  # something to tick, sent as the reason
    aside_value: str = ""
    refusal: str = ""  # why it cannot be done: then there is nothing to send, only the way back
    crumbs: list[Crumb] = field(default_factory=list)
    plan: str = ""  # a template that shows what it takes, above the confirmation
    intro: str = ""  # said before the plan
    digest: str = ""  # binds what is sent to exactly what was shown
    busy: str = ""  # said while it is being sent, where that takes a while


def tokens_end() -> Truth:
    """The line every removal needs: what is already out there works until it expires."""
    minutes = int(TOKEN_LIFETIME.total_seconds() // 60)
    text = _("What the app already holds: access tokens work for up to %(minutes)d minutes after they were issued.")
    return Truth(_("Stops"), text % {"minutes": minutes}, timezone.now() + TOKEN_LIFETIME)


def confirm(
    request: HttpRequest, confirmation: Confirmation, form=None, base: str = "base_workspace.html", **about
) -> HttpResponse:
    """The confirmation page, 422 where what was typed is not right yet, 403 where it was sent although refused.

    Args:
        about: what the template of `confirmation.plan` takes.
    """
    again = held.refill(request, form)
    context = {"confirm": confirmation, "form": form, "base_template": base, "confirmed": again, **about}
    refused = confirmation.refusal and request.method == "POST"
    status = 403 if refused else 422 if form and form.errors else 200
    return render(request, "confirm.html", context, status=status)


def confirm_and_do(
    request: HttpRequest, confirmation: Confirmation, form: Form, do: Callable[..., RevocationRequest]
) -> HttpResponse:
    """The page before a change; once its form is sent, the change, and the page before, which says how far it is.

    Args:
        do: a service that wants only the actor and what the form holds.
    """
    if request.method == "POST" and form.is_valid():
        with refusals_to_messages(request):
            done = do(actor=Actor.of(request.membership), **form.cleaned_data)
            toasts.say(request, done, back=confirmation.back)
        return redirect(confirmation.back)
    return confirm(request, confirmation, form)


@contextmanager
def refusals_to_messages(request: HttpRequest) -> Iterator[None]:
    """Where a rule or Microsoft refuses what is asked inside: leave it, and let the next page say why."""
    try:
        yield
    except Refused as refused:
        messages.error(request, str(refused))
