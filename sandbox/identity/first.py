"""The endpoints of the first version: `resource` instead of `scope`, everything the registration lists at once.

Entra serves them still, and older clients know no others. They are put into the words of v2.0 and answered from there.
https://learn.microsoft.com/previous-versions/azure/active-directory/azuread-dev/v1-protocols-oauth-code
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.identity import errors
from sandbox.world import World

FOR_PEOPLE = "openid profile offline_access"


def asked(form: Mapping[str, str]) -> dict[str, str]:
    """The request in the words of v2.0.

    Raises:
        Refusal: 900144, an app that acts as itself names no resource.
    """
    resource = form.get("resource", "")
    alone = form.get("grant_type") == "client_credentials"
    if alone and not resource:
        raise errors.missing("resource")
    scope = f"{resource}/.default" if resource else ""
    if not alone:
        scope = f"{scope} {FOR_PEOPLE}".strip()
    return {name: value for name, value in form.items() if name != "resource"} | {"scope": scope}


def answered(world: World, answer: dict[str, Any], resource: str) -> dict[str, Any]:
    """A token response as the first version writes it: numbers in quotes, the resource, never `.default`."""
    now, seconds = int(world.clock.now().timestamp()), answer["expires_in"]
    words = [one.rpartition("/")[2] for one in answer.get("scope", "").split()]
    shown = {name: value for name, value in answer.items() if name not in ("refresh_in", "scope")}
    if "scope" in answer:
        shown["scope"] = " ".join(one for one in words if one != ".default")
    return shown | {
        "expires_in": str(seconds),
        "ext_expires_in": str(seconds),
        "expires_on": str(now + seconds),
        "not_before": str(now),
        "resource": resource or world.cloud.graph_audience,
    }
