"""People: reading them, and ending their sessions.

https://learn.microsoft.com/graph/api/user-list · https://learn.microsoft.com/graph/api/user-revokesigninsessions
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.graph_api import access as may, bodies
from sandbox.graph_api.access import roles
from sandbox.graph_api.callers import GLOBAL_ADMINISTRATOR
from sandbox.graph_api.errors import Refused, bad_request, forbidden, unsupported
from sandbox.graph_api.pages import collection, counted, entity
from sandbox.graph_api.resources import find
from sandbox.graph_api.resources.changing import changes
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import BASIC_PROFILE, OBJECT, USER
from sandbox.graph_api.wire import Answer, Ask, is_guid, new_id
from sandbox.objects import User

# Whose sessions a role may end: holders of nothing but these roles.
# https://learn.microsoft.com/entra/identity/role-based-access-control/privileged-roles-permissions
_HARMLESS = roles(
    "Directory Readers",
    "Guest Inviter",
    "Message Center Reader",
    "Password Administrator",
    "Reports Reader",
    "User Experience Success Manager",
    "Usage Summary Reports Reader",
)
_SIGN_OUT: dict[str, frozenset[str]] = {
    "Helpdesk Administrator": _HARMLESS | roles("Helpdesk Administrator"),
    "Password Administrator": roles("Directory Readers", "Guest Inviter", "Password Administrator"),
    "Authentication Administrator": _HARMLESS | roles("Authentication Administrator"),
    "User Administrator": _HARMLESS | roles("Helpdesk Administrator", "Groups Administrator", "User Administrator"),
}
SIGN_OUT = {next(iter(roles(name))): held for name, held in _SIGN_OUT.items()}
FIXED = frozenset(
    {"id", "createdDateTime", "deletedDateTime", "creationType", "identityParentId", "isManagementRestricted"}
    | {"lastPasswordChangeDateTime", "signInActivity", "signInSessionsValidFromDateTime", "securityIdentifier"}
    | {"proxyAddresses", "imAddresses", "licenseAssignmentStates", "assignedPlans", "provisionedPlans"}
)
CHANGEABLE = {
    "accountEnabled": "enabled",
    "displayName": "display_name",
    "givenName": "given_name",
    "surname": "surname",
    "jobTitle": "job_title",
    "department": "department",
    "officeLocation": "office",
    "mail": "mail",
    "userPrincipalName": "upn",
    "userType": "user_type",
}
PARTS = {
    "User.EnableDisableAccount.All": ("accountEnabled",),
    "User.ManageIdentities.All": ("identities",),
    "User-PasswordProfile.ReadWrite.All": ("passwordProfile",),
    "User-Mail.ReadWrite.All": ("otherMails",),
    "User-Phone.ReadWrite.All": ("businessPhones", "mobilePhone"),
}
SIGNS_OUT_PEOPLE = may.names("User.RevokeSessions.All User.ReadWrite.All Directory.ReadWrite.All")
ACTIVITY_MAX = 500
FULL_PROFILES = may.names("User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All")
SIGN_OUT_ANYBODY = roles("Global Administrator", "Privileged Authentication Administrator")


@graph.on("GET", "/users", units=2)
def list_users(ask: Ask) -> Answer:
    caller = ask.caller
    if not caller.app_only and (own := ask.tenant.users.get(caller.object_id)) and own.guest:
        raise forbidden()
    _check_activity(ask)
    return collection(ask, USER, lambda equals: _candidates(ask, equals), limit_to=_readable(ask))


@graph.on("GET", "/users/$count", units=2)
def count_users(ask: Ask) -> Answer:
    _check_activity(ask)
    return counted(ask, USER, ask.view.all("users"))


@graph.on("GET", "/users/{}")
def get_user(ask: Ask, key: str) -> Answer:
    _check_activity(ask)
    user = find.user(ask, key)
    return entity(ask, USER, user, limit_to=None if user.id == ask.caller.object_id else _readable(ask))


@graph.on("GET", "/me")
def get_me(ask: Ask) -> Answer:
    _check_activity(ask)
    return entity(ask, USER, find.me(ask))


@graph.on("PATCH", "/users/{}", roles=may.USER_WRITERS)
def change_user(ask: Ask, key: str) -> Answer:
    user = find.user(ask, key)
    given = bodies.properties(ask, "user", read_only=FIXED)
    _check_unit(ask, user)
    _check_parts(ask, given)
    ask.tenant.update_user(user.id, **changes(user, given, CHANGEABLE))
    return Answer(204)


@graph.on("POST", "/users", roles=may.USER_WRITERS)
def create_user(ask: Ask) -> Answer:
    """https://learn.microsoft.com/graph/api/user-post-users"""
    needed = ("displayName", "mailNickname", "userPrincipalName", "passwordProfile")
    given = bodies.properties(ask, "user", required=needed, read_only=FIXED)
    upn, tenant, now = given["userPrincipalName"], ask.tenant, ask.world.clock.now()
    if upn.partition("@")[2].lower() not in tenant.domains:
        raise bad_request(
            "The domain portion of the userPrincipalName property is invalid.", target="userPrincipalName"
        )
    if tenant.user(upn):
        message = "Another object with the same value for property userPrincipalName already exists."
        raise Refused(400, "Request_BadRequest", message)
    made = User(id=new_id(), display_name=given["displayName"], upn=upn, mail=None, created=now, valid_from=now)
    tenant.add_user(made)
    tenant.update_user(made.id, **changes(made, given, CHANGEABLE))
    answer = entity(ask, USER, made)
    answer.status = 201
    answer.headers["Location"] = ask.location(made.id, "User")
    return answer


