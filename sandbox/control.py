"""The sandbox's own controls under `/_sandbox/`: look into the world, move its clock, make it misbehave.

Answers loopback only. Everything is JSON; an unknown name in a body is refused, so that a misspelt fault is noticed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.faults import Fault
from sandbox.identity.origin import from_loopback
from sandbox.objects import GRAPH_APP_ID, ROLE_IDS, ROLE_NAMES, Application
from sandbox.tenant import Tenant
from sandbox.world import Received, World

SECRET = ("secret", "password", "token", "assertion", "code", "client_info", "refresh")
LISTED_USERS = 1_000


class BadControl(Exception):
    """The control request makes no sense; nothing was changed."""


def routes(world: World) -> list[BaseRoute]:
    return Controls(world).routes()


class Controls:
    def __init__(self, world: World):
        self.world = world

    def routes(self) -> list[BaseRoute]:
        posts = {
            "faults": self.faults,
            "clock": self.clock,
            "delta": self.delta,
            "lag": self.lag,
            "latency": self.latency,
            "readings": self.readings,
            "quota": self.quota,
            "reset": self.reset,
            "world": self.change,
        }
        gets = {"requests": self.requests, "world": self.describe, "faults": self.show_faults, "quota": self.show_quota}
        found = [self._route(name, "POST", action) for name, action in posts.items()]
        return found + [self._route(name, "GET", action) for name, action in gets.items()]

    def _route(self, name: str, method: str, action: Callable[[dict], Any]) -> Route:
        async def endpoint(request: Request) -> Response:
            if not from_loopback(request):
                return JSONResponse({"error": "the controls answer this machine only"}, 403)
            if request.headers.get("origin") or not _named_as_this_machine(request):
                return JSONResponse({"error": "the controls answer programs, and no page of any site"}, 403)
            try:
                given = dict(request.query_params) if method == "GET" else await _body(request)
                return JSONResponse(action(given))
            except (BadControl, TypeError, ValueError, KeyError) as error:
                return JSONResponse({"error": str(error)}, 400)

        return Route(f"/_sandbox/{name}", endpoint, methods=[method])

    # --- how it behaves ----------------------------------------------------------------------------

    def faults(self, given: dict) -> dict:
        """`{"rules": [...]}` replaces all rules; `sandbox.faults.Fault` names the fields."""
        rules = given.get("rules", given if isinstance(given, list) else [])
        self.world.faults.set(rules)
        return self.show_faults({})

    def show_faults(self, given: dict) -> dict:
        return {"rules": [_fault(rule) for rule in self.world.faults.rules]}

    def clock(self, given: dict) -> dict:
        """`{"advance": seconds}`, `{"set": "2026-08-22T12:00:00Z"}` or `{"reset": true}`."""
        clock = self.world.clock
        _only(given, "advance", "set", "reset")
        if given.get("reset"):
            clock.reset()
        if "set" in given:
            moment = datetime.fromisoformat(given["set"])
            if moment.tzinfo is None:
                raise BadControl("a moment needs its zone, such as 2026-08-22T12:00:00Z")
            clock.set(moment)
        if "advance" in given:
            clock.advance(float(given["advance"]))
        return {"now": clock.now().isoformat(), "offset": clock.offset.total_seconds()}

    def lag(self, given: dict) -> dict:
        """`{"seconds": 5}`: how far app-only readers are behind. `{"incomplete_grants": true}`: the tenant-wide grant
        list leaves rows out unless it is asked for with ConsistencyLevel and $count. `{"omitted_grants": 7}`: it leaves
        every seventh out however it is asked for, and `"omitted_are_counted": false` even `$count` does not know of
        them. `{"consent_seconds": 20}`: until an application permission that is given from now on is seen, in tokens
        and in lists."""
        _only(given, "seconds", "incomplete_grants", "omitted_grants", "omitted_are_counted", "consent_seconds")
        if "omitted_grants" in given:
            self.world.omitted_grants = int(given["omitted_grants"])
        if "omitted_are_counted" in given:
            self.world.omitted_are_counted = bool(given["omitted_are_counted"])
        if "seconds" in given:
            self.world.lag_seconds = float(given["seconds"])
        if "incomplete_grants" in given:
            self.world.incomplete_grants = bool(given["incomplete_grants"])
        if "consent_seconds" in given:
            self.world.set_consent_lag(float(given["consent_seconds"]))
        return {
            "seconds": self.world.lag_seconds,
            "incomplete_grants": self.world.incomplete_grants,
            "omitted_grants": self.world.omitted_grants,
            "omitted_are_counted": self.world.omitted_are_counted,
            "consent_seconds": self.world.consent_lag_seconds,
        }

    def delta(self, given: dict) -> dict:
        """`sandbox.delta_ways` names the switches; `{"reset": true}` makes every token worthless."""
        self.world.delta.configure(given)
        return self.world.delta.settings()

    def readings(self, given: dict) -> dict:
        """`{"agents_need_their_own": false}`: which of two pages of Microsoft's is right about who writes to agents."""
        _only(given, "agents_need_their_own")
        if "agents_need_their_own" in given:
            self.world.agents_need_their_own = bool(given["agents_need_their_own"])
        return {"agents_need_their_own": self.world.agents_need_their_own}

    def latency(self, given: dict) -> dict:
        """`{"ms": 80}`: how long every Graph request takes; a whole batch takes it once."""
        _only(given, "ms")
        self.world.latency_ms = float(given.get("ms", 0))
        return {"ms": self.world.latency_ms}

    def quota(self, given: dict) -> dict:
        """`{"reading": "window"}` or `"bucket"`, see `sandbox.quota`. Switches `enabled` and `count_reads`; limits as
        `{"writes_per_app_and_tenant": {"amount": 5, "seconds": 2}}`; `{"clear": true}` forgets what was used."""
        self.world.quota.configure(given)
        return self.show_quota({})

    def show_quota(self, given: dict) -> dict:
        return self.world.quota.settings()

    def reset(self, given: dict) -> dict:
        self.world.reset()
        return {"reset": True}

    # --- what was received -------------------------------------------------------------------------

    def requests(self, given: dict) -> dict:
        """Oldest first. `?last=N` for the newest N only."""
        entries = list(self.world.log.entries)
        if "last" in given:
            entries = entries[-int(given["last"]) :]
        return {"requests": [_received(one) for one in entries]}

    # --- the world ---------------------------------------------------------------------------------

    def describe(self, given: dict) -> dict:
        """Tenants with their people, applications with their credentials. Of a large tenant a thousand people."""
        world = self.world
        return {
            "tenants": [self._tenant(tenant) for tenant in world.tenants.values()],
            "applications": [self._application(one) for one in world.applications.values() if _worth_listing(one)],
        }

    def _tenant(self, tenant: Tenant) -> dict:
        users = list(tenant.users.values())[:LISTED_USERS]
        return {
            "id": tenant.id,
            "domain": tenant.domain,
            "name": tenant.name,
            "user_consent": tenant.user_consent,
            "counts": {
                "users": len(tenant.users),
                "service_principals": len(tenant.service_principals),
                "grants": len(tenant.grants),
                "assignments": len(tenant.assignments),
                "deleted_service_principals": len(tenant.deleted_service_principals),
            },
            "users": [
                {
                    "id": user.id,
                    "upn": user.upn,
                    "userPrincipalName": user.upn,
                    "displayName": user.display_name,
                    "roles": [ROLE_NAMES.get(role, role) for role in tenant.directory_roles_of(user.id)],
                    "enabled": user.enabled,
                    "guest": user.guest,
                }
                for user in users
            ],
            "groups": [{"id": group.id, "displayName": group.display_name} for group in tenant.groups.values()],
        }

    def _application(self, application: Application) -> dict:
        granted = {}
        for tenant in self.world.tenants.values():
            if principal := tenant.service_principal_for(application.app_id):
                granted[tenant.id] = {
                    "service_principal_id": principal.id,
                    "enabled": principal.enabled,
                    "application": [
                        role.value
                        for one in tenant.assignments_of(principal.id)
                        if (resource := tenant.service_principals.get(one.resource_id))
                        and (role := resource.app_role(one.app_role_id))
                    ],
                    "delegated": sorted(
                        {
                            scope
                            for grant in tenant.grants_of_client(principal.id)
                            if grant.principal_id is None
                            for scope in grant.scopes
                        }
                    ),
                    "people": sum(1 for grant in tenant.grants_of_client(principal.id) if grant.principal_id),
                }
        return {
            "client_id": application.app_id,
            "name": application.display_name,
            "secret": application.secrets[0] if application.secrets else None,
            "redirect_uris": application.redirect_uris,
            "public_client": application.public_client,
            "slug": application.slug or None,
            "home_tenant": application.home_tenant_id,
            "scopes": application.wanted().scopes,
            "roles": application.wanted().roles,
            "granted": granted,
        }

    def change(self, given: dict) -> dict:
        """One change, made behind everybody's back: `{"tenant": ..., "do": "disable_user", "user": ...}`.

        `do` is one of delete_user, restore_user, disable_user, enable_user, revoke_sessions, set_roles (`roles`),
        delete_app, restore_app, purge_app, disable_app, enable_app (`app`: client id or object id), install_app,
        consent (`app`, `user` or none for everybody, `scopes`), withdraw (`app`, `user` or none),
        assign and unassign (`app`, `user`), recover (`changes`: what a recovery job of Microsoft's does, of which no
        delta tells), user_consent (`value`: all, low or none), registration (`app`: client id, and what it becomes:
        `multi_tenant`, `group_membership_claims`, `optional_claims`, `certificates` as PEM texts).
        """
        tenant = self.world.tenant(given["tenant"])
        if tenant is None:
            raise BadControl(f"there is no tenant {given['tenant']!r}")
        changes: dict[str, Callable[[Tenant, dict], Any]] = {
            "delete_user": lambda tenant, given: tenant.delete_user(_user(tenant, given)),
            "restore_user": lambda tenant, given: tenant.restore_user(given["user"]),
            "disable_user": lambda tenant, given: tenant.disable_user(_user(tenant, given)),
            "enable_user": lambda tenant, given: tenant.enable_user(_user(tenant, given)),
            "revoke_sessions": lambda tenant, given: tenant.revoke_sessions(_user(tenant, given)),
            "set_roles": _set_roles,
            "delete_app": lambda tenant, given: tenant.delete_service_principal(_app(tenant, given)),
            "restore_app": lambda tenant, given: tenant.restore_service_principal(_deleted_app(tenant, given)),
            "purge_app": lambda tenant, given: tenant.purge_service_principal(_deleted_app(tenant, given)),
            "disable_app": lambda tenant, given: tenant.update_service_principal(_app(tenant, given), enabled=False),
            "enable_app": lambda tenant, given: tenant.update_service_principal(_app(tenant, given), enabled=True),
            "install_app": lambda tenant, given: tenant.instantiate(self.world.applications[given["app"]]),
            "consent": _consent,
            "withdraw": _withdraw,
            "user_consent": _user_consent,
            "assign": lambda tenant, given: tenant.assign(_user(tenant, given), "User", _app(tenant, given)),
            "unassign": _unassign,
            "recover": self._recover,
            "registration": self._registration,
        }
        if given.get("do") not in changes:
            raise BadControl(f"`do` must be one of {', '.join(changes)}")
        made = changes[given["do"]](tenant, given)
        return {"done": given["do"], "id": getattr(made, "id", None)}

    def _recover(self, tenant: Tenant, given: dict) -> None:
        """https://learn.microsoft.com/entra/backup/overview"""
        tenant.silent = True
        try:
            for one in given["changes"]:
                self.change({**one, "tenant": tenant.id})
        finally:
            tenant.silent = False
        tenant.audit.recovered(len(given["changes"]))

    def _registration(self, _tenant: Tenant, given: dict) -> None:
        """What an owner changes about a registration in its home tenant. It counts from the next sign-in on."""
        changes = {name: value for name, value in given.items() if name not in ("tenant", "do", "app")}
        _only(changes, "multi_tenant", "group_membership_claims", "optional_claims", "certificates")
        application = self.world.applications.get(given["app"])
        if application is None:
            raise BadControl(f"there is no registration {given['app']!r}")
        for name, value in changes.items():
            setattr(application, name, value)


