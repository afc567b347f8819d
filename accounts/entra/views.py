"""To Microsoft and back. An answer that is not a proved and admitted identity ends on a page and changes nothing."""

import logging
from datetime import timedelta
from time import time
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts import ended, refresh, selectors, services, signals, token_store, trips
from accounts.access import AUTH_TIME, LOGIN_HINT, Actor, own_membership
from accounts.entra.provider import TRIPS, EntraProvider
from accounts.models import Tenant, User
from accounts.oidc import flow
from accounts.oidc.flow import Arrival
from accounts.oidc.id_token import Identity, InvalidIdToken
from accounts.refusals import Reason, Refused
from accounts.tenancy import tenant_context, user_context
from graph import tokens
from graph.errors import GraphError, TokenError

logger = logging.getLogger(__name__)

DECLINED = {"AADSTS65004"}
CONSENT_NEEDED = {"AADSTS65001", "AADSTS90094", "AADSTS90095"}


@login_not_required
@require_POST
@never_cache
def oauth2_login(request: HttpRequest) -> HttpResponse:
    """Start a sign-in. POST only, so that no other site can start one in somebody's browser."""
    try:
        return _provider(request).redirect_from_request(request)
    except GraphError as error:
        return refused(request, _as_refusal(error))


@login_not_required
@require_GET
@never_cache
def oauth2_callback(request: HttpRequest) -> HttpResponse:
    """What Microsoft sends the browser back to."""
    name = trips.of_state(request.GET.get("state", ""))
    response = _arrive(request, trips.find(request, name))
    trips.drop(response, name, path=TRIPS)  # an answer works once
    return response


def _arrive(request: HttpRequest, state: dict[str, Any] | None) -> HttpResponse:
    """Who came back from the trip that `state` says; None where this browser began none, or too long ago."""
    try:
        if state is None:
            raise Refused(Reason.EXPIRED_FLOW)
        arrival = _redeem(request, state)
        if state["data"].get("step_up") and request.user.is_authenticated:
            return _step_up(request, arrival, state)
        return _sign_in(request, arrival, state)
    except Refused as refusal:
        return refused(request, refusal, way_back=(state or {}).get("next", ""))


def start_step_up(request: HttpRequest, next_url: str) -> HttpResponse:
    """Ask Microsoft to check the credentials of the person who is signed in here, now.

    https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#send-the-sign-in-request
    """
    provider = _provider(request)
    try:
        return provider.redirect(
            request,
            "login",
            next_url,
            {"step_up": True},
            prompt="login",
            max_age=settings.STEP_UP_MAX_AGE,
            login_hint=request.session.get(LOGIN_HINT) or request.user.upn or None,
        )
    except GraphError as error:
        return refused(request, _as_refusal(error), way_back=next_url)


def refused(request: HttpRequest, refusal: Refused, *, way_back: str = "") -> HttpResponse:
    """Announce that nobody was let in, and say why and what helps."""
    signals.sign_in_refused.send(
        User,
        tenant_id=refusal.tenant_id,
        actor_id=refusal.actor_id,
        actor_label=refusal.actor_label,
        reason=" ".join(filter(None, [refusal.reason.value, refusal.code])),
    )
    logger.info("Sign-in refused: %s %s", refusal.reason.value, refusal.code)
    page = {"refusal": refusal, "words": refusal.words, "way_back": way_back, "graph_request_id": refusal.request_id}
    return render(request, "accounts/refused.html", page, status=refusal.words.status)


# --- the answer, step by step --------------------------------------------------------------------------


def _redeem(request: HttpRequest, state: dict[str, Any]) -> Arrival:
    answer = request.GET.dict()
    if "error" in answer:
        raise _as_refusal(tokens.refusal(answer))
    try:
        return flow.redeem(state["data"]["flow"], answer)
    except InvalidIdToken as error:
        logger.warning("An answer to a sign-in proves nothing: %s", error)
        raise Refused(Reason.UNPROVED) from error
    except GraphError as error:
        raise _as_refusal(error) from error


def _sign_in(request: HttpRequest, arrival: Arrival, state: dict[str, Any]) -> HttpResponse:
    identity = arrival.identity
    tenant = services.admit(identity)
    _leave_anothers_session(request, identity)
    with tenant_context(tenant.pk):
        user = services.know(tenant, identity, timezone.now())
        with user_context(user.pk):
            _end_what_microsoft_disowns(user)
            login = _provider(request).social_login(identity)
            login.state = state
            response = complete_social_login(request, login)
            if request.user.pk != user.pk:
                return response  # allauth has something to say first
            _remember(request, user, arrival)
            _announce(signals.signed_in, user, tenant)
    return response


