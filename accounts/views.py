"""Signing in and out, the list of one's own sessions, and confirming who one is."""

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts import ended as ending, selectors, services
from accounts.access import LOGIN_HINT, Actor, safe_next, signed_in_recently
from accounts.entra.views import start_step_up
from accounts.held import Held
from accounts.middleware import any_identity
from accounts.oidc import flow
from accounts.oidc.id_token import issuer_tenant
from graph.clouds import installed

# Whose sign-out page may hold ours in a frame.
SIGN_OUT_PAGES = (
    [settings.SANDBOX_URL] if settings.SANDBOX_URL else [f"https://{one}" for one in installed().login_hosts]
)


@login_not_required
@require_safe
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """The door. Who is signed in already walks through it."""
    way_back = safe_next(request.GET.get("next"))
    if request.user.is_authenticated:
        return redirect(way_back or settings.LOGIN_REDIRECT_URL)
    page = {"way_back": way_back, "sandbox": bool(settings.SANDBOX_URL)}
    return render(request, "accounts/sign_in.html", page)


@login_not_required
@require_safe
@never_cache
def ended(request: HttpRequest) -> HttpResponse:
    """What became of this browser's session, for who was led here from a part of a page."""
    way_back, end = safe_next(request.GET.get("next")), ending.recall(request)
    if end is None or request.user.is_authenticated:
        return redirect(way_back or settings.LOGIN_REDIRECT_URL)
    return ending.page(request, end, way_back=way_back, sent="sent" in request.GET)


@any_identity
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this portal session. The one at Microsoft goes on; the next page offers to end it too."""
    if request.user.is_authenticated and request.user.tenant_id:
        this = selectors.this_session(request.user, request.session.session_key)
        services.end_sessions(request.user, this, reason="signed_out", actor=Actor.person(request.user))
    return _leave(request)


def _leave(request: HttpRequest) -> HttpResponse:
    """To the page after sign-out. It gets along the hint that spares the person Microsoft's list of accounts."""
    hint = request.session.get(LOGIN_HINT)
    logout(request)
    if hint:
        request.session[LOGIN_HINT] = hint
    return redirect(settings.LOGOUT_REDIRECT_URL)


@login_not_required
@require_safe
@never_cache
def signed_out(request: HttpRequest) -> HttpResponse:
    address = flow.sign_out_address(request, hint=request.session.get(LOGIN_HINT, ""))
    return render(request, "accounts/signed_out.html", {"microsoft": address})


@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in to this portal."""
    found = selectors.own_session_list(request.user, request.session.session_key)
    page = {"sessions": found, "others": sum(not one.is_this_one for one in found)}
    return render(request, "accounts/sessions.html", page)


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own sessions; ending this very one is signing out."""
    session = get_object_or_404(selectors.own_sessions(request.user), pk=pk)
    services.end_sessions(request.user, [session], reason="ended_by_owner", actor=Actor.person(request.user))
    if session.session_key == request.session.session_key:
        return _leave(request)
    return redirect("accounts:sessions")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    others = selectors.other_sessions(request.user, request.session.session_key)
    services.end_sessions(request.user, list(others), reason="ended_by_owner", actor=Actor.person(request.user))
    return redirect("accounts:sessions")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def step_up(request: HttpRequest) -> HttpResponse:
    """Say why a fresh sign-in is asked for, then ask Microsoft for one."""
    way_back = safe_next(request.POST.get("next") or request.GET.get("next")) or "/"
    if request.method == "POST":
        return start_step_up(request, way_back)
    if signed_in_recently(request):
        return redirect(way_back)
    page = {"way_back": way_back, "minutes": settings.STEP_UP_MAX_AGE // 60, "held": Held.of(request)}
    return render(request, "accounts/step_up.html", page)


@require_safe
@never_cache
def go_on(request: HttpRequest) -> HttpResponse:
    """What was sent without a page of its own, for one more click: nothing is repeated by itself."""
    held = Held.of(request)
    if held is None or held.page:
        return redirect(held.path if held else "/")
    return render(request, "accounts/go_on.html", {"held": held})


@csrf_exempt
@login_not_required
@require_GET
@never_cache
@xframe_options_exempt
@csp_replace({"frame-ancestors": SIGN_OUT_PAGES})
def front_channel_logout(request: HttpRequest) -> HttpResponse:
    """Microsoft's sign-out page loads this in a hidden frame, without our cookies: the `sid` says whose turn it is.

    Answers the same whatever it finds, so that it tells nobody which sessions exist.

    https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#single-sign-out
    """
    sid, issuer = request.GET.get("sid", ""), request.GET.get("iss", "")
    tenant_id = issuer_tenant(issuer) if issuer else None
    if sid.isprintable() and sid and (tenant_id or not issuer):  # PostgreSQL has no word for NUL
        services.end_sessions_of_sid(sid, tenant_id)
    return HttpResponse(_("Signed out."), content_type="text/plain")
