"""The browser's session at B2C: what a profile leaves in it, and which profiles it lets a later request leave out.

https://learn.microsoft.com/azure/active-directory-b2c/custom-policy-reference-sso
"""

from __future__ import annotations

from sandbox.b2c.engine.running import Running
from sandbox.b2c.reading.definitions import Profile

REMEMBERS = "defaultssosessionprovider"
EXTERNAL = "externalloginssosessionprovider"


def kept(run: Running, profile: Profile) -> None:
    """Write what the profile's session provider keeps of the claims."""
    manager = _manager(run, profile)
    if manager is None or manager.handled_by.lower() not in (REMEMBERS, EXTERNAL):
        return
    held = run.after.setdefault(manager.id.lower(), {})
    for use in manager.persisted.values():
        if (value := run.get(use.id)) is not None:
            held[use.id.lower()] = value


def restored(run: Running, profile: Profile) -> str:
    """Take the profile's claims from the session instead of running it. Empty when there is nothing to take."""
    manager = _manager(run, profile)
    if manager is None or manager.id.lower() not in run.before:
        return ""
    if manager.handled_by.lower() == EXTERNAL:
        question = f"whether {profile.id} answers from the session without a page"
        if not run.either(f"external session {profile.id}", question):
            return ""
        run.bag.update(run.before[manager.id.lower()])
        for use in profile.outputs.values():
            if use.default is not None and use.always:
                run.put(use.id, use.default)
        run.after[manager.id.lower()] = dict(run.before[manager.id.lower()])
        return "was left out: the session knows the person"
    if manager.handled_by.lower() != REMEMBERS:
        return ""
    run.bag.update(run.before[manager.id.lower()])
    for use in manager.outputs.values():
        if use.default is not None:
            run.put(use.id, use.default)
    run.after[manager.id.lower()] = dict(run.before[manager.id.lower()])
    return "was left out: its claims are in the session"


def _manager(run: Running, profile: Profile) -> Profile | None:
    return run.policy.profile(profile.session) if profile.session else None
