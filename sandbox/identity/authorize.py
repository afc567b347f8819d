"""The authorization endpoint and its pages: pick an account, consent, or ask an admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from sandbox.identity import admin_consent, consent, device_code, origin, pages, people, redirects, signing_in, state
from sandbox.identity.errors import Refusal
from sandbox.identity.signing_in import Answer, AskConsent, NeedsAdmin, Next, PickAccount, Request
from sandbox.identity.state import Browser, Flow

if TYPE_CHECKING:
    from sandbox.world import World

COOKIE = "sandbox_signin"


class Pages:
    """The views, for one world."""

    def __init__(self, world: World):
        self.world = world

    async def authorize(self, http: HttpRequest) -> Response:
        values = await parameters(http)
        own = origin.login_host(http)
        try:
            request = signing_in.read(self.world, http.path_params["tenant"], values, own)
        except Refusal as refusal:
            return self.refusal_page(refusal, http)
        browser = self.browser(http)
        flow = signing_in.start(request, browser)
        try:
            signing_in.check(request)
            first = signing_in.choose_silently(request, browser, flow)
            step = first or signing_in.proceed(request, browser, flow)
        except Refusal as refusal:
            return self.remembered(http, browser, self.refuse(request, refusal, http))
        name = state.of(self.world).start(flow)
        return self.remembered(http, browser, self.respond(request, browser, flow, name, step))

    async def account(self, http: HttpRequest) -> Response:
        """An account was clicked or typed."""
        form, name, flow, browser = await self.under_way(http)
        if flow is None:
            return self.lost(http)
        problem = signing_in.pick(self.world, browser, flow, str(form.get("account") or form.get("other") or ""))
        return self.remembered(http, browser, self.go_on(http, browser, flow, name, problem))

    async def device(self, http: HttpRequest) -> Response:
        """The page where the code that a program shows is typed."""
        values = {"title": "Enter code to allow access"}
        if http.method == "GET":
            return pages.show("device.html", values)
        form = await http.form()
        found = device_code.typed(self.world, str(form.get("otc", ""))) if same_origin(http) else None
        if found is None:
            values["problem"] = "That code didn't work. Check the code and try again."
            return pages.show("device.html", values, 400)
        browser = self.browser(http)
        flow = device_code.flow_for(self.world, found, browser.id)
        name = state.of(self.world).start(flow)
        return self.remembered(http, browser, self.go_on(http, browser, flow, name, PickAccount()))

    async def switch(self, http: HttpRequest) -> Response:
        """Use another account after all."""
        _form, _name, flow, browser = await self.under_way(http)
        if flow is None:
            return self.lost(http)
        flow = signing_in.again(flow)
        name = state.of(self.world).start(flow)
        return self.go_on(http, browser, flow, name, PickAccount())

    async def decide(self, http: HttpRequest) -> Response:
        """Consent was given or declined."""
        form, name, flow, browser = await self.under_way(http)
        if flow is None:
            return self.lost(http)
        try:
            if flow.kind == "adminconsent":
                return admin_consent.decided(self, http, browser, flow, form)
            request = self.request_of(flow, http)
            return self.decided(request, http, browser, flow, name, form)
        except Refusal as refusal:
            return self.refusal_page(refusal, http)

    def decided(
        self, request: Request, http: HttpRequest, browser: Browser, flow: Flow, name: str, form: Mapping[str, str]
    ) -> Response:
        if form.get("decision") != "accept" and flow.kind == "device":
            return self.device_page(flow, request.application.display_name, None)
        if form.get("decision") != "accept":
            code = 90094 if form.get("decision") == "return" else 65004
            text = signing_in.DECLINED if code == 65004 else "An admin must grant permission to this app."
            return self.refuse(request, Refusal(code, text), http)
        try:
            step = signing_in.proceed(request, browser, flow)
            if isinstance(step, AskConsent):
                everybody = step.admin and form.get("organization") == "yes"
                principal_id = None if everybody else step.user.id
                consent.give(self.world, step.tenant, request.application, step.ask, principal_id)
                step = signing_in.proceed(request, browser, flow, agreed=True)
        except Refusal as refusal:
            return self.refuse(request, refusal, http)
        return self.respond(request, browser, flow, name, step)

    # --- answering -------------------------------------------------------------------------------

    def go_on(
        self, http: HttpRequest, browser: Browser, flow: Flow, name: str, problem: PickAccount | None
    ) -> Response:
        try:
            if flow.kind == "adminconsent":
                return admin_consent.go_on(self, http, browser, flow, name, problem)
            request = self.request_of(flow, http)
        except Refusal as refusal:
            return self.refusal_page(refusal, http)
        try:
            step = problem or signing_in.proceed(request, browser, flow)
        except Refusal as refusal:
            return self.refuse(request, refusal, http)
        return self.respond(request, browser, flow, name, step)

    def respond(self, request: Request, browser: Browser, flow: Flow, name: str, step: Next) -> Response:
        application = request.application
        if isinstance(step, Answer):
            state.of(self.world).flows.pop(name, None)
            if flow.kind == "device":
                return self.device_page(flow, application.display_name, step)
            return redirects.answer(request.redirect_uri, step.values, request.mode)
        if isinstance(step, PickAccount):
            return self.picker(application.display_name, browser, name, step, request)
        if isinstance(step, NeedsAdmin):
            return self.approval_page(application, name, step)
        return self.consent_page(application, name, step, host=urlsplit(request.redirect_uri).netloc)

    def picker(
        self, app_name: str, browser: Browser, name: str, step: PickAccount, request: Request | None = None
    ) -> Response:
        present = [account for account, _ in signing_in.signed_in(self.world, browser)]
        here = {account.home_user_id for account in present}
        values = {
            "title": f"Sign in to {app_name}",
            "app_name": app_name,
            "flow": name,
            "again": step.again,
            "signed_in": present,
            "organisations": grouped([one for one in people.accounts(self.world) if one.home_user_id not in here]),
            "text": step.text,
            "problem": step.problem,
            "must_prove": bool(request and request.prompt == "login"),
        }
        return pages.show("pick_account.html", values, 400 if step.problem else 200)

    def consent_page(self, application, name: str, step: AskConsent, *, host: str, everybody: bool = False) -> Response:
        for_all = everybody or step.admin
        values = {
            "title": f"Permissions requested by {application.display_name}",
            "app": application,
            "host": host,
            "flow": name,
            "user": step.user,
            "organisation": step.tenant.name,
            "lines": consent.lines(self.world, step.tenant, step.ask, admin=for_all),
            "tick_box": step.admin and not everybody,
            "everybody": everybody,
        }
        return pages.show("consent.html", values)

    def approval_page(self, application, name: str, step: NeedsAdmin) -> Response:
        values = {
            "title": "Needs admin approval",
            "app": application,
            "flow": name,
            "user": step.user,
            "organisation": step.tenant.name,
            "lines": consent.lines(self.world, step.tenant, step.ask, admin=False),
        }
        return pages.show("approval.html", values)

    def device_page(self, flow: Flow, app_name: str, answer: Answer | None) -> Response:
        waited = device_code.finish(self.world, flow, answer)
        done = f"You have signed in to {app_name} on your device. You may now close this window."
        if answer is None:
            done = f"You did not sign in to {app_name}. You may now close this window."
        elif not waited:
            done = "Nothing waits for this code any more. Start again on your device."
        return pages.show("device.html", {"title": app_name, "done": done})

    def refuse(self, request: Request, refusal: Refusal, http: HttpRequest) -> Response:
        """Tell the application, or the person where the application must not be told."""
        if refusal.on_page or not request.redirect_uri:
            return self.refusal_page(refusal, http)
        values = signing_in.refused(request, refusal, request.values.get("client-request-id"))
        return redirects.answer(request.redirect_uri, values, request.mode)

    def refusal_page(self, refusal: Refusal, http: HttpRequest) -> Response:
        body = refusal.described(self.world.clock.now(), http.query_params.get("client-request-id"))
        values = {
            "title": "You can't get there from here",
            "code": f"AADSTS{refusal.code}",
            "text": refusal.text,
            "trace_id": body["trace_id"],
            "correlation_id": body["correlation_id"],
            "timestamp": body["timestamp"],
        }
        return pages.show("refusal.html", values, refusal.status)

    def lost(self, http: HttpRequest) -> Response:
        return self.refusal_page(
            Refusal(
                90013,
                "This page belongs to a sign-in that is over, or to another browser. Go back to the application and "
                "start again.",
                on_page=True,
            ),
            http,
        )

    # --- the browser -----------------------------------------------------------------------------

    def browser(self, http: HttpRequest) -> Browser:
        return state.of(self.world).browser(http.cookies.get(COOKIE))

    def remembered(self, http: HttpRequest, browser: Browser, response: Response) -> Response:
        if http.cookies.get(COOKIE) != browser.id:
            secure = origin.of(http).startswith("https:")
            response.set_cookie(COOKIE, browser.id, httponly=True, samesite="lax", secure=secure, path="/")
        return response

    async def under_way(self, http: HttpRequest) -> tuple[FormData, str, Flow | None, Browser]:
        """The form, and the flow it belongs to if that was started in this browser by a page of this origin."""
        form = await http.form()
        name = str(form.get("flow", ""))
        browser = self.browser(http)
        flow = state.of(self.world).flow(name, browser.id) if same_origin(http) else None
        return form, name, flow, browser

    def request_of(self, flow: Flow, http: HttpRequest) -> Request:
        if flow.kind == "device":
            return device_code.request_of(self.world, flow)
        return signing_in.read(self.world, flow.authority, flow.request, origin.login_host(http))


def grouped(accounts: list[people.Account]) -> list[tuple[str, list[people.Account]]]:
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
