"""What Graph's answers become: frozen, typed, with Microsoft's nulls turned into empty values.

A list answered with null is empty; a missing id is an unreadable answer (`Unavailable`), never a guess. What Graph
keeps from us, since the tenant granted no permission for it, is None: not known, which is never the same as none.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from graph.errors import GraphError
from graph.kinds import AppKind, id_of_app, kind_of, type_of

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """One request inside a batch, or by itself: `xml`, and `raw`, whose answer is no JSON but `Answer.content`."""

    method: str
    path: str  # relative to the version: `/users/{id}/revokeSignInSessions`
    body: dict | None = None
    headers: dict[str, str] | None = None
    beta: bool = False
    xml: bytes | None = None
    raw: bool = False


@dataclass(frozen=True)
class Answer:
    """The answer to one `Call`. `error` is None for any 2xx."""

    status: int
    body: dict | None = None
    headers: dict[str, str] = field(default_factory=dict)
    request_id: str = ""
    error: GraphError | None = None
    content: bytes = b""

    @property
    def ok(self) -> bool:
        return self.error is None


@dataclass(frozen=True)
class Unreadable:
    """A row of a list that is not made as rows of that kind are; new kinds keep coming.

    It is there all the same: whoever keeps a copy must not take its absence among the items for a deletion.

    Attributes:
        id: empty where it has none.
        type: Graph's name of its type, where it names one, such as `#microsoft.graph.agentIdentity`.
        reason: what was missing or odd, for the log.
    """

    id: str
    type: str
    reason: str


class Items(list[T]):
    """The rows of a list. The few that could not be read are not among them: `unreadable` names them."""

    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list.

    Attributes:
        count: Graph's own number of all items, on the first page, where it tells.
        restarted: the list had to begin again; items of earlier pages will come once more.
        unreadable: rows of this part that are not among the items.
        next_link: where the list goes on; empty on its last page.
    """

    items: list[T]
    count: int | None = None
    restarted: bool = False
    unreadable: tuple[Unreadable, ...] = ()
    next_link: str = ""


@dataclass(frozen=True)
class PermissionScope:
    """A delegated permission a resource defines."""

    id: UUID
    value: str
    admin_only: bool
    is_enabled: bool
    user_display_name: str
    user_description: str
    admin_display_name: str
    admin_description: str

    @classmethod
    def read(cls, data: dict) -> "PermissionScope":
        return cls(
            id=UUID(data["id"]),
            value=data.get("value") or "",
            admin_only=data.get("type") == "Admin",
            is_enabled=data.get("isEnabled") is not False,
            user_display_name=data.get("userConsentDisplayName") or "",
            user_description=data.get("userConsentDescription") or "",
            admin_display_name=data.get("adminConsentDisplayName") or "",
            admin_description=data.get("adminConsentDescription") or "",
        )


@dataclass(frozen=True)
class AppRole:
    """A role a resource defines: for people, or (an application permission) for apps."""

    id: UUID
    value: str
    display_name: str
    description: str
    is_enabled: bool
    for_apps: bool
    for_people: bool

    @classmethod
    def read(cls, data: dict) -> "AppRole":
        members = data.get("allowedMemberTypes") or []
        return cls(
            id=UUID(data["id"]),
            value=data.get("value") or "",
            display_name=data.get("displayName") or "",
            description=data.get("description") or "",
            is_enabled=data.get("isEnabled") is not False,
            for_apps="Application" in members,
            for_people="User" in members,
        )