@graph.on("DELETE", "/users/{}", roles=may.USER_WRITERS)
def delete_user(ask: Ask, key: str) -> Answer:
    user = find.user(ask, key)
    _check_unit(ask, user)
    ask.tenant.delete_user(user.id)
    return Answer(204)


@graph.on("GET", "/users/{}/ownedObjects", units=2)
def list_owned(ask: Ask, key: str) -> Answer:
    return _owned(ask, find.user(ask, key))


@graph.on("GET", "/me/ownedObjects", units=2)
def list_own_objects(ask: Ask) -> Answer:
    return _owned(ask, find.me(ask))


def _owned(ask: Ask, user: User) -> Answer:
    """https://learn.microsoft.com/graph/api/user-list-ownedobjects"""
    applications = [one for one in ask.world.applications.values() if user.id in one.owners]
    return collection(ask, OBJECT, [*applications, *ask.tenant.owned_by(user.id)], related=True)


# --- sessions --------------------------------------------------------------------------------------


@graph.on("POST", "/users/{}/revokeSignInSessions")
def revoke_sessions(ask: Ask, key: str) -> Answer:
    return _sign_out(ask, find.user(ask, key))


@graph.on("POST", "/me/revokeSignInSessions")
def revoke_own_sessions(ask: Ask) -> Answer:
    return _sign_out(ask, find.me(ask))


@graph.on("POST", "/users/{}/invalidateAllRefreshTokens", beta_only=True)
def invalidate_tokens(ask: Ask, key: str) -> Answer:
    return _sign_out(ask, find.user(ask, key), "invalidateAllRefreshTokens")


@graph.on("POST", "/me/invalidateAllRefreshTokens", beta_only=True)
def invalidate_own_tokens(ask: Ask) -> Answer:
    return _sign_out(ask, find.me(ask), "invalidateAllRefreshTokens")


def _sign_out(ask: Ask, user: User, call: str = "revokeSignInSessions") -> Answer:
    """Move the moment before which this person's tokens count for nothing. For external people nothing does, unsaid."""
    bodies.parameters(ask, {})
    caller = ask.caller
    if not user.agent_id and not caller.has(*SIGNS_OUT_PEOPLE) and caller.object_id != user.id:
        raise forbidden()  # what is left opens agents' accounts only
    _check_unit(ask, user)
    if not caller.app_only and caller.object_id != user.id:
        _check_rank(ask, user)
    if user.id in ask.tenant.users:  # a replica may still list somebody who has gone
        ask.tenant.revoke_sessions(user.id, call)
        ask.tenant.audit.user_signed_out(user, caller)
    return Answer(body={"@odata.context": ask.context("Edm.Boolean"), "value": True})


def _check_unit(ask: Ask, user: User) -> None:
    """Who holds no role within a restricted unit changes nothing about its members, and no app does.

    https://learn.microsoft.com/entra/identity/role-based-access-control/admin-units-restricted-management

    Raises:
        Refused: 403.
    """
    scopes = {f"/administrativeUnits/{unit.id}" for unit in ask.tenant.managed_only_within(user.id)}
    if not scopes:
        return
    held = {
        one.scope
        for one in ask.tenant.other_role_assignments.values()
        if one.principal_id == ask.caller.object_id and not ask.caller.app_only
    }
    if not scopes <= held:
        raise forbidden()


def _check_parts(ask: Ask, given: dict[str, Any]) -> None:
    """Some permissions open a few properties only: https://learn.microsoft.com/graph/api/user-update"""
    if ask.caller.has("User.ReadWrite.All", "Directory.ReadWrite.All", "User.ReadWrite"):
        return
    open_to = {name for permission in ask.caller.permissions for name in PARTS.get(permission, ())}
    if not set(given) <= open_to:
        raise forbidden()


def _check_rank(ask: Ask, user: User) -> None:
    """A person may do this to others by role, and only to people whose own roles are not above it."""
    mine = ask.caller.directory_roles
    if not mine.isdisjoint(SIGN_OUT_ANYBODY):
        return
    theirs = set(ask.tenant.directory_roles_of(user.id))
    if any(group.role_assignable for group in ask.tenant.groups_of(user.id)):
        theirs.add(GLOBAL_ADMINISTRATOR)
    if not any(theirs <= SIGN_OUT[role] for role in mine if role in SIGN_OUT):
        raise forbidden()


# --- reading ---------------------------------------------------------------------------------------


def _candidates(ask: Ask, equals: dict[str, Any]) -> Iterable[User]:
    for name in ("id", "userPrincipalName"):
        if name in equals:
            found = ask.view.user(str(equals[name])) if is_guid(str(equals[name])) or name != "id" else None
            return [found] if found else []
    return ask.view.all("users")


def _readable(ask: Ask) -> frozenset[str] | None:
    """The basic profile only, for those who hold User.ReadBasic.All and no more."""
    return None if ask.caller.has(*FULL_PROFILES) else BASIC_PROFILE


def _check_activity(ask: Ask) -> None:
    """What goes for sign-in activity, selected or filtered by: a permission of its own, and shorter pages."""
    if not any("signInActivity" in ask.query.get(option, "") for option in ("$select", "$filter")):
        return
    if not ask.caller.has("AuditLog.Read.All"):
        raise forbidden()
    top = ask.query.get("$top", "")
    if top.isdecimal() and int(top) > ACTIVITY_MAX:
        raise unsupported(f"Invalid page size specified: '{top}'. Must be between 1 and {ACTIVITY_MAX} inclusive.")
