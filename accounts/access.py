"""Who acts, and whether they may: the capability decorator of every workspace page."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from time import time
from typing import Self, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import held
from accounts.models import Membership, User
from accounts.roles import Capability

T = TypeVar("T")

AUTH_TIME = "auth_time"  # session: Unix time at which Microsoft last checked this person's credentials
DEEDS = "deeds"  # session: by kind of deed, the AUTH_TIME with which it was last asked for
SAFE = ("GET", "HEAD", "OPTIONS")
LOGIN_HINT = "login_hint"  # session: by which Microsoft knows the person's own session again; kept until after sign-out


@dataclass(frozen=True)
class Actor:
    """Who did something, as plain values that outlive the account.

    Attributes:
        id: the person's object id in Entra; a word for what is no person.
        tenant_id: where they act, not where they come from.
        user_id: the person's account in this portal; None for what is no person.
    """

    id: str
    label: str
    roles: frozenset[str] = frozenset()
    tenant_id: UUID | None = None
    user_id: UUID | None = None

    @classmethod
    def of(cls, membership: Membership) -> Self:
        person = membership.user
        return cls(
            id=str(person.object_id or person.pk),
            label=person.display_name or person.upn or person.username,
            roles=frozenset(membership.roles),
            tenant_id=membership.tenant_id,
            user_id=person.pk,
        )

    @classmethod
    def person(cls, user: User) -> Self:
        """Somebody about their own account, whatever their roles are."""
        return cls(id=str(user.object_id), label=str(user), tenant_id=user.tenant_id, user_id=user.pk)

    @classmethod
    def system(cls, tenant_id: UUID | None = None) -> Self:
        """The portal itself: workers and the sweeper."""
        return cls(id="system", label="Consentry", tenant_id=tenant_id)

    @classmethod
    def command_line(cls, tenant_id: UUID | None = None) -> Self:
        """Whoever has a shell on the server; the operating system knows who."""
        return cls(id="command-line", label="command line", tenant_id=tenant_id)


def own_membership(user: User) -> Membership | None:
    """What the person may do in their own tenant."""
    found = Membership.objects.filter(user_id=user.pk, tenant_id=user.tenant_id).first()
    if found:
        found.user, found.tenant = user, user.tenant
    return found


def membership_in(user: User, slug: str) -> Membership:
    """This person's membership in the workspace a URL names.

    Raises:
        Http404: they have none, the tenant is not active, or there is no such tenant: the three look the same.
    """
    found = Membership.objects.filter(user_id=user.pk, tenant__slug=slug).select_related("tenant").first()
    if found is None or not found.tenant.is_active or not found.holds(user.tenant_id):
        raise Http404
    found.user = user
    return found


def require(capability: Capability, *, step_up: bool = False, again: bool = False) -> Callable:
    """Open a view only to people whose role in this tenant includes `capability`.

    For views under `/t/<slug:tenant>/`, and for a person's own pages, where the home membership counts. The view finds
    `request.membership` and `request.tenant`; the `tenant` of the URL is not passed on to it.

    Args:
        step_up: what is sent here needs a sign-in younger than STEP_UP_MAX_AGE. Opening the page needs none. Who comes
            back from confirming finds the form as it was (`accounts.held`); nothing is sent unasked.
        again: the same may be done once more with the same sign-in, for STEP_UP_SAME_DEED.

    https://docs.djangoproject.com/en/5.2/topics/http/decorators/
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            slug = kwargs.pop("tenant", None)
            membership = getattr(request, "membership", None)
            if slug is not None and (membership is None or membership.tenant.slug != slug):
                membership = membership_in(request.user, slug)
            if membership is None:
                raise Http404
            request.membership, request.tenant = membership, membership.tenant

            if not membership.can(capability):
                page = {"capability": capability.label, "roles_known": membership.roles_known}
                return render(request, "403.html", page, status=403)
            if step_up and request.method not in SAFE:
                if not _confirmed(request, again):
                    return ask_to_step_up(request)
                held.release(request)
            return view(request, *args, **kwargs)

        guarded.capability = capability
        guarded.step_up = step_up
        return guarded

    return decorate


