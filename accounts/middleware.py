"""Around every request: an empty scope, then the person's own, and whether they still are who we think."""

from contextlib import ExitStack
from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts import ended, refresh, selectors, services
from accounts.access import Actor, membership_in, own_membership, safe_return
from accounts.ended import End
from accounts.refresh import Freshness
from accounts.refusals import WORDS, Reason
from accounts.roles import Capability
from accounts.tenancy import no_context, operator_context, person_context, tenant_context

SEEN_EVERY = timedelta(minutes=1)
USER_AGENT_LENGTH = UserSession._meta.get_field("user_agent").max_length


def any_identity(view):
    """Mark a view that must work although Microsoft cannot be asked: signing out, for example."""
    view.any_identity = True
    return view


class ScopeMiddleware:
    """Starts every request without any scope, so that none leaks in from the one before."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with ExitStack() as scopes:
            scopes.enter_context(no_context())
            if request.path_info.startswith("/operator/"):
                scopes.enter_context(operator_context())  # Django's admin asks who may enter
            return self.get_response(request)


class SignInMiddleware(LoginRequiredMiddleware):
    """Asks for sign-in on every page that is not public; whose session was ended is told so instead."""

    def handle_no_permission(self, request: HttpRequest, view_func) -> HttpResponse:
        end = ended.recall(request)
        return ended.tell(request, end) if end else super().handle_no_permission(request, view_func)


class IdentityMiddleware:
    """Sets `request.membership` and `request.tenant`, enters their scope, and keeps identity facts fresh.

    Under `/t/<slug>/` they are those of that tenant (404 without a membership in it), elsewhere the person's own.
    `request.identity_stale_since` is set while Microsoft cannot be asked, so that pages can say so.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.membership = request.tenant = request.identity_stale_since = None
        if not request.user.is_authenticated:
            return self.get_response(request)
        with ExitStack() as request.scopes:
            request.scopes.enter_context(person_context(request.user.pk, request.user.tenant_id))
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view, args, kwargs) -> HttpResponse | None:
        if not request.user.is_authenticated:
            return None
        if request.user.tenant_id is None:
            return self._operator(request, view)
        guarded = getattr(view, "login_required", True) and not getattr(view, "any_identity", False)
        if guarded and (answer := _check(request)):
            return answer
        seen_at = _note_seen(request, used=not (getattr(view, "asks_by_itself", False) and request.htmx))
        if "tenant" in kwargs:
            request.membership = membership_in(request.user, kwargs["tenant"])
            request.scopes.enter_context(tenant_context(request.membership.tenant_id))
        else:
            request.membership = own_membership(request.user)
        request.tenant = request.membership.tenant if request.membership else None
        return _end_if_idle(request, seen_at) if guarded else None

    def _operator(self, request: HttpRequest, view) -> HttpResponse | None:
        """The operator is nobody in any tenant: their place is the admin pages."""
        if request.path_info.startswith("/operator/") or not getattr(view, "login_required", True):
            return None
        return None if getattr(view, "any_identity", False) else redirect("admin:index")


def _note_seen(request: HttpRequest, *, used: bool) -> datetime | None:
    """For the list of one's sessions: when this one was last used, and from where, to the minute.

    Args:
        used: by somebody, who is there; else by a page that asks again by itself, which is not noted.

    Returns:
        when it was last used before; None where no list knows it.
    """
    now = timezone.now()
    this = UserSession.objects.filter(session_key=request.session.session_key)
    seen_at = this.values_list("last_seen_at", flat=True).first()
    if used and seen_at and seen_at < now - SEEN_EVERY:
        this.update(
            last_seen_at=now,
            ip=get_adapter().get_client_ip(request),
            user_agent=request.headers.get("User-Agent", "")[:USER_AGENT_LENGTH],
        )
    return seen_at


def _end_if_idle(request: HttpRequest, seen_at: datetime | None) -> HttpResponse | None:
    """A session that may act on others does not lie open at a desk that was left."""
    member = request.membership
    idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    if not (seen_at and member and member.can(Capability.VIEW_WORKSPACE) and seen_at < timezone.now() - idle):
        return None
    this = selectors.this_session(request.user, request.session.session_key)
    services.end_sessions(request.user, this, reason="idle", actor=Actor.system(request.user.tenant_id))
    logout(request)
    return ended.tell(request, End.now("idle"))


def _check(request: HttpRequest) -> HttpResponse | None:
    """The page that takes this one's place when the person may not go on."""
    tenant = request.user.tenant
    if not (tenant.is_active and services.serves(tenant.pk)):
        reason = Reason.SUSPENDED_TENANT if not tenant.is_active else Reason.OTHER_TENANT
        services.end_portal_sessions(request.user, reason=reason, actor=Actor.system(tenant.pk))
        logout(request)
        return render(request, "accounts/refused.html", {"words": WORDS[reason]}, status=403)
    outcome = refresh.keep_fresh(request.user)
    if outcome.freshness is Freshness.ENDED:
        logout(request)
        return ended.tell(request, End.now(outcome.reason))
    if outcome.freshness is Freshness.TOO_OLD:
        page = {"since": request.user.identity_checked_at, "way_back": safe_return(request)}
        response = render(request, "accounts/unchecked.html", page, status=503)
        response["Retry-After"] = refresh.LEASE
        return response
    if outcome.freshness is Freshness.STALE:
        request.identity_stale_since = request.user.identity_checked_at
    return None