@dataclass(frozen=True)
class ServicePrincipal:
    """An app as one tenant knows it.

    `scopes` and `app_roles` are filled by `GraphClient.service_principal(s_by_ids)`, and empty in lists.
    https://learn.microsoft.com/graph/api/resources/serviceprincipal

    Attributes:
        kind: one of `AppKind`, or whatever else Microsoft calls it.
        account_enabled: False where the tenant disabled it.
        is_disabled: its publisher deactivated it, in every tenant.
        disabled_by_microsoft: why Microsoft disabled it; empty where it did not.
        blueprint_app_id: the client id of an agent's blueprint, where the whole object was read.
        secrets: when each secret kept on it in this tenant was made, and when it ends. Those of its registration are
            elsewhere, and certificates are not asked for: Graph answers few such requests a minute.
    """

    id: UUID
    app_id: UUID
    display_name: str
    publisher_name: str
    publisher_verified: bool
    owner_tenant_id: UUID | None
    type: str
    account_enabled: bool
    disabled_by_microsoft: str
    homepage: str
    reply_urls: tuple[str, ...]
    tags: tuple[str, ...]
    created_at: datetime | None
    deleted_at: datetime | None
    scopes: tuple[PermissionScope, ...] = ()
    app_roles: tuple[AppRole, ...] = ()
    kind: str = AppKind.APPLICATION
    is_disabled: bool = False
    blueprint_app_id: UUID | None = None
    secrets: tuple[tuple[datetime | None, datetime | None], ...] = ()

    SELECT = (
        "id,appId,displayName,verifiedPublisher,appOwnerOrganizationId,servicePrincipalType,accountEnabled,"
        "isDisabled,disabledByMicrosoftStatus,homepage,replyUrls,tags,createdDateTime,deletedDateTime,"
        "passwordCredentials"
    )
    SELECT_WITH_DEFINITIONS = f"{SELECT},oauth2PermissionScopes,appRoles"

    @classmethod
    def read(cls, data: dict) -> "ServicePrincipal":
        publisher = data.get("verifiedPublisher") or {}
        return cls(
            id=UUID(data["id"]),
            # An agent's documented answer has no client id of its own: its object id serves as one.
            # https://learn.microsoft.com/graph/api/resources/agentidentity
            app_id=UUID(data.get("appId") or data["id"]),
            display_name=data.get("displayName") or "",
            publisher_name=publisher.get("displayName") or "",
            publisher_verified=bool(publisher.get("verifiedPublisherId")),
            owner_tenant_id=uuid_of(data.get("appOwnerOrganizationId")),
            type=data.get("servicePrincipalType") or "",
            account_enabled=data.get("accountEnabled") is not False,
            disabled_by_microsoft=data.get("disabledByMicrosoftStatus") or "",
            homepage=data.get("homepage") or "",
            reply_urls=tuple(data.get("replyUrls") or ()),
            tags=tuple(data.get("tags") or ()),
            created_at=moment_of(data.get("createdDateTime")),
            deleted_at=moment_of(data.get("deletedDateTime")),
            scopes=tuple(PermissionScope.read(item) for item in data.get("oauth2PermissionScopes") or ()),
            app_roles=tuple(AppRole.read(item) for item in data.get("appRoles") or ()),
            kind=kind_of(data),
            is_disabled=data.get("isDisabled") is True,
            blueprint_app_id=uuid_of(data.get("agentIdentityBlueprintId")),
            secrets=tuple(
                (moment_of(one.get("startDateTime")), moment_of(one.get("endDateTime")))
                for one in data.get("passwordCredentials") or ()
            ),
        )


@dataclass(frozen=True)
class Grant:
    """A delegated permission grant. The id is opaque, and the same again when the same grant is given again.

    https://learn.microsoft.com/graph/api/resources/oauth2permissiongrant
    """

    id: str
    client_id: UUID
    resource_id: UUID
    principal_id: UUID | None
    consent_type: str
    scopes: tuple[str, ...]

    SELECT = "id,clientId,resourceId,principalId,consentType,scope"

    @classmethod
    def read(cls, data: dict) -> "Grant":
        return cls(
            id=_text(data["id"]),
            client_id=id_of_app(data["clientId"]),
            resource_id=id_of_app(data["resourceId"]),
            principal_id=uuid_of(data.get("principalId")),
            consent_type=data["consentType"],
            # Real data begins with a blank and repeats itself.
            scopes=tuple(dict.fromkeys((data.get("scope") or "").split())),
        )


@dataclass(frozen=True)
class AppRoleAssignment:
    """A person or group assigned to an app; or an application permission held by a service principal.

    https://learn.microsoft.com/graph/api/resources/approleassignment
    """

    id: str
    app_role_id: UUID
    principal_id: UUID
    principal_type: str
    principal_name: str
    resource_id: UUID
    resource_name: str
    created_at: datetime | None

    @classmethod
    def read(cls, data: dict) -> "AppRoleAssignment":
        return cls(
            id=_text(data["id"]),
            app_role_id=UUID(data["appRoleId"]),
            principal_id=UUID(data["principalId"]),
            principal_type=data.get("principalType") or "",
            principal_name=data.get("principalDisplayName") or "",
            resource_id=UUID(data["resourceId"]),
            resource_name=data.get("resourceDisplayName") or "",
            created_at=moment_of(data.get("createdDateTime")),
        )