def from_our_pages(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a download, which the record notes, from the portal's own pages or by its address: by no link elsewhere.

    Else any site could fill somebody's record by leading their browser there. https://www.w3.org/TR/fetch-metadata/
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return redirect("/")
        return view(request, *args, **kwargs)

    return guarded


def asks_by_itself(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Mark a view whose part a page asks for again and again: that is no use of a session (`accounts.middleware`).

    htmx asks for it so; whoever opens its address as a page is there.
    """
    view.asks_by_itself = True
    return view


def signed_in_recently(request: HttpRequest, max_age: int = 0) -> bool:
    """Whether Microsoft checked this person's credentials within `max_age` seconds, by default STEP_UP_MAX_AGE."""
    auth_time = request.session.get(AUTH_TIME)
    latest = (max_age or settings.STEP_UP_MAX_AGE) + 5
    return isinstance(auth_time, int | float) and 0 <= time() - auth_time + 5 <= latest


def _confirmed(request: HttpRequest, again: bool) -> bool:
    """Whether the sign-in is fresh enough for what was sent, or was when the same kind of deed was done before."""
    if not again:
        return signed_in_recently(request)
    deed, done = request.resolver_match.view_name, request.session.get(DEEDS, {})
    auth_time = request.session.get(AUTH_TIME)
    if signed_in_recently(request):
        if done.get(deed) != auth_time:
            request.session[DEEDS] = done | {deed: auth_time}
        return True
    return done.get(deed) == auth_time and signed_in_recently(request, settings.STEP_UP_SAME_DEED)


def ask_to_step_up(request: HttpRequest) -> HttpResponse:
    """Send the person to sign in once more, and afterwards back to the form, or a page that is safe to open."""
    back = safe_return(request)
    if not getattr(request, "htmx", False):
        back = held.hold(request, back)
    return leave_for(request, reverse("accounts:step-up") + "?" + urlencode({"next": back}))


def leave_for(request: HttpRequest, address: str) -> HttpResponse:
    """A redirect of the whole page, also for requests that htmx made for a part of it."""
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def lead_on(request: HttpRequest, address: str) -> HttpResponse:
    """Answer a form with a page that leads on to Microsoft by itself, with or without scripts.

    Not a redirect: browsers hold `form-action` against each one that follows a form, and where Microsoft sends people
    goes on to their organisation's own sign-in, which no list of ours can name.

    https://www.w3.org/TR/CSP3/#directive-form-action
    """
    response = render(request, "accounts/leading_on.html", {"address": address})
    add_never_cache_headers(response)
    return response


def safe_return(request: HttpRequest) -> str:
    """A local address to come back to by GET: this one, or the page whose form or button was used."""
    if getattr(request, "htmx", False):
        return local_path(request, request.headers.get("HX-Current-URL", ""))
    if request.method in ("GET", "HEAD") or request.POST.get("kept"):
        return request.get_full_path()  # a form whose text the browser keeps (keep.js) is a page at its own address
    return local_path(request, request.headers.get("Referer", ""))


def local_path(request: HttpRequest, address: str) -> str:
    """Path and query of an address on this very host, else the start page."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    if parts.netloc and parts.netloc != request.get_host():
        return "/"
    return safe_next(parts._replace(scheme="", netloc="", fragment="").geturl()) or "/"


def safe_next(address: str | None) -> str:
    """`address` when it is a path of this portal, else an empty string: nobody is sent elsewhere after sign-in."""
    if not address or not address.startswith("/") or not url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        return ""
    return address


def or_404(find: Callable[..., T | None], *args) -> T:
    """What a selector finds; 404 where it finds nothing, or says so by raising DoesNotExist."""
    try:
        found = find(*args)
    except ObjectDoesNotExist:
        raise Http404 from None
    if found is None:
        raise Http404
    return found
