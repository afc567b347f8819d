"""Admin consent: an admin lets an application into the tenant, for everybody at once.

Two forms: `/adminconsent` takes all that the registration lists, `/v2.0/adminconsent` names scopes.
https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from sandbox.identity import consent, errors, origin, people, redirects, scopes, screens, signing_in, state
from sandbox.identity.errors import Refusal
from sandbox.identity.scopes import OIDC
from sandbox.identity.signing_in import AskConsent, NeedsAdmin, PickAccount, Request
from sandbox.identity.state import Browser, Flow
from sandbox.objects import User
from sandbox.world import Tenant, World


async def begin(world: World, http: HttpRequest, *, v2: bool) -> Response:
    values = dict(http.query_params) | {"form": "v2" if v2 else "v1"}
    try:
        request = signing_in.read(world, http.path_params["tenant"], values, origin.login_host(http))
    except Refusal as refusal:
        return screens.refusal_page(world, refusal, http)
    browser = screens.browser_of(world, http)
    if v2 and not values.get("scope"):
        return screens.remembered(http, browser, refused(request, errors.missing("scope")))
    flow = Flow(browser.id, request.authority.name, "adminconsent", values, world.clock.now())
    name = state.of(world).start(flow)
    # An admin always chooses whom to act as: consenting as the wrong account is too costly to be silent about.
    step = PickAccount()
    return screens.remembered(
        http, browser, screens.picker(world, request.application.display_name, browser, name, step)
    )


def go_on(
    world: World, http: HttpRequest, browser: Browser, flow: Flow, name: str, problem: PickAccount | None
) -> Response:
    """The next page for the account that was chosen."""
    request = _request_of(world, flow, http)
    if problem or not _account(world, browser, flow):
        return screens.picker(world, request.application.display_name, browser, name, problem or PickAccount())
    tenant, user, ask = _wanted(request, browser, flow)
    if not consent.is_admin(tenant, user, ask):
        return screens.approval_page(request, name, NeedsAdmin(tenant, user, ask))
    return screens.consent_page(request, name, AskConsent(tenant, user, ask, True), everybody=True)


def decided(world: World, http: HttpRequest, browser: Browser, flow: Flow, form: Mapping[str, str]) -> Response:
    """Write the consent down, or tell the application that there is none."""
    request = _request_of(world, flow, http)
    if form.get("decision") == "return":
        return refused(
            request, Refusal(90094, "An admin must grant permission to this app.", error="permission_denied")
        )
    if form.get("decision") != "accept":
        return refused(request, Refusal(65004, signing_in.DECLINED))
    if not _account(world, browser, flow):
        return screens.lost(world, http)
    tenant, user, ask = _wanted(request, browser, flow)
    if not consent.is_admin(tenant, user, ask):
        return refused(
            request, Refusal(90094, "An admin must grant permission to this app.", error="permission_denied")
        )
    consent.give(world, tenant, request.application, ask, None)
    answer = {"admin_consent": "True", "tenant": tenant.id, "state": flow.request.get("state")}
    if flow.request["form"] == "v2":
        answer["scope"] = _granted(request, ask)
    return redirects.answer(request.redirect_uri, answer)


def refused(request: Request, refusal: Refusal) -> Response:
    values = signing_in.refused(request, refusal)
    if request.values["form"] == "v2":
        values["admin_consent"] = "True"
        values["tenant"] = request.authority.tenant.id if request.authority.tenant else None
    return redirects.answer(request.redirect_uri, values)


def _request_of(world: World, flow: Flow, http: HttpRequest) -> Request:
    return signing_in.read(world, flow.authority, flow.request, origin.login_host(http))


def _account(world: World, browser: Browser, flow: Flow) -> people.Account | None:
    present = {account.home_user_id: account for account, _ in signing_in.signed_in(world, browser)}
    return present.get(flow.home_user_id or "")


def _wanted(request: Request, browser: Browser, flow: Flow) -> tuple[Tenant, User, consent.Ask]:
    """Where, by whom, and what.

    Raises:
        Refusal: the account has no business in that tenant, or something asked for does not exist.
    """
    world, application = request.world, request.application
    account = _account(world, browser, flow)
    tenant, user = people.landing(world, request.authority, account, application)
    if (client := tenant.service_principal_for(application.app_id)) and not client.enabled:
        raise errors.application_disabled(application.app_id, application.display_name)
    if request.values["form"] == "v1":
        return tenant, user, consent.everything(world, tenant, application)
    wanted = scopes.read(world, request.values["scope"])
    scopes.not_mixed(wanted)
    if wanted.default:
        return tenant, user, consent.everything(world, tenant, application)
    return tenant, user, consent.missing(world, tenant, application, user, wanted, all_=True)


def _granted(request: Request, ask: consent.Ask) -> str:
    wanted = scopes.read(request.world, request.values["scope"])
    found = []
    for resource, values in ask.scopes.items():
        found += [one for one in values if one in OIDC]
        found += wanted.spelt(resource, (one for one in values if one not in OIDC))
    return " ".join(found)