def _named_as_this_machine(request: Request) -> bool:
    """A page of another site reaches this port under a name of its own, or sends its origin along."""
    return (request.url.hostname or "") in ("127.0.0.1", "localhost", "::1")


async def _body(request: Request) -> Any:
    raw = await request.body()
    try:
        return json.loads(raw) if raw.strip() else {}
    except ValueError:
        raise BadControl("the body is no JSON") from None


def _only(given: dict, *names: str) -> None:
    if unknown := set(given) - set(names):
        raise BadControl(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(names)}")


def _fault(rule: Fault) -> dict:
    return {name: getattr(rule, name) for name in Fault.__dataclass_fields__}


def _received(one: Received) -> dict:
    return {
        "time": one.time.isoformat(),
        "method": one.method,
        "path": one.path,
        "query": one.query,
        "tenant": one.tenant,
        "app": one.app,
        "status": one.status,
        "in_batch": one.in_batch,
        "body": without_secrets(one.body),
    }


def without_secrets(body: Any) -> Any:
    """The same, with what must not be read again left out."""
    if isinstance(body, dict):
        return {
            name: "(left out)" if any(word in str(name).lower() for word in SECRET) else without_secrets(value)
            for name, value in body.items()
        }
    if isinstance(body, list):
        return [without_secrets(one) for one in body]
    return body


