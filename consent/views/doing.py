"""Carrying out what was confirmed, and saying what came of it."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.access import Actor
from revocation.models import RevocationRequest
from revocation.rules.refusals import Refused


def attempt(request: HttpRequest, back: str, do: Callable[..., RevocationRequest], *args, **details):
    """Ask a service; where a rule or Microsoft says no, say so and go `back`.

    Returns:
        The request that was made, or the answer to give instead.
    """
    try:
        return do(*args, **details)
    except Refused as error:
        messages.error(request, str(error))
        return redirect(back)


def follow(request: HttpRequest, back: str, do: Callable[..., RevocationRequest], *args, **details) -> HttpResponse:
    """Ask a service in the name of who is signed in, and go to the page that tells what becomes of it."""
    actor = Actor.of(request.membership)
    done = attempt(request, back, do, request.tenant, *args, actor=actor, **details)
    if isinstance(done, HttpResponse):
        return done
    return redirect("revocation:detail", request.tenant.slug, done.pk)
