"""The screens of a sign-in, and the browser they are shown to: pick an account, consent, ask an admin, be refused.

What happens next is decided elsewhere (`signing_in`, `authorize`, `admin_consent`); these show it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from sandbox.identity import consent, origin, pages, people, redirects, signing_in, state
from sandbox.identity.errors import Refusal
from sandbox.identity.signing_in import AskConsent, NeedsAdmin, PickAccount, Request
from sandbox.identity.state import Browser, Flow
from sandbox.world import World

COOKIE = "sandbox_signin"


def picker(
    world: World, app_name: str, browser: Browser, name: str, step: PickAccount, request: Request | None = None
) -> Response:
    """The people one can sign in as; `name` is the flow that their choice continues."""
    present = [account for account, _ in signing_in.signed_in(world, browser)]
    here = {account.home_user_id for account in present}
    values = {
        "title": f"Sign in to {app_name}",
        "app_name": app_name,
        "flow": name,
        "again": step.again,
        "signed_in": present,
        "organisations": _grouped([one for one in people.accounts(world) if one.home_user_id not in here]),
        "text": step.text,
        "problem": step.problem,
        "must_prove": bool(request and request.prompt == "login"),
    }
    return pages.show("pick_account.html", values, 400 if step.problem else 200)


def consent_page(request: Request, name: str, step: AskConsent, *, everybody: bool = False) -> Response:
    """What the application asks for. `everybody`: accepting is for the whole organisation, without a box to tick."""
    for_all = everybody or step.admin
    values = {
        "title": f"Permissions requested by {request.application.display_name}",
        "app": request.application,
        "host": urlsplit(request.redirect_uri).netloc,
        "flow": name,
        "user": step.user,
        "organisation": step.tenant.name,
        "lines": consent.lines(request.world, step.tenant, step.ask, admin=for_all),
        "tick_box": step.admin and not everybody,
        "everybody": everybody,
    }
    return pages.show("consent.html", values)


def approval_page(request: Request, name: str, step: NeedsAdmin) -> Response:
    values = {
        "title": "Needs admin approval",
        "app": request.application,
        "flow": name,
        "user": step.user,
        "organisation": step.tenant.name,
        "lines": consent.lines(request.world, step.tenant, step.ask, admin=False),
    }
    return pages.show("approval.html", values)


def refuse(request: Request, refusal: Refusal, http: HttpRequest) -> Response:
    """Tell the application, or the person where the application must not be told."""
    if refusal.on_page or not request.redirect_uri:
        return refusal_page(request.world, refusal, http)
    values = signing_in.refused(request, refusal, request.values.get("client-request-id"))
    return redirects.answer(request.redirect_uri, values, request.mode)


def refusal_page(world: World, refusal: Refusal, http: HttpRequest) -> Response:
    body = refusal.described(world.clock.now(), http.query_params.get("client-request-id"))
    values = {
        "title": "You can't get there from here",
        "code": f"AADSTS{refusal.code}",
        "text": refusal.text,
        "trace_id": body["trace_id"],
        "correlation_id": body["correlation_id"],
        "timestamp": body["timestamp"],
    }
    return pages.show("refusal.html", values, refusal.status)


def lost(world: World, http: HttpRequest) -> Response:
    text = (
        "This page belongs to a sign-in that is over, or to another browser. Go back to the application and begin anew."
    )
    return refusal_page(world, Refusal(90013, text, on_page=True), http)


# --- the browser -----------------------------------------------------------------------------------


def browser_of(world: World, http: HttpRequest) -> Browser:
    return state.of(world).browser(http.cookies.get(COOKIE))


def remembered(http: HttpRequest, browser: Browser, response: Response) -> Response:
    if http.cookies.get(COOKIE) != browser.id:
        secure = origin.of(http).startswith("https:")
        response.set_cookie(COOKIE, browser.id, httponly=True, samesite="lax", secure=secure, path="/")
    return response


async def under_way(world: World, http: HttpRequest) -> tuple[FormData, str, Flow | None, Browser]:
    """The form, and the flow it belongs to if that was started in this browser by a page of this origin."""
    form = await http.form()
    name = str(form.get("flow", ""))
    browser = browser_of(world, http)
    flow = state.of(world).flow(name, browser.id) if same_origin(http) else None
    return form, name, flow, browser


def _grouped(accounts: list[people.Account]) -> list[tuple[str, list[people.Account]]]:
    found: dict[str, list[people.Account]] = {}
    for account in accounts:
        found.setdefault(account.organisation, []).append(account)
    return list(found.items())


def same_origin(http: HttpRequest) -> bool:
    """Whether a form came from one of our own pages. Programs that send no `Origin` carry no one else's cookie."""
    sent = http.headers.get("origin")
    return sent is None or sent == origin.of(http)


async def parameters(http: HttpRequest) -> dict[str, str]:
    """The request's values, from the query or from a form; the first wins where one is repeated."""
    source: QueryParams | FormData = await http.form() if http.method == "POST" else http.query_params
    found: dict[str, str] = {}
    for name, value in source.multi_items():
        if isinstance(value, str):
            found.setdefault(name, value)
    return found
