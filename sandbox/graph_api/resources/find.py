"""Finding the object an address names, or refusing as Graph does."""

from __future__ import annotations

from typing import Any

from sandbox.graph_api.errors import invalid_id, not_found
from sandbox.graph_api.wire import AppId, Ask, is_guid
from sandbox.objects import Group, ServicePrincipal, User


def user(ask: Ask, key: str) -> User:
    found = ask.view.user(key)
    if found is None:
        raise not_found(key)
    return found


def me(ask: Ask) -> User:
    return user(ask, ask.caller.object_id)


def group(ask: Ask, key: str) -> Group:
    return one_of(ask, "groups", key)


def one_of(ask: Ask, kind: str, key: str) -> Any:
    """By object id, in one table of the tenant."""
    if not is_guid(key):
        raise invalid_id(key)
    found = ask.view.get(kind, key.lower())
    if found is None:
        raise not_found(key)
    return found


def any_object(ask: Ask, key: str) -> Any:
    """A person, group, service principal or unit by its id."""
    if not is_guid(key):
        raise invalid_id(key)
    found = ask.view.object(key.lower())
    if found is None:
        raise not_found(key)
    return found


def service_principal(ask: Ask, key: str) -> ServicePrincipal:
    """By object id, or by client id when the address says `appId=`."""
    if not is_guid(key):
        raise invalid_id(key)
    by_app_id = isinstance(key, AppId)
    found = ask.view.service_principal_for(key) if by_app_id else ask.view.service_principal(key)
    if found is None:
        raise not_found(key)
    return found
