"""Signing in, as rules: who is meant, whether their credentials are fresh enough, and what comes next.

`proceed` looks at a flow and says what the browser should get: a page to pick an account, a page to consent, a code.
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#request-an-authorization-code
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sandbox.identity import (
    agents,
    authority as authorities,
    claims_request,
    consent,
    errors,
    people,
    redirects,
    scopes,
    state,
    tokens,
)
from sandbox.identity.authority import Authority
from sandbox.identity.errors import Refusal
from sandbox.identity.people import Account
from sandbox.identity.state import Browser, Code, Family, Flow, SignIn
from sandbox.objects import Application, User
from sandbox.world import Tenant, World

PROMPTS = ("login", "none", "consent", "select_account", "create")
SECONDS = re.compile(r"[0-9]{1,9}")
PERSISTENT = timedelta(days=90)


@dataclass
class PickAccount:
    """Nobody is chosen yet, or credentials must be given again."""

    again: Account | None = None  # the one who must give credentials again
    text: str = ""  # the sign-in name typed or hinted
    problem: str = ""


@dataclass
class AskConsent:
    tenant: Tenant
    user: User
    ask: consent.Ask
    admin: bool


@dataclass
class NeedsAdmin:
    tenant: Tenant
    user: User
    ask: consent.Ask


@dataclass
class Answer:
    """Values for the redirect URI."""

    values: dict[str, str | None]


Next = PickAccount | AskConsent | NeedsAdmin | Answer


@dataclass
class Request:
    """An authorization request whose client and redirect URI are known to be true."""

    world: World
    authority: Authority
    application: Application
    redirect_uri: str
    values: Mapping[str, str]

    @property
    def mode(self) -> str:
        """How answers travel: what was asked for, or the default of the response type."""
        asked = self.values.get("response_mode", "")
        fallback = "fragment" if "id_token" in self.values.get("response_type", "") else "query"
        return asked if asked in ("query", "fragment", "form_post") else fallback

    @property
    def prompt(self) -> str:
        return self.values.get("prompt", "")


def read(world: World, segment: str, values: Mapping[str, str], own_origin: str) -> Request:
    """Checks whose failure must not be sent to the redirect URI.

    Raises:
        Refusal: for a page: unknown tenant or application, missing client id, unregistered redirect URI.
    """
    authority = authorities.find(world, segment, own_origin)
    client_id = values.get("client_id")
    if not client_id:
        refusal = errors.missing("client_id")
        refusal.on_page = True
        raise refusal
    agent = agents.asking(authority.tenant, values)
    application = agents.stand_in(world, agent) if agent else world.application(client_id)
    if application is None:
        raise errors.no_application(client_id, authority.tenant.name if authority.tenant else "Microsoft Accounts")
    redirect_uri = redirects.require(application, values.get("redirect_uri"), own_origin)
    people.require_reach(application, authority)
    return Request(world, authority, application, redirect_uri, values)


def check(request: Request) -> None:
    """Checks whose failure the application is told at its redirect URI.

    Raises:
        Refusal
    """
    values = request.values
    response_type = values.get("response_type")
    if not response_type:
        raise errors.missing("response_type")
    if "token" in response_type:
        raise Refusal(
            700054,
            f"response_type '{response_type.split()[-1]}' is not enabled for the application.",
        )
    # Nobody signs in to an agent: a person may consent to it, and is sent back with nothing.
    # https://learn.microsoft.com/entra/agent-id/identity-platform/interactive-agent-authentication-authorization-flow
    if response_type != ("none" if request.application.agent_of else "code"):
        raise Refusal(700051, "The requested response type is not supported.", error="unsupported_response_type")
    if values.get("response_mode", "query") not in ("query", "fragment", "form_post"):
        raise Refusal(70007, f"'{values['response_mode']}' is not a supported value for 'response_mode'.")
    if not values.get("scope"):
        raise errors.missing("scope")
    if request.prompt and request.prompt not in PROMPTS:
        raise Refusal(90023, f"Unsupported 'prompt' value '{request.prompt}'.")
    if values.get("code_challenge_method", "plain") not in ("plain", "S256"):
        raise Refusal(501491, "Invalid 'code_challenge_method': it must be S256 or plain.")
    if (max_age := values.get("max_age")) and not SECONDS.fullmatch(max_age):
        raise Refusal(90013, "Invalid input received from the user: 'max_age' is not a number of seconds.")
    claims_request.read(values.get("claims"))
    scopes.not_mixed(scopes.read(request.world, values["scope"]))


def start(request: Request, browser: Browser) -> Flow:
    now = request.world.clock.now()
    flow = Flow(browser.id, request.authority.name, "authorize", dict(request.values), now)
    if request.prompt == "login":
        flow.fresh_since = now
    elif (max_age := request.values.get("max_age")) is not None and SECONDS.fullmatch(max_age):
        flow.fresh_since = now - timedelta(seconds=int(max_age))
    return flow


def signed_in(world: World, browser: Browser) -> list[tuple[Account, SignIn]]:
    """Who is signed in to this browser and still welcome. Sign-ins that were revoked meanwhile are dropped."""
    found = []
    for user_id, sign_in in list(browser.sign_ins.items()):
        account = _account(world, sign_in.home_tenant_id, user_id)
        if account is None or not _still_good(world, sign_in):
            del browser.sign_ins[user_id]
        else:
            found.append((account, sign_in))
    return found


def _account(world: World, home_tenant_id: str, user_id: str) -> Account | None:
    if home_tenant_id == people.PERSONAL.home_tenant_id:
        return people.PERSONAL
    user = people.home_user(world, home_tenant_id, user_id)
    return people.account_of(world.tenants[home_tenant_id], user) if user else None


def _still_good(world: World, sign_in: SignIn) -> bool:
    user = people.home_user(world, sign_in.home_tenant_id, sign_in.home_user_id)
    young = world.clock.now() - sign_in.at <= PERSISTENT
    return young and (user is None or (user.enabled and sign_in.at > user.valid_from))


def choose_silently(request: Request, browser: Browser, flow: Flow) -> PickAccount | None:
    """Take the signed-in account without asking, where there is exactly one that fits; otherwise say who to ask.

    Raises:
        Refusal: with prompt=none, 50058 nobody fits, 16000 several do.
    """
    world, values = request.world, request.values
    hint = values.get("login_hint", "")
    hinted = people.find_account(world, hint) if hint else None
    fitting = [one for one in signed_in(world, browser) if _fits(one[0], request, hint, hinted)]
    fresh = [one for one in fitting if flow.fresh_since is None or one[1].at >= flow.fresh_since]
    if request.prompt == "none":
        if not fresh:
            raise Refusal(50058, "A silent sign-in request was sent but no user is signed in.")
        if len(fresh) > 1:
            raise Refusal(16000, "Several user sessions are active; please choose an account to continue.")
    if len(fresh) == 1 and request.prompt not in ("select_account", "login", "create"):
        flow.home_user_id = fresh[0][0].home_user_id
        return None
    again = hinted or (fitting[0][0] if len(fitting) == 1 and request.prompt != "select_account" else None)
    return PickAccount(again=again, text="" if hinted else hint)


def _fits(account: Account, request: Request, hint: str, hinted: Account | None) -> bool:
    if hint:
        return hinted is not None and account.home_user_id == hinted.home_user_id
    domain = request.values.get("domain_hint", "")
    if domain == "consumers":
        return account.personal
    if domain == "organizations":
        return not account.personal
    return not domain or account.upn.lower().endswith("@" + domain.lower()) or account.home_tenant_id == domain


def pick(world: World, browser: Browser, flow: Flow, text: str) -> PickAccount | None:
    """Somebody was clicked or typed. Their sign-in in this browser counts if it is fresh enough; otherwise they give
    their credentials, which in the sandbox is the click itself.
    """
    account = people.find_account(world, text)
    if account is None:
        return PickAccount(text=text, problem="This sandbox has no account with that name.")
    home = people.home_user(world, account.home_tenant_id, account.home_user_id)
    if home is not None and not home.enabled:
        return PickAccount(
            text=text, problem="AADSTS50057: The user account is disabled. Ask your admin to switch it on again."
        )
    present = {one.home_user_id: sign_in for one, sign_in in signed_in(world, browser)}.get(account.home_user_id)
    if present is None or (flow.fresh_since is not None and present.at < flow.fresh_since):
        now = world.clock.now()
        if present is None:
            present = SignIn(account.home_tenant_id, account.home_user_id, now)
            browser.sign_ins[account.home_user_id] = present
        present.at = now
    flow.home_user_id = account.home_user_id
    return None


def proceed(request: Request, browser: Browser, flow: Flow, *, agreed: bool = False) -> Next:
    """What comes next for the account that was chosen.

    Raises:
        Refusal: the person may not sign in to this application here.
    """
    world, application = request.world, request.application
    present = {account.home_user_id: (account, one) for account, one in signed_in(world, browser)}
    if flow.home_user_id not in present:
        return PickAccount()
    account, sign_in = present[flow.home_user_id]
    tenant, user = people.landing(world, request.authority, account, application)
    _require_open(tenant, user, application)
    wanted = scopes.read(world, request.values["scope"])
    forced = request.prompt == "consent" and not agreed
    ask = consent.missing(world, tenant, application, user, wanted, all_=forced)
    if ask:
        return _consent_step(request, tenant, user, ask)
    if application.agent_of:
        return Answer({"state": request.values.get("state")})
    return Answer(_code(request, sign_in, tenant, user))


def _require_open(tenant: Tenant, user: User, application: Application) -> None:
    client = tenant.service_principal_for(application.app_id)
    if client is None:
        return
    if not client.enabled:
        raise errors.application_disabled(application.app_id, application.display_name)
    if client.assignment_required and not tenant.assigned(user.id, client.id):
        raise errors.not_assigned(application.app_id, application.display_name)


def _consent_step(request: Request, tenant: Tenant, user: User, ask: consent.Ask) -> Next:
    world, application = request.world, request.application
    if request.prompt == "none":
        refusal = errors.consent_required(application.app_id, application.display_name)
        refusal.error = "consent_required"
        raise refusal
    if not consent.may_consent(world, tenant, user, application, ask):
        return NeedsAdmin(tenant, user, ask)
    return AskConsent(tenant, user, ask, consent.is_admin(tenant, user))


def _code(request: Request, sign_in: SignIn, tenant: Tenant, user: User) -> dict[str, str | None]:
    world, application, values = request.world, request.application, request.values
    now: datetime = world.clock.now()
    tenant.instantiate(application)  # who needs no consent is brought in by the first sign-in
    claims = claims_request.read(values.get("claims"))
    family = Family(
        app_id=application.app_id,
        tenant_id=tenant.id,
        home_tenant_id=sign_in.home_tenant_id,
        home_user_id=sign_in.home_user_id,
        signed_in_at=sign_in.at,
        sid=sign_in.sid,
        nonce=values.get("nonce"),
        wanted=frozenset({"auth_time"} if "max_age" in values else ()),
        acrs=claims.contexts,
        issued_at=now,
    )
    challenge = values.get("code_challenge")
    value = state.of(world).issue_code(
        Code(
            family=family,
            authority=request.authority.name,
            redirect_uri=request.redirect_uri,
            scope=values["scope"],
            issued_at=now,
            challenge=challenge,
            challenge_method=values.get("code_challenge_method", "plain") if challenge else None,
        )
    )
    sign_in.used[application.app_id, tenant.id, redirects.origin_of(request.redirect_uri)] = None
    user.last_sign_in = now
    return {
        "code": value,
        "client_info": tokens.client_info(family) if values.get("client_info") == "1" else None,
        "state": values.get("state"),
        "session_state": sign_in.sid,
    }


def refused(request: Request, refusal: Refusal, correlation_id: str | None = None) -> dict[str, str | None]:
    """A refusal as values for the redirect URI."""
    body = refusal.described(request.world.clock.now(), correlation_id or str(uuid.uuid4()))
    return {
        "error": body["error"],
        "error_description": body["error_description"],
        "error_uri": body["error_uri"],
        "error_subcode": "cancel" if refusal.code == 65004 else None,
        "state": request.values.get("state"),
    }


def again(flow: Flow) -> Flow:
    """The same request for another account."""
    return replace(flow, home_user_id=None)


DECLINED = "User declined to consent to access the app."
