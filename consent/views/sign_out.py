"""Signing oneself out everywhere: what it ends, what it does not, and what became of it.

The click ends the session it was made in. What became of it is shown all the same, to whoever has the signed link the
click leads to: the steps of that one request, without a name, for as long as what apps already hold may work.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import pace
from accounts.access import Actor, asks_by_itself, require
from accounts.models import Membership
from accounts.roles import Capability
from accounts.tenancy import tenant_context
from graph import entra_pages
from revocation import selectors, services
from revocation.models import RevocationRequest
from revocation.showing import live
from revocation.showing.timeline import CAE_DELAY, TOKEN_LIFETIME, Timeline, timeline

SHOWN_FOR = timedelta(hours=24)
PROOF_SALT = "consent.sign-out-proof"
PROOF_FOR = TOKEN_LIFETIME + timedelta(minutes=30)


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
                latest = _told(services.sign_out_self(request.membership))
            except services.Refused as refused:
                messages.error(request, str(refused))
                return redirect("consent:sign-out-everywhere")
        return redirect("consent:sign-out-proof", _link_to(latest.request))
    return render(request, "consent/sign_out_everywhere.html", _context(request, latest))


@asks_by_itself
@require_safe
@require(Capability.OWN_APPS)
def progress(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The part of the page that fills in by itself."""
    latest = _latest(request.membership, pk=request_id)
    if latest is None:
        raise Http404
    return live.answer(request, _context(request, latest)["part"])


@login_not_required
@require_safe
@never_cache
def proof(request: HttpRequest, link: str) -> HttpResponse:
    """What became of a sign-out, for a browser that it signed out. Writes nothing."""
    with _behind(link) as found:
        context = _proof_context(request, found, link) if found else {}
        return render(request, "consent/sign_out_proof.html", context, status=200 if found else 410)


@asks_by_itself
@login_not_required
@require_safe
@never_cache
def proof_progress(request: HttpRequest, link: str) -> HttpResponse:
    """The part of that page that fills in by itself."""
    with _behind(link) as found:
        if found is None:
            return HttpResponse(status=410)
        return live.answer(request, _proof_context(request, found, link)["part"])


def _link_to(asked: RevocationRequest) -> str:
    return signing.dumps([str(asked.tenant_id), str(asked.pk)], salt=PROOF_SALT)


@contextmanager
def _behind(link: str) -> Iterator[SignOut | None]:
    """The sign-out a link was made for, in its tenant's scope; None for a link that is forged, too old or of nothing.

    Only a signature that holds costs a query.
    """
    try:
        tenant_id, request_id = map(UUID, signing.loads(link, salt=PROOF_SALT, max_age=PROOF_FOR))
    except (signing.BadSignature, ValueError, TypeError):
        yield None
        return
    with tenant_context(tenant_id):
        own = RevocationRequest.objects.filter(kind=RevocationRequest.Kind.SIGN_OUT_SELF).select_related("tenant")
        found = own.filter(tenant_id=tenant_id, pk=request_id).first()
        yield _told(found) if found and found.tenant.is_active else None


def _proof_context(request: HttpRequest, latest: SignOut, link: str) -> dict:
    context = {
        "latest": latest,
        "until": latest.request.created_at + PROOF_FOR,
        "password_url": entra_pages.own_password(),
    }
    context["part"] = live.part(
        request,
        "consent/_sign_out_proof.html",
        context,
        address=reverse("consent:sign-out-proof-progress", args=[link]),
        every=live.pace(latest.timeline.final, latest.timeline.points),
        says=latest.timeline.headline,
    )
    return context


def _context(request: HttpRequest, latest: SignOut | None) -> dict:
    """What the page says; its part about the latest sign-out, and whether another is offered, fills in by itself."""
    now = timezone.now().replace(second=0, microsecond=0) + timedelta(minutes=1)  # the next full one: "by" then is true
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
    return _told(found) if found else None


def _told(asked: RevocationRequest) -> SignOut:
    return SignOut(asked, timeline(asked, list(selectors.steps(asked)), own=True))