@dataclass(frozen=True)
class User:
    """A person in one tenant. https://learn.microsoft.com/graph/api/resources/user

    Attributes:
        is_guest: what the tenant lets them see and do; it does not say where they sign in.
        is_external: signs in somewhere else, so that sessions cannot be ended here, be they guest or member.
            https://learn.microsoft.com/entra/external-id/user-properties
        is_agent: not a person but an agent's account. https://learn.microsoft.com/graph/api/resources/agentuser
        agent_id: the agent that account belongs to.
        is_restricted: in an administrative unit whose own administrators alone may change them.
            https://learn.microsoft.com/entra/identity/role-based-access-control/admin-units-restricted-management
    """

    id: UUID
    display_name: str
    upn: str
    mail: str
    job_title: str
    is_guest: bool
    account_enabled: bool
    sessions_valid_from: datetime | None
    is_external: bool = False
    is_agent: bool = False
    agent_id: UUID | None = None
    is_restricted: bool = False

    SELECT = (
        "id,displayName,userPrincipalName,mail,jobTitle,userType,externalUserState,identityParentId,accountEnabled,"
        "signInSessionsValidFromDateTime,isManagementRestricted"
    )
    # What delta surely follows: no page says that it follows the other two.
    FOLLOWED = SELECT.removesuffix(",signInSessionsValidFromDateTime,isManagementRestricted")

    @classmethod
    def read(cls, data: dict) -> "User":
        return cls(
            id=UUID(data["id"]),
            display_name=data.get("displayName") or "",
            upn=data.get("userPrincipalName") or "",
            mail=data.get("mail") or "",
            job_title=data.get("jobTitle") or "",
            is_guest=data.get("userType") == "Guest",
            account_enabled=data.get("accountEnabled") is not False,
            sessions_valid_from=moment_of(data.get("signInSessionsValidFromDateTime")),
            is_external=bool(data.get("externalUserState")) or "#EXT#" in (data.get("userPrincipalName") or "").upper(),
            is_agent=type_of(data) == "agentUser" or bool(data.get("identityParentId")),
            agent_id=uuid_of(data.get("identityParentId")),
            is_restricted=data.get("isManagementRestricted") is True,
        )


@dataclass(frozen=True)
class Group:
    """A group of people. https://learn.microsoft.com/graph/api/resources/group

    Attributes:
        assignable_to_roles: whether roles of the directory may be given to it; None where only its id is shown to us.
    """

    id: UUID
    display_name: str
    description: str
    assignable_to_roles: bool | None = None

    SELECT = "id,displayName,description,isAssignableToRole"

    @classmethod
    def read(cls, data: dict) -> "Group":
        # Every group has a name; ordinary ones answer null for the other, as everything about a hidden one is null.
        shown = data.get("displayName") is not None
        return cls(
            id=UUID(data["id"]),
            display_name=data.get("displayName") or "",
            description=data.get("description") or "",
            assignable_to_roles=(data.get("isAssignableToRole") is True) if shown else None,
        )


@dataclass(frozen=True)
class Organization:
    """The tenant itself. https://learn.microsoft.com/graph/api/resources/organization"""

    id: UUID
    display_name: str
    tenant_type: str
    default_domain: str
    domains: tuple[str, ...]

    SELECT = "id,displayName,tenantType,verifiedDomains"

    @classmethod
    def read(cls, data: dict) -> "Organization":
        domains = data.get("verifiedDomains") or []
        default = next((item.get("name") for item in domains if item.get("isDefault")), "")
        return cls(
            id=UUID(data["id"]),
            display_name=data.get("displayName") or "",
            tenant_type=data.get("tenantType") or "",
            default_domain=default or "",
            domains=tuple(item["name"] for item in domains if item.get("name")),
        )


Reader = Callable[[dict], T]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("an id is missing")
    return value


def uuid_of(value: str | None) -> UUID | None:
    return UUID(value) if value else None


def moment_of(value: str | None) -> datetime | None:
    """Graph's timestamps: `Z` or no zone at all (UTC), up to seven digits of a second."""
    if not value:
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
