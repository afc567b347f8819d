"""The authorization endpoint, and what a person answers on its screens: an account, consent, a device's code."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from sandbox.identity import (
    admin_consent,
    consent,
    device_code,
    first,
    origin,
    pages,
    redirects,
    screens,
    signing_in,
    state,
)
from sandbox.identity.errors import Refusal
from sandbox.identity.screens import browser_of, lost, parameters, refusal_page, refuse, remembered, same_origin
from sandbox.identity.signing_in import Answer, AskConsent, NeedsAdmin, Next, PickAccount, Request
from sandbox.identity.state import Browser, Flow
from sandbox.world import World


class Endpoints:
    """The views, for one world."""

    def __init__(self, world: World):
        self.world = world

    async def authorize(self, http: HttpRequest) -> Response:
        return self.begin(http, await parameters(http))

    async def first_authorize(self, http: HttpRequest) -> Response:
        return self.begin(http, first.asked(await parameters(http)))

    def begin(self, http: HttpRequest, values: dict[str, str]) -> Response:
        own = origin.login_host(http)
        try:
            request = signing_in.read(self.world, http.path_params["tenant"], values, own)
        except Refusal as refusal:
            return refusal_page(self.world, refusal, http)
        browser = browser_of(self.world, http)
        flow = signing_in.start(request, browser)
        try:
            signing_in.check(request)
            pick = signing_in.choose_silently(request, browser, flow)
            step = pick or signing_in.proceed(request, browser, flow)
        except Refusal as refusal:
            return remembered(http, browser, refuse(request, refusal, http))
        name = state.of(self.world).start(flow)
        return remembered(http, browser, self.respond(request, browser, flow, name, step))

    async def account(self, http: HttpRequest) -> Response:
        """An account was clicked or typed."""
        form, name, flow, browser = await screens.under_way(self.world, http)
        if flow is None:
            return lost(self.world, http)
        problem = signing_in.pick(self.world, browser, flow, str(form.get("account") or form.get("other") or ""))
        return remembered(http, browser, self.go_on(http, browser, flow, name, problem))

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
        browser = browser_of(self.world, http)
        flow = device_code.flow_for(self.world, found, browser.id)
        name = state.of(self.world).start(flow)
        return remembered(http, browser, self.go_on(http, browser, flow, name, PickAccount()))

    async def switch(self, http: HttpRequest) -> Response:
        """Use another account after all."""
        _form, _name, flow, browser = await screens.under_way(self.world, http)
        if flow is None:
            return lost(self.world, http)
        flow = signing_in.again(flow)
        name = state.of(self.world).start(flow)
        return self.go_on(http, browser, flow, name, PickAccount())

    async def decide(self, http: HttpRequest) -> Response:
        """Consent was given or declined."""
        form, name, flow, browser = await screens.under_way(self.world, http)
        if flow is None:
            return lost(self.world, http)
        try:
            if flow.kind == "adminconsent":
                return admin_consent.decided(self.world, http, browser, flow, form)
            request = self.request_of(flow, http)
            return self.decided(request, http, browser, flow, name, form)
        except Refusal as refusal:
            return refusal_page(self.world, refusal, http)

    def decided(
        self, request: Request, http: HttpRequest, browser: Browser, flow: Flow, name: str, form: Mapping[str, str]
    ) -> Response:
        if form.get("decision") != "accept" and flow.kind == "device":
            return self.device_page(flow, request.application.display_name, None)
        if form.get("decision") != "accept":
            code = 90094 if form.get("decision") == "return" else 65004
            text = signing_in.DECLINED if code == 65004 else "An admin must grant permission to this app."
            return refuse(request, Refusal(code, text), http)
        try:
            step = signing_in.proceed(request, browser, flow)
            if isinstance(step, AskConsent):
                everybody = step.admin and form.get("organization") == "yes"
                principal_id = None if everybody else step.user.id
                consent.give(self.world, step.tenant, request.application, step.ask, principal_id)
                step = signing_in.proceed(request, browser, flow, agreed=True)
        except Refusal as refusal:
            return refuse(request, refusal, http)
        return self.respond(request, browser, flow, name, step)

    # --- answering -------------------------------------------------------------------------------

    def go_on(
        self, http: HttpRequest, browser: Browser, flow: Flow, name: str, problem: PickAccount | None
    ) -> Response:
        try:
            if flow.kind == "adminconsent":
                return admin_consent.go_on(self.world, http, browser, flow, name, problem)
            request = self.request_of(flow, http)
        except Refusal as refusal:
            return refusal_page(self.world, refusal, http)
        try:
            step = problem or signing_in.proceed(request, browser, flow)
        except Refusal as refusal:
            return refuse(request, refusal, http)
        return self.respond(request, browser, flow, name, step)

    def respond(self, request: Request, browser: Browser, flow: Flow, name: str, step: Next) -> Response:
        app_name = request.application.display_name
        if isinstance(step, Answer):
            state.of(self.world).flows.pop(name, None)
            if flow.kind == "device":
                return self.device_page(flow, app_name, step)
            return redirects.answer(request.redirect_uri, step.values, request.mode)
        if isinstance(step, PickAccount):
            return screens.picker(self.world, app_name, browser, name, step, request)
        if isinstance(step, NeedsAdmin):
            return screens.approval_page(request, name, step)
        return screens.consent_page(request, name, step)

    def device_page(self, flow: Flow, app_name: str, answer: Answer | None) -> Response:
        waited = device_code.finish(self.world, flow, answer)
        done = f"You have signed in to {app_name} on your device. You may now close this window."
        if answer is None:
            done = f"You did not sign in to {app_name}. You may now close this window."
        elif not waited:
            done = "Nothing waits for this code any more. Start again on your device."
        return pages.show("device.html", {"title": app_name, "done": done})

    def request_of(self, flow: Flow, http: HttpRequest) -> Request:
        if flow.kind == "device":
            return device_code.request_of(self.world, flow)
        return signing_in.read(self.world, flow.authority, flow.request, origin.login_host(http))