def _leave_anothers_session(request: HttpRequest, identity: Identity) -> None:
    """Who signs in where somebody else is signed in takes that session's place, and it should not linger in a list."""
    other = request.user
    if other.is_authenticated and (other.tenant_id, other.object_id) != (identity.tenant_id, identity.object_id):
        theirs = selectors.this_session(other, request.session.session_key)
        services.end_sessions(other, theirs, reason="another_signed_in", actor=Actor.system(other.tenant_id))


def _end_what_microsoft_disowns(user: User) -> None:
    """Earlier portal sessions share this account's tokens: if those were revoked, they must not live on new ones."""
    if UserSession.objects.filter(user_id=user.pk).exists() and not refresh.still_vouched_for(user):
        services.end_portal_sessions(user, reason="earlier_sign_in_disowned", actor=Actor.system(user.tenant_id))
        user.refresh_from_db(fields=["token_epoch"])


def _remember(request: HttpRequest, user: User, arrival: Arrival) -> None:
    identity = arrival.identity
    request.session[AUTH_TIME] = identity.auth_time
    request.session[LOGIN_HINT] = identity.login_hint
    # A fixed end: nothing that is written into the session later moves it.
    request.session.set_expiry(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    ended.forget(request)
    token_store.save(user, arrival.cache, epoch=user.token_epoch)
    services.reads(user, get_language())
    UserSession.objects.filter(session_key=request.session.session_key).update(data=_session_facts(identity))


def _step_up(request: HttpRequest, arrival: Arrival, state: dict[str, Any]) -> HttpResponse:
    """Note when the credentials were checked, in the session that asked, and what the token says of the person now.

    Somebody else's answer, or an old one, leaves everything as it was. The new tokens are not kept: the person's other
    sessions must go on standing on the ones they were opened with.
    """
    identity, user = arrival.identity, request.user
    known = {"tenant_id": user.tenant_id, "actor_id": str(user.object_id), "actor_label": str(user)}
    if (identity.tenant_id, identity.object_id) != (user.tenant_id, user.object_id):
        raise Refused(Reason.WRONG_PERSON, **known)
    if identity.auth_time is None or time() - identity.auth_time > settings.STEP_UP_MAX_AGE:
        raise Refused(Reason.STEP_UP_TOO_OLD, **known)
    _still_as_before(request, identity, known)
    before = request.session.session_key
    request.session[AUTH_TIME] = identity.auth_time
    request.session.cycle_key()  # a key somebody saw earlier must not gain from this
    UserSession.objects.filter(session_key=before).update(
        session_key=request.session.session_key, data=_session_facts(identity)
    )
    _announce(signals.stepped_up, user, user.tenant)
    return redirect(state.get("next") or settings.LOGIN_REDIRECT_URL)


def _still_as_before(request: HttpRequest, identity: Identity, known: dict[str, Any]) -> None:
    """Whoever became a guest, or lost a role, does not go on in a session that was opened with more."""
    user = request.user
    held = own_membership(user)
    lost = set(held.roles if held else ()) - set(identity.roles)
    if identity.is_guest:
        services.end_portal_sessions(user, reason=Reason.GUEST, actor=Actor.system(user.tenant_id))
    else:
        services.take_facts(user, identity, timezone.now())
    if lost and not identity.is_guest:
        this = selectors.this_session(user, request.session.session_key)
        services.end_sessions(user, this, reason=Reason.ROLE_GONE, actor=Actor.system(user.tenant_id))
    if lost or identity.is_guest:
        logout(request)
        raise Refused(Reason.GUEST if identity.is_guest else Reason.ROLE_GONE, **known)


def _session_facts(identity: Identity) -> dict[str, str]:
    return {"sid": identity.sid, "tid": str(identity.tenant_id)}


def _announce(signal, user: User, tenant: Tenant) -> None:
    signal.send(User, tenant_id=tenant.pk, actor_id=str(user.object_id), actor_label=str(user), reason="")


def _as_refusal(error: GraphError) -> Refused:
    """An error on the way as the page that helps with it."""
    if not isinstance(error, TokenError):
        return Refused(Reason.UNREACHABLE, request_id=error.request_id)
    reason = Reason.MICROSOFT_REFUSED
    if error.code in CONSENT_NEEDED or error.error == "consent_required":
        reason = Reason.CONSENT_NEEDED
    elif error.code in DECLINED or (error.error == "access_denied" and error.code == error.error):
        reason = Reason.CANCELLED
    elif error.error in ("server_error", "temporarily_unavailable"):
        reason = Reason.UNREACHABLE
    return Refused(reason, detail=error.explanation, code=error.code, request_id=error.request_id)


def _provider(request: HttpRequest) -> EntraProvider:
    return get_adapter(request).get_provider(request, EntraProvider.id)
