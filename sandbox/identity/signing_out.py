"""Single sign-out: the browser forgets an account, and every app used with it is told, in hidden frames.

Refresh tokens and access tokens survive this, as they do at Entra.
https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#send-a-sign-out-request
"""

from __future__ import annotations

from urllib.parse import urlencode, urljoin, urlsplit

import jwt
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from sandbox.identity import (
    authority as authorities,
    origin,
    pages,
    people,
    redirects,
    screens,
    signing_in,
    state,
)
from sandbox.identity.errors import Refusal
from sandbox.identity.people import Account
from sandbox.identity.state import Browser, Flow, SignIn
from sandbox.world import World


async def sign_out(world: World, http: HttpRequest) -> Response:
    """End one account's session in this browser; asks which when it cannot tell."""
    values = await screens.parameters(http)
    try:
        authorities.find(world, http.path_params["tenant"], origin.login_host(http))
    except Refusal as refusal:
        return screens.refusal_page(world, refusal, http)
    browser = screens.browser_of(world, http)
    present = signing_in.signed_in(world, browser)
    meant = _meant(world, present, values)
    if meant is None and len(present) > 1:
        request = {"tenant": http.path_params["tenant"]} | values
        name = state.of(world).start(Flow(browser.id, "common", "logout", request, world.clock.now()))
        return _which(name, [account for account, _ in present])
    return _signed_out(world, http, browser, meant or (present[0][1] if present else None), values)


async def picked(world: World, http: HttpRequest) -> Response:
    """Which account to sign out was clicked."""
    form = await http.form()
    browser = screens.browser_of(world, http)
    flow = state.of(world).flow(str(form.get("flow", "")), browser.id) if screens.same_origin(http) else None
    if flow is None or flow.kind != "logout":
        return screens.lost(world, http)
    chosen = browser.sign_ins.get(str(form.get("account", "")))
    return _signed_out(world, http, browser, chosen, flow.request)


def _which(name: str, accounts: list[Account]) -> Response:
    values = {"title": "Which account do you want to sign out of?", "flow": name, "accounts": accounts}
    return pages.show("pick_sign_out.html", values)


def _meant(world: World, present: list[tuple[Account, SignIn]], values: dict[str, str]) -> SignIn | None:
    hint = values.get("logout_hint", "")
    hinted_sid = _sid_of(values.get("id_token_hint"))
    for account, sign_in in present:
        if hint and hint.lower() in (people.login_hint(account).lower(), account.upn.lower()):
            return sign_in
        if sign_in.sid in (hinted_sid, values.get("sid")):
            return sign_in
    return None


def _sid_of(id_token: str | None) -> str | None:
    try:
        claims = jwt.decode(id_token, options={"verify_signature": False}) if id_token else {}
    except jwt.InvalidTokenError:
        return None
    return claims.get("sid")


def _signed_out(
    world: World, http: HttpRequest, browser: Browser, sign_in: SignIn | None, values: dict[str, str]
) -> Response:
    frames = _notices(world, sign_in) if sign_in else []
    if sign_in:
        browser.sign_ins.pop(sign_in.home_user_id, None)
    target = _return_address(world, values.get("post_logout_redirect_uri"), origin.login_host(http))
    if target and (given := values.get("state")):
        target += ("&" if urlsplit(target).query else "?") + urlencode({"state": given})
    shown = {"title": "You signed out of your account", "frames": frames, "target": target or ""}
    sources = sorted({redirects.origin_of(one) for one in frames})
    return pages.show("signed_out.html", shown, frames=sources)


def _notices(world: World, sign_in: SignIn) -> list[str]:
    """The front-channel address of every app used in the session, naming it by `sid` alone.

    https://github.com/nginxinc/nginx-openid-connect/issues/117: Entra sends no `iss`.
    """
    found = []
    for app_id, _tenant_id, reached_at in sign_in.used:
        application = world.application(app_id)
        if application is None or not application.logout_url:
            continue
        parts = urlsplit(application.logout_url)
        url = application.logout_url
        if not parts.netloc or application.any_loopback_port:
            # An app made for this machine runs at whatever address it was reached by.
            url = urljoin(reached_at, parts.path)
        found.append(f"{url}?{urlencode({'sid': sign_in.sid})}")
    return found


def _return_address(world: World, uri: str | None, own_origin: str) -> str | None:
    """Only addresses that some application registered: anything else ends on our own page."""
    if not uri:
        return None
    known = any(redirects.registered(one, uri, own_origin) for one in world.applications.values())
    return uri if known else None
