"""The RESTful technical profile: what it sends, and what its answer does to the journey.

https://learn.microsoft.com/azure/active-directory-b2c/restful-technical-profile
https://learn.microsoft.com/azure/active-directory-b2c/api-connectors-overview
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from sandbox.b2c.engine import claims
from sandbox.b2c.engine.running import Call, Refused, Reply, Running, Untellable
from sandbox.b2c.engine.values import Unknown
from sandbox.b2c.reading.definitions import Profile

SECONDS, TRIES = 30, 3  # of each try; B2C lets nobody change either
KEYS = {
    "basic": ("basicauthenticationusername", "basicauthenticationpassword"),
    "bearer": ("bearerauthenticationtoken",),
    "clientcertificate": ("clientcertificate",),
    "apikeyheader": (),
}


def ask(run: Running, profile: Profile) -> str:
    """Call the service and keep its claims. What was done, in words.

    Raises:
        Refused: the service said no, or nothing.
    """
    url = profile.setting("ServiceUrl")
    if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
        raise Untellable(f"{profile.id} has no https ServiceUrl; B2C calls no other")
    call = Call(url, *_sent(run, profile), _credential(run, profile))
    reply = run.around.call(call)
    where = urlsplit(url).hostname
    if reply is None:
        question = f"what the service at {where} answers to {profile.id}"
        if run.choices.pick(f"service {url}", ("takes it", "refuses"), question) == "refuses":
            raise Refused(f"{profile.id}: the service at {where} refuses")
        known = {use.partner: Unknown(f"what the service at {where} says") for use in profile.outputs.values()}
        claims.given(run, profile, known)
        return f"asked the service at {where}, of which nothing is known"
    claims.given(run, profile, _answered(run, profile, reply, str(where)))
    return f"asked {where}, which answered {reply.status}"


def _answered(run: Running, profile: Profile, reply: Reply, where: str) -> dict[str, Any]:
    """The claims in an answer.

    Raises:
        Refused: it is none, or a refusal.
    """
    if reply.silent:
        raise Refused(f"{profile.id}: {where} did not answer within {SECONDS} seconds, {TRIES} times")
    if not 200 <= reply.status < 300:
        said = reply.body.get("userMessage") if isinstance(reply.body, dict) else None
        raise Refused(f"{profile.id}: {where} answered HTTP {reply.status}" + (f": {said}" if said else ""))
    if not isinstance(reply.body, dict):
        question = f"what {profile.id} makes of an answer that is no JSON object"
        if run.choices.pick(f"body {profile.id}", ("fails", "no claims"), question) == "fails":
            raise Refused(f"{profile.id}: the answer of {where} is no JSON object")
        return {}
    return {name: value for name, value in reply.body.items() if value is not None}


def _sent(run: Running, profile: Profile) -> tuple[str, dict[str, Any]]:
    body = claims.taken(run, profile, profile.inputs.values())
    how = profile.setting("SendClaimsIn", "Body").lower()
    if profile.setting("ClaimUsedForRequestPayload"):
        raise Untellable(f"{profile.id} sends a payload made elsewhere, which is not followed here")
    return ("POST" if how in ("body", "form") else "GET"), body


def _credential(run: Running, profile: Profile) -> tuple[str, dict[str, str]] | None:
    """How the call identifies itself.

    Raises:
        Refused: it does not, in production, without saying that this is meant.
    """
    kind = profile.setting("AuthenticationType", "None").lower()
    if kind == "none":
        if run.policy.mode.lower() != "development" and not profile.true("AllowInsecureAuthInProduction"):
            raise Refused(f"{profile.id} has the AuthenticationType None, which B2C refuses in production")
        return None
    if kind == "bearer" and profile.setting("UseClaimAsBearerToken"):
        return kind, {}
    if kind == "apikeyheader":
        found = {name: key for name, key in profile.keys.items() if key}
    else:
        found = {name: profile.keys[name] for name in KEYS.get(kind, ()) if profile.keys.get(name)}
    missing = kind not in KEYS or (len(found) < len(KEYS[kind]) or not found)
    return None if missing else (kind, found)
