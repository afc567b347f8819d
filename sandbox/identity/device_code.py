"""Signing in on another device: a program shows a code, a person types it into a browser, the program gets tokens.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.identity import authority as authorities, errors, people, scopes, state
from sandbox.identity.errors import Refusal
from sandbox.identity.signing_in import Answer, Request
from sandbox.identity.state import Family, Flow
from sandbox.world import World

PAGE = "/common/oauth2/deviceauth"
LIFETIME = timedelta(seconds=900)
INTERVAL = 5
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that look alike


@dataclass
class Device:
    """A program that waits. `family` is there once its person has signed in."""

    user_code: str
    app_id: str
    authority: str
    scope: str
    started: datetime
    family: Family | None = None
    declined: bool = False


def ask(world: World, segment: str, form: Mapping[str, str], origin: str) -> dict[str, Any]:
    """What a program is told: the code to show, where to type it, and what to poll with.

    Raises:
        Refusal: unknown tenant, client or scope.
    """
    authority = authorities.find(world, segment, origin)
    for name in ("client_id", "scope"):
        if not form.get(name):
            raise errors.missing(name)
    application = world.application(form["client_id"])
    if application is None:
        raise errors.no_application(form["client_id"], authority.tenant.name if authority.tenant else authority.name)
    people.require_reach(application, authority)
    scopes.not_mixed(scopes.read(world, form["scope"], own_origin=origin))
    user_code = "".join(secrets.choice(LETTERS) for _ in range(9))
    device_code = secrets.token_urlsafe(64)
    made = Device(user_code, application.app_id, authority.name, form["scope"], world.clock.now())
    state.of(world).remember_device(device_code, made)
    page = origin + PAGE
    return {
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": page,
        "expires_in": int(LIFETIME.total_seconds()),
        "interval": INTERVAL,
        "message": f"To sign in, use a web browser to open the page {page} and enter the code {user_code} to "
        "authenticate.",
    }


def typed(world: World, text: str) -> Device | None:
    """The program that shows this code and still waits."""
    code = text.strip().replace("-", "").upper()
    waiting = (one for one in state.of(world).devices.values() if one.user_code == code)
    found = next(waiting, None)
    if found is None or found.family or found.declined or world.clock.now() - found.started > LIFETIME:
        return None
    return found


def flow_for(world: World, device: Device, browser_id: str) -> Flow:
    """A sign-in whose end is not an address but the program that waits."""
    values = {"client_id": device.app_id, "scope": device.scope, "user_code": device.user_code}
    return Flow(browser_id, device.authority, "device", values, world.clock.now())


def request_of(world: World, flow: Flow) -> Request:
    application = world.application(flow.request["client_id"])
    if application is None:
        raise errors.no_application(flow.request["client_id"], flow.authority)
    return Request(world, authorities.find(world, flow.authority), application, "", flow.request)


def finish(world: World, flow: Flow, answer: Answer | None) -> bool:
    """Hand the sign-in to the program, or with None tell it that the person declined. False when nobody waits."""
    device = typed(world, flow.request["user_code"])
    if device is None:
        return False
    if answer is None:
        device.declined = True
    else:
        # The code is used up here and now: nobody else may redeem it.
        device.family = state.of(world).codes.pop(answer.values["code"]).family
    return True


def redeemable(world: World, device_code: str, app_id: str) -> Device:
    """The device whose person has signed in.

    Raises:
        Refusal: 70018 unknown, 70020 too late, 70016 not yet, 70021 declined. All but 70016 are final.
    """
    device = state.of(world).devices.get(device_code)
    if device is None or device.app_id != app_id:
        raise Refusal(70018, "Invalid verification code: the device code is unknown or was used already.")
    if world.clock.now() - device.started > LIFETIME:
        raise Refusal(70020, "The device code has expired. Start the sign-in again.")
    if device.declined:
        raise Refusal(70021, "The person declined to sign in.", error="authorization_declined")
    if device.family is None:
        raise Refusal(70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
    return device
