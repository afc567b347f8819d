"""Every address of the identity side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.identity import (
    admin_consent,
    authority as authorities,
    controls,
    device_code,
    documents,
    first,
    origin,
    pages,
    redemption,
    signing_out,
    state,
    tokens,
)
from sandbox.identity.authority import Authority
from sandbox.identity.authorize import Endpoints
from sandbox.identity.azure import ResourceManager
from sandbox.identity.errors import Refusal
from sandbox.identity.faulty import faulty
from sandbox.identity.screens import parameters
from sandbox.world import World

ANYWHERE = {"Access-Control-Allow-Origin": "*"}


def routes(world: World) -> list[Route]:
    """Routes to put last: their first part is a tenant, so they would catch what others own."""
    views, api, azure = Endpoints(world), Api(world), ResourceManager(world)

    async def admin_v1(http: Request) -> Response:
        return await admin_consent.begin(world, http, v2=False)

    async def admin_v2(http: Request) -> Response:
        return await admin_consent.begin(world, http, v2=True)

    async def logout(http: Request) -> Response:
        return await signing_out.sign_out(world, http)

    async def logout_picked(http: Request) -> Response:
        return await signing_out.picked(world, http)

    found = [
        ("/common/discovery/instance", api.instance, "GET"),
        ("/metadata/endpoints", azure.endpoints, "GET"),
        ("/subscriptions", azure.subscriptions, "GET"),
        ("/tenants", azure.tenants, "GET"),
        ("/oidc/userinfo", api.userinfo, "GET POST"),
        ("/_signin/account", views.account, "POST"),
        ("/_signin/switch", views.switch, "POST"),
        ("/_signin/consent", views.decide, "POST"),
        ("/_signin/sign-out", logout_picked, "POST"),
        ("/{tenant}/v2.0/.well-known/openid-configuration", api.configuration, "GET"),
        ("/{tenant}/discovery/v2.0/keys", api.keys, "GET"),
        ("/{tenant}/oauth2/v2.0/authorize", views.authorize, "GET POST"),
        ("/{tenant}/oauth2/v2.0/token", api.token, "POST"),
        ("/{tenant}/oauth2/v2.0/devicecode", api.device_code, "POST"),
        (device_code.PAGE, views.device, "GET POST"),
        ("/{tenant}/oauth2/v2.0/logout", logout, "GET POST"),
        ("/{tenant}/.well-known/openid-configuration", api.first_configuration, "GET"),
        ("/{tenant}/discovery/keys", api.keys, "GET"),
        ("/{tenant}/oauth2/authorize", views.first_authorize, "GET POST"),
        ("/{tenant}/oauth2/token", api.first_token, "POST"),
        ("/{tenant}/oauth2/devicecode", api.first_device_code, "POST"),
        ("/{tenant}/oauth2/logout", logout, "GET POST"),
        ("/{tenant}/openid/userinfo", api.userinfo, "GET POST"),
        ("/{tenant}/adminconsent", admin_v1, "GET"),
        ("/{tenant}/v2.0/adminconsent", admin_v2, "GET"),
    ]
    controlled = [Route(path, view, methods=methods.split()) for path, view, methods in controls.endpoints(world)]
    return controlled + [Route(path, faulty(world, view), methods=methods.split()) for path, view, methods in found]


class Api:
    """What programs ask, for one world."""

    def __init__(self, world: World):
        self.world = world

    async def configuration(self, http: Request) -> Response:
        return self._document(http, documents.configuration)

    async def first_configuration(self, http: Request) -> Response:
        return self._document(http, documents.first_configuration)

    async def keys(self, http: Request) -> Response:
        keys = state.of(self.world).keys
        return self._document(http, lambda world, authority, own: keys.jwks(documents.key_issuer(world, authority)))

    def _document(self, http: Request, write: Callable[[World, Authority, str], Any]) -> Response:
        own = origin.login_host(http)
        try:
            authority = authorities.find(self.world, http.path_params["tenant"], own)
        except Refusal as refusal:
            return self.refused(http, refusal)
        return JSONResponse(write(self.world, authority, own), headers=ANYWHERE)

    async def instance(self, http: Request) -> Response:
        asked = http.query_params.get("authorization_endpoint", "")
        try:
            return JSONResponse(documents.instance(self.world, origin.login_host(http), asked), headers=ANYWHERE)
        except Refusal as refusal:
            return self.refused(http, refusal)

    async def token(self, http: Request) -> Response:
        try:
            return JSONResponse(self._redeemed(http, await parameters(http)), headers=pages.NO_STORE)
        except Refusal as refusal:
            return self.refused(http, refusal)

    async def first_token(self, http: Request) -> Response:
        form = await parameters(http)
        try:
            answer = self._redeemed(http, first.asked(form), first=True)
        except Refusal as refusal:
            return self.refused(http, refusal)
        return JSONResponse(first.answered(self.world, answer, form.get("resource", "")), headers=pages.NO_STORE)

    def _redeemed(self, http: Request, form: dict[str, str], *, first: bool = False) -> dict[str, Any]:
        authorization, own = http.headers.get("authorization"), origin.login_host(http)
        tenant = http.path_params["tenant"]
        return redemption.redeem(self.world, tenant, form, authorization=authorization, origin=own, first=first)

    async def device_code(self, http: Request) -> Response:
        return self._waiting(http, await parameters(http))

    async def first_device_code(self, http: Request) -> Response:
        return self._waiting(http, first.asked(await parameters(http)))

    def _waiting(self, http: Request, form: dict[str, str]) -> Response:
        try:
            found = device_code.ask(self.world, http.path_params["tenant"], form, origin.login_host(http))
        except Refusal as refusal:
            return self.refused(http, refusal)
        return JSONResponse(found, headers=pages.NO_STORE)

    async def userinfo(self, http: Request) -> Response:
        """`sub` is that of the client's ID tokens, not the Graph token's own: clients compare.

        https://learn.microsoft.com/entra/identity-platform/userinfo
        """
        bearer = http.headers.get("authorization", "")
        claims = tokens.read_access_token(self.world, bearer[7:]) if bearer[:7].lower() == "bearer " else None
        graph = self.world.cloud.graph_audience
        if claims is None or claims["aud"] != graph or "openid" not in claims.get("scp", "").split():
            body = {"error": {"code": "InvalidAuthenticationToken", "message": "Access token is empty or invalid."}}
            return JSONResponse(body, 401, headers={"WWW-Authenticate": "Bearer"})
        user = self.world.tenants[claims["tid"]].users.get(claims["oid"])
        found = {"sub": claims["xms_st"]["sub"], "name": claims.get("name")}
        if user is not None:
            found |= {"family_name": user.surname, "given_name": user.given_name, "email": user.mail}
            found["picture"] = f"{graph}/v1.0/me/photo/$value"
        return JSONResponse({name: value for name, value in found.items() if value}, headers=pages.NO_STORE)

    def refused(self, http: Request, refusal: Refusal) -> Response:
        correlation = http.headers.get("client-request-id") or http.query_params.get("client-request-id")
        body = refusal.described(self.world.clock.now(), correlation)
        headers = pages.NO_STORE | {"x-ms-request-id": body["trace_id"]}
        return JSONResponse(body, refusal.status, headers=headers)
