"""Admin consent: an admin lets an application into the tenant, for everybody at once.

Two forms: `/adminconsent` takes all that the registration lists, `/v2.0/adminconsent` names scopes.
https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from sandbox.identity import consent, errors, origin, people, redirects, scopes, signing_in, state
from sandbox.identity.errors import Refusal
from sandbox.identity.scopes import OIDC
from sandbox.identity.signing_in import AskConsent, NeedsAdmin, PickAccount, Request
from sandbox.identity.state import Browser, Flow
from sandbox.objects import User

if TYPE_CHECKING:
    from sandbox.identity.authorize import Pages
    from sandbox.world import Tenant


async def begin(pages: Pages, http: HttpRequest, *, v2: bool) -> Response:
    values = dict(http.query_params) | {"form": "v2" if v2 else "v1"}
    try:
        request = signing_in.read(pages.world, http.path_params["tenant"], values, origin.login_host(http))
    except Refusal as refusal:
        return pages.refusal_page(refusal, http)
    browser = pages.browser(http)
    if v2 and not values.get("scope"):
        return pages.remembered(http, browser, refused(request, errors.missing("scope")))
    flow = Flow(browser.id, request.authority.name, "adminconsent", values, pages.world.clock.now())
    name = state.of(pages.world).start(flow)
    # An admin always chooses whom to act as: consenting as the wrong account is too costly to be silent about.
    step = PickAccount()
    return pages.remembered(http, browser, pages.picker(request.application.display_name, browser, name, step))


def go_on(
    pages: Pages, http: HttpRequest, browser: Browser, flow: Flow, name: str, problem: PickAccount | None
) -> Response:
    """The next page for the account that was chosen."""
    request = pages.request_of(flow, http)
    application = request.application
    if problem or not _account(pages, browser, flow):
        return pages.picker(application.display_name, browser, name, problem or PickAccount())
    tenant, user, ask = _wanted(pages, request, browser, flow)
    if not consent.is_admin(tenant, user, ask):
        return pages.approval_page(application, name, NeedsAdmin(tenant, user, ask))
    host = urlsplit(request.redirect_uri).netloc
    return pages.consent_page(application, name, AskConsent(tenant, user, ask, True), host=host, everybody=True)


def decided(pages: Pages, http: HttpRequest, browser: Browser, flow: Flow, form: Mapping[str, str]) -> Response:
    """Write the consent down, or tell the application that there is none."""
    request = pages.request_of(flow, http)
    if form.get("decision") == "return":
        return refused(
            request, Refusal(90094, "An admin must grant permission to this app.", error="permission_denied")
        )
    if form.get("decision") != "accept":
        return refused(request, Refusal(65004, signing_in.DECLINED))
    if not _account(pages, browser, flow):
        return pages.lost(http)
    tenant, user, ask = _wanted(pages, request, browser, flow)
    if not consent.is_admin(tenant, user, ask):
        return refused(
            request, Refusal(90094, "An admin must grant permission to this app.", error="permission_denied")
        )
    consent.give(pages.world, tenant, request.application, ask, None)
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


def _account(pages: Pages, browser: Browser, flow: Flow) -> people.Account | None:
    present = {account.home_user_id: account for account, _ in signing_in.signed_in(pages.world, browser)}
    return present.get(flow.home_user_id or "")


def _wanted(pages: Pages, request: Request, browser: Browser, flow: Flow) -> tuple[Tenant, User, consent.Ask]:
    """Where, by whom, and what.

    Raises:
        Refusal: the account has no business in that tenant, or something asked for does not exist.
    """
    world, application = pages.world, request.application
    account = _account(pages, browser, flow)
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
