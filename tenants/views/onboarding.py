"""Connecting a tenant: out to Microsoft's consent page, and back."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import trips
from accounts.access import asks_by_itself, lead_on, leave_for
from accounts.models import Membership
from accounts.roles import Capability
from tenants import arrival, connection, onboarding
from tenants.connecting import NotConnected


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """What connecting means; the button leads to Microsoft."""
    admin = _admin(request)
    closed = not (admin or onboarding.is_open())
    if request.method == "POST" and not closed:
        callback_uri = request.build_absolute_uri(reverse("tenants:onboarding-callback"))
        kept = _kept(request)
        return _keep(lead_on(request, onboarding.begin(kept, callback_uri, membership=admin)), kept)
    page = {"admin": admin, "closed": closed}
    return render(request, "tenants/onboarding.html", page, status=403 if request.method == "POST" else 200)


@login_not_required
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Back from Microsoft. What comes with the address is only believed as far as acting on it bears out."""
    kept = _kept(request)
    try:
        came = onboarding.returned(kept, request.GET.dict(), membership=_admin(request))
    except NotConnected as refusal:
        return _keep(_failed(request, refusal), kept)
    return _keep(redirect(came.address if came else "tenants:onboarding-waiting"), kept)


@asks_by_itself
@login_not_required
@require_safe
@never_cache
def waiting(request: HttpRequest) -> HttpResponse:
    """Asks again until the consent works everywhere, and ends in what was granted, or in what is missing."""
    kept = _kept(request)
    return _keep(_proceed(request, kept), kept)


def _proceed(request: HttpRequest, kept: dict) -> HttpResponse:
    asked_by_page = bool(request.htmx)
    try:
        came = arrival.proceed(kept, membership=_admin(request))
    except NotConnected as refusal:
        return leave_for(request, request.path) if asked_by_page else _failed(request, refusal)
    if isinstance(came, arrival.Waiting):
        template = "tenants/_waiting.html" if asked_by_page else "tenants/onboarding_waiting.html"
        return render(request, template, {"waiting": came})
    if asked_by_page:
        return leave_for(request, request.path)
    found = connection.check(came.tenant, fresh=False)
    return render(
        request, "tenants/onboarding_done.html", {"tenant": came.tenant, "connection": found, "admin": _admin(request)}
    )


def _kept(request: HttpRequest) -> dict:
    """What this browser keeps of its trips. Strangers come here, so nothing about them is stored."""
    return trips.find(request, "onboarding") or {}


def _keep(response: HttpResponse, kept: dict) -> HttpResponse:
    trips.put(response, "onboarding", kept, path=reverse("tenants:onboarding"))
    return response


def _failed(request: HttpRequest, refusal: NotConnected) -> HttpResponse:
    return render(request, "tenants/onboarding_failed.html", {"refusal": refusal}, status=400)


def _admin(request: HttpRequest) -> Membership | None:
    """The home membership of a signed-in administrator: only that binds an onboarding to a tenant."""
    membership = getattr(request, "membership", None)
    return membership if membership and membership.can(Capability.MANAGE_TENANT) else None
