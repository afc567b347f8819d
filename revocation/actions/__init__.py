"""The actions of the spine, one per file. Adding a file here adds an action; nothing else needs to change.

from revocation.actions import delete_grant, revoke_sessions
services.submit(..., steps=[delete_grant.step(grant), revoke_sessions.step(person)])
"""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

from accounts.roles import Capability
from revocation.actions.base import Action
from revocation.steps import StepDraft

__all__ = ["Action", "StepDraft", "all_actions", "capabilities", "get", "named"]


@cache
def all_actions() -> dict[str, Action]:
    """Every action, by name."""
    found: dict[str, Action] = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, type) and issubclass(value, Action) and value.name:
                found.setdefault(value.name, value())
    return found


def named(fact: str) -> frozenset[str]:
    """The names of the actions of which `fact` is true: `named("ends_sessions")`."""
    return frozenset(name for name, action in all_actions().items() if getattr(action, fact))


def capabilities(names: Iterable[str]) -> frozenset[Capability]:
    """What somebody must be able to do to ask for these actions, or to steer them."""
    known = all_actions()
    return frozenset(known[name].capability if name in known else Capability.CHANGE_APPS for name in names)


def get(name: str) -> Action:
    """The action with this name.

    Raises:
        KeyError: there is none.
    """
    return all_actions()[name]
