"""From what is told of a changed object, which may be what changed about it alone, to the whole of it.

What is not told did not change: it is taken from the copy.
"""

from typing import Any

from directory.models import PermissionGrant, Person, ServicePrincipal
from graph import types
from graph.changes import Change, Followed
from graph.paging import ODD


class NotEnough(Exception):
    """What is told is a part, and the copy does not hold the rest."""


NOT_ENOUGH = (NotEnough, *ODD)
Kind = ServicePrincipal.Kind


def app(data: dict[str, Any], known: ServicePrincipal | None) -> types.ServicePrincipal:
    """Raises one of NOT_ENOUGH."""
    return types.ServicePrincipal.read(_whole(data, known and _app(known), Followed.APPS, "deletedDateTime"))


def person(data: dict[str, Any], known: Person | None) -> types.User:
    """Raises one of NOT_ENOUGH."""
    return types.User.read(_whole(data, known and _person(known), Followed.PEOPLE, "signInSessionsValidFromDateTime"))


def grant(data: dict[str, Any], known: PermissionGrant | None) -> types.Grant:
    """Raises one of NOT_ENOUGH."""
    return types.Grant.read(_whole(data, known and _grant(known), Followed.GRANTS, "principalId"))


def says_why(change: Change) -> bool:
    """Whether Microsoft said that it is gone, and not only failed to find it."""
    return "@removed" in change.data


def _whole(data: dict[str, Any], rest: dict[str, Any] | None, what: Followed, *may_lack: str) -> dict[str, Any]:
    if rest is not None:
        return rest | data
    needed = (what.less or what.select).split(",")
    if not all(name in data for name in needed if name not in may_lack):
        raise NotEnough
    return data


def _app(row: ServicePrincipal) -> dict[str, Any]:
    special = {"@odata.type": f"#microsoft.graph.{row.kind}"} if row.kind in (Kind.AGENT, Kind.BLUEPRINT) else {}
    return special | {
        "appId": str(row.app_id),
        "displayName": row.display_name,
        "verifiedPublisher": {
            "displayName": row.publisher_name,
            "verifiedPublisherId": "known" if row.publisher_verified else None,
        },
        "appOwnerOrganizationId": str(row.owner_tenant_id) if row.owner_tenant_id else None,
        "servicePrincipalType": row.type,
        "accountEnabled": row.account_enabled,
        "isDisabled": row.is_disabled,
        "disabledByMicrosoftStatus": row.disabled_by_microsoft,
        "homepage": row.homepage,
        "replyUrls": row.reply_urls,
        "tags": row.tags,
        "createdDateTime": row.created_at and row.created_at.isoformat(),
        "deletedDateTime": None,  # what is told of is in the list, and not in the bin
    }


def _person(row: Person) -> dict[str, Any]:
    special = {"@odata.type": "#microsoft.graph.agentUser"} if row.is_agent else {}
    return special | {
        "displayName": row.display_name,
        "userPrincipalName": row.upn,
        "mail": row.mail,
        "jobTitle": row.job_title,
        "userType": "Guest" if row.is_guest else "Member",
        "externalUserState": "Accepted" if row.is_external else None,
        "identityParentId": str(row.agent_id) if row.agent_id else None,
        "accountEnabled": row.account_enabled,
        "signInSessionsValidFromDateTime": row.sessions_valid_from and row.sessions_valid_from.isoformat(),
        "isManagementRestricted": row.is_restricted,
    }


def _grant(row: PermissionGrant) -> dict[str, Any]:
    return {
        "clientId": str(row.client_id),
        "resourceId": str(row.resource_id),
        "principalId": str(row.principal_id) if row.principal_id else None,
        "consentType": row.consent_type,
        "scope": " ".join(row.scopes),
    }
