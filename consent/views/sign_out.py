"""Signing oneself out everywhere: what it ends, what it does not, and what became of it."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts import pace
from accounts.access import Actor, require
from accounts.models import Membership
from accounts.roles import Capability
from revocation import selectors, services
from revocation.models import RevocationRequest
from revocation.showing import live
from revocation.showing.timeline import CAE_DELAY, TOKEN_LIFETIME, Timeline, timeline

SHOWN_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class SignOut:
    """One's own sign-out, ready to show."""

    request: RevocationRequest
    timeline: Timeline


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.OWN_APPS)
@pace.limited(pace.CHANGES)
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    latest = _latest(request.membership)
    if request.method == "POST":
        if latest is None or latest.timeline.final:
            try:
                services.sign_out_self(request.membership)
            except services.Refused as refused:
                messages.error(request, str(refused))
        return redirect("consent:sign-out-everywhere")
    return render(request, "consent/sign_out_everywhere.html", _context(request, latest))


@require_safe
@require(Capability.OWN_APPS)
def progress(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The part of the page that fills in by itself."""
    latest = _latest(request.membership, pk=request_id)
    if latest is None:
        raise Http404
    return live.answer(request, _context(request, latest)["part"])


def _context(request: HttpRequest, latest: SignOut | None) -> dict:
    """What the page says; its part about the latest sign-out, and whether another is offered, fills in by itself."""
    now = timezone.now()
    ends = {"cae": now + CAE_DELAY, "tokens": now + TOKEN_LIFETIME}
    context = {"latest": latest, "offer": latest is None or latest.timeline.final, "ends": ends}
    if latest:
        context["part"] = live.part(
            request,
            "consent/_sign_out.html",
            context,
            address=reverse("consent:sign-out-progress", args=[latest.request.pk]),
            every=live.pace(latest.timeline.final, latest.timeline.points),
            says=latest.timeline.headline,
        )
    return context


def _latest(membership: Membership, **fits) -> SignOut | None:
    """The newest sign-out of the last day that this person asked for themselves; two queries."""
    since = timezone.now() - SHOWN_FOR
    mine = selectors.asked_by(membership.tenant, Actor.of(membership))
    found = mine.filter(kind=RevocationRequest.Kind.SIGN_OUT_SELF, created_at__gte=since, **fits).first()
    return SignOut(found, timeline(found, list(selectors.steps(found)), own=True)) if found else None
