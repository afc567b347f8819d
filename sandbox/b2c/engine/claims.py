"""Claims on their way into and out of a technical profile: defaults, other names, resolvers, required ones.

https://learn.microsoft.com/azure/active-directory-b2c/technicalprofiles
https://learn.microsoft.com/azure/active-directory-b2c/claim-resolver-overview
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.b2c.engine.running import Refused, Running, Untellable
from sandbox.b2c.engine.values import Unknown, converted, of_default, written
from sandbox.b2c.reading.definitions import ClaimUse, Profile

RESOLVER = re.compile(r"\{[A-Za-z][A-Za-z0-9_-]*:[^{}]+\}|\{policy\}", re.IGNORECASE)


def taken(run: Running, profile: Profile, uses: Iterable[ClaimUse]) -> dict[str, Any]:
    """The claims a profile sends, under the names of the other side.

    Raises:
        Refused: a required one has no value.
        Untellable: one is declared nowhere.
    """
    found: dict[str, Any] = {}
    for use in uses:
        value = _value(run, profile, use)
        absent = value is None or (isinstance(value, Unknown) and use.default is None and not run.exists(use.id))
        if use.required and absent:
            why = f"{profile.id} needs the claim {use.id}, which has no value here"
            # What a person would type into a page is guessed, so at sign-in it may be the guess that is wrong.
            raise Refused(why) if run.refreshing else Untellable(why)
        if value is not None:
            found[use.partner] = value
    return found


def given(run: Running, profile: Profile, answer: Mapping[str, Any]) -> None:
    """Keep what a profile answered: its output claims, with their defaults."""
    for use in profile.outputs.values():
        data_type = run.type_of(use.id)
        default = _default(run, profile, use)
        if use.always and default is not None:
            run.put(use.id, default)
        elif (value := answer.get(use.partner)) is not None:
            run.put(use.id, converted(value, data_type))
        elif default is not None:
            run.put(use.id, default)


def _value(run: Running, profile: Profile, use: ClaimUse) -> Any:
    run.type_of(use.id)
    default = _default(run, profile, use)
    if use.always and default is not None:
        return default
    value = run.get(use.id)
    return default if value is None else value


def _default(run: Running, profile: Profile, use: ClaimUse) -> Any:
    if use.default is None:
        return None
    if not RESOLVER.search(use.default):
        return of_default(use.default, run.type_of(use.id))
    resolving = profile.true("IncludeClaimResolvingInClaimsHandling") or profile is _of_relying_party(run)
    if not (resolving and use.always):
        return Unknown(f"whether {use.default} is resolved without the settings that claim resolvers need")
    return resolved(run, use.default)


def resolved(run: Running, text: str) -> Any:
    """A text with its `{...}` replaced; Unknown when one of them may or may not resolve here."""
    parts = {one: _resolver(run, one[1:-1]) for one in RESOLVER.findall(text)}
    for value in parts.values():
        if isinstance(value, Unknown):
            return value
    return RESOLVER.sub(lambda found: str(parts[found.group()]), text)


def _resolver(run: Running, name: str) -> Any:
    request = run.request
    known: dict[str, Any] = {
        "policy": run.policy.id,
        "policy:policyid": run.policy.id,
        "policy:relyingpartytenantid": run.policy.tenant,
        "policy:tenantobjectid": request.tenant_id,
        "policy:trustframeworktenantid": run.policy.tenant,
        "context:correlationid": request.correlation_id,
        "context:datetimeinutc": written(request.now),
    }
    if name.lower() in known:
        return known[name.lower()]
    asked = {"oidc:clientid": request.client_id, "context:ipaddress": "127.0.0.1", "culture:rfc5646": "en-US"}
    key = name.lower()
    prefix, _, parameter = key.partition(":")
    if prefix == "oidc" and key not in asked:
        asked[key] = request.parameters.get({"loginhint": "login_hint"}.get(parameter, parameter), "")
    elif prefix == "oauth-kv":
        asked[key] = request.parameters.get(name.partition(":")[2], "")
    if key not in asked:
        return Unknown(f"what {{{name}}} resolves to")
    if not run.refreshing:
        return asked[key]
    question = f"whether {{{name}}} resolves during a refresh"
    answer = run.choices.pick(f"resolver-at-refresh {prefix}", ("empty", "resolved"), question)
    return asked[key] if answer == "resolved" else ""


def _of_relying_party(run: Running) -> Profile | None:
    return run.policy.relying_party.profile if run.policy.relying_party else None