def _worth_listing(application: Application) -> bool:
    """Not the thousands that only fill the directory."""
    return bool(application.secrets or application.scopes or application.app_roles or application.public_client)


def _user(tenant: Tenant, given: dict) -> str:
    found = tenant.user(given["user"])
    if found is None:
        raise BadControl(f"there is no user {given['user']!r}")
    return found.id


def _app(tenant: Tenant, given: dict) -> str:
    found = tenant.service_principal_for(given["app"]) or tenant.service_principals.get(given["app"])
    if found is None:
        raise BadControl(f"there is no app {given['app']!r}")
    return found.id


def _deleted_app(tenant: Tenant, given: dict) -> str:
    for one in tenant.deleted_service_principals.values():
        if given["app"] in (one.id, one.app_id):
            return one.id
    raise BadControl(f"there is no deleted app {given['app']!r}")


def _set_roles(tenant: Tenant, given: dict) -> Any:
    return tenant.update_user(_user(tenant, given), role_template_ids=[ROLE_IDS[name] for name in given["roles"]])


def _consent(tenant: Tenant, given: dict) -> Any:
    resource = tenant.service_principal_for(given.get("resource", GRAPH_APP_ID))
    person = _user(tenant, given) if given.get("user") else None
    return tenant.add_scopes(_app(tenant, given), resource.id, person, given["scopes"])


def _withdraw(tenant: Tenant, given: dict) -> None:
    person = _user(tenant, given) if given.get("user") else None
    for grant in tenant.grants_of_client(_app(tenant, given)):
        if grant.principal_id == person:
            tenant.delete_grant(grant.id)


def _user_consent(tenant: Tenant, given: dict) -> None:
    if given["value"] not in ("all", "low", "none"):
        raise BadControl("value must be all, low or none")
    tenant.user_consent = given["value"]


def _unassign(tenant: Tenant, given: dict) -> None:
    user, app = _user(tenant, given), _app(tenant, given)
    for one in tenant.assignments_of(user):
        if one.resource_id == app:
            tenant.unassign(one.id)
