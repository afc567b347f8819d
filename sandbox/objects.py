"""What exists in the pretend directory: plain records, no rules and no I/O.

The words are Microsoft's: an *application* is the registration, known everywhere by its `app_id`; a *service
principal* is its presence in one tenant, with its own object id; a *grant* is a delegated permission grant.
Change a record only through the methods of `sandbox.world.Tenant`: they keep the indexes, the replication
lag, the audit records and the delta feeds true.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

MICROSOFT_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
AZURE_APP_ID = "797f4846-ba00-4fd7-ba43-dac1f8f63013"  # the resource manager
DEFAULT_ROLE = "00000000-0000-0000-0000-000000000000"
APP, AGENT, BLUEPRINT = "servicePrincipal", "agentIdentity", "agentIdentityBlueprintPrincipal"
NAMESPACE = uuid.UUID("5a4db0f5-5ea4-4c0c-8d3c-c0c0c0c0c0c0")

ROLE_NAMES = {
    "62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
    "cf1c38e5-3621-4004-a7cb-879624dced7c": "Application Developer",
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
    "729827e3-9c14-49f7-bb1b-9608f156bbb8": "Helpdesk Administrator",
    "966707d0-3269-4727-9be2-8c3a10f19b9d": "Password Administrator",
    "c4e39bd9-1100-46d3-8c65-fb160da0071f": "Authentication Administrator",
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": "Privileged Authentication Administrator",
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451": "Global Reader",
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b": "Directory Readers",
    "9360feb5-f418-4baa-8175-e2a00bac4301": "Directory Writers",
    "95e79109-95c0-4d8e-aee3-d01accf2d47b": "Guest Inviter",
    "4a5d8f65-41da-4de4-8968-e035b65339cf": "Reports Reader",
    "5d6b6bb7-de71-4623-b4af-96380a352509": "Security Reader",
    "194ae4cb-b126-40b2-bd5b-6091b380977d": "Security Administrator",
    "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b": "Message Center Reader",
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": "Groups Administrator",
    "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2": "Hybrid Identity Administrator",
    "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e": "Identity Governance Administrator",
    "27460883-1df1-4691-b032-3b79643e5e63": "User Experience Success Manager",
    "75934031-6c7e-415a-99d7-48dbd49e875e": "Usage Summary Reports Reader",
}
ROLE_IDS = {name: template_id for template_id, name in ROLE_NAMES.items()}


@cache  # a world is built anew with every reset
def make_id(*parts: str) -> str:
    """An object id that is the same in every run for the same words."""
    return str(uuid.uuid5(NAMESPACE, "/".join(parts)))


def grant_id(client_id: str, resource_id: str, principal_id: str | None = None) -> str:
    """The id Entra gives a grant: its object ids packed, so granting again yields the same id."""
    ids = (client_id, resource_id, principal_id) if principal_id else (client_id, resource_id)
    raw = b"".join(uuid.UUID(one).bytes_le for one in ids)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def assignment_id(principal_id: str, salt: uuid.UUID) -> str:
    """The id Entra gives an app role assignment: the principal's id followed by a random one."""
    return base64.urlsafe_b64encode(uuid.UUID(principal_id).bytes_le + salt.bytes_le).rstrip(b"=").decode()


@dataclass(slots=True, frozen=True)
class Scope:
    """A delegated permission that an API offers."""

    id: str
    value: str
    admin_only: bool = False
    name: str = ""
    description: str = ""
    user_name: str = ""
    user_description: str = ""
    low_impact: bool = False


@dataclass(slots=True, frozen=True)
class AppRole:
    """A role that an application offers: to people ("User"), to other applications ("Application") or to both."""

    id: str
    value: str
    name: str
    description: str = ""
    members: tuple[str, ...] = ("Application",)


@dataclass(slots=True)
class RequiredAccess:
    """What a registration asks of one API: scopes to act for people, roles to act as itself."""

    resource_app_id: str
    scopes: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class Inheritable:
    """What agents take over of what a tenant grants their blueprint's principal at one API: everything or nothing.

    `scopes` may also be the names of those that are passed on.
    """

    resource_app_id: str
    scopes: str | tuple[str, ...] = "allAllowed"  # or "none"
    roles: str = "allAllowed"


@dataclass(slots=True)
class Application:
    app_id: str
    display_name: str
    home_tenant_id: str
    secrets: list[str] = field(default_factory=list)
    certificates: list[str] = field(default_factory=list)  # PEM
    redirect_uris: list[str] = field(default_factory=list)
    any_loopback_port: bool = False
    logout_url: str | None = None
    public_client: bool = False
    multi_tenant: bool = True
    required_access: list[RequiredAccess] = field(default_factory=list)
    app_roles: list[AppRole] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    publisher: str | None = None
    verified: bool = False
    reply_urls: list[str] | None = None  # shown on the service principal; None means the redirect URIs
    identifier_uris: list[str] = field(default_factory=list)
    homepage: str | None = None
    description: str | None = None
    group_membership_claims: str | None = None  # None, "DirectoryRole", "SecurityGroup", "All"
    optional_claims: dict[str, list[str]] = field(default_factory=dict)  # {"idToken": ["login_hint", ...], ...}
    created: datetime | None = None
    slug: str = ""  # set for the client apps the sandbox runs
    blueprint: bool = False  # agents are made from it
    inheritable: list[Inheritable] = field(default_factory=list)  # of a blueprint
    agent_of: str = ""  # of an agent, which has no registration, for as long as it asks for a token: its blueprint
    # Microsoft's own clients need nobody's consent for these: permissions by app id of the API.
    preauthorized: dict[str, list[str]] = field(default_factory=dict)
    owners: list[str] = field(default_factory=list)  # object ids in the home tenant
    deleted_at: datetime | None = None
    extra: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """The registration's object id, in its home tenant only."""
        return make_id(self.home_tenant_id, "application", self.app_id)

    def wanted(self, resource_app_id: str = GRAPH_APP_ID) -> RequiredAccess:
        """What the registration asks of one API; empty when it asks nothing."""
        for access in self.required_access:
            if access.resource_app_id == resource_app_id:
                return access
        return RequiredAccess(resource_app_id)


@dataclass(slots=True)
class ServicePrincipal:
    id: str
    app_id: str
    display_name: str
    owner_tenant_id: str | None
    created: datetime
    enabled: bool = True
    assignment_required: bool = False
    tags: list[str] = field(default_factory=list)
    type: str = "Application"
    publisher: str | None = None
    verified: bool = False
    reply_urls: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    homepage: str | None = None
    logout_url: str | None = None
    description: str | None = None
    notes: str | None = None
    multi_tenant: bool = True
    disabled_by_microsoft: str | None = None
    app_roles: list[AppRole] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    last_sign_in: datetime | None = None
    deleted_at: datetime | None = None
    owners: list[str] = field(default_factory=list)  # people and service principals
    sponsors: list[str] = field(default_factory=list)  # of agents and blueprints: people and groups
    kind: str = APP  # or AGENT, BLUEPRINT
    blueprint_app_id: str | None = None  # of an agent
    inheritable: list[Inheritable] = field(default_factory=list)  # of a blueprint's principal: its registration's
    extra: dict[str, Any] | None = None

    @property
    def client_id(self) -> str:
        """What it asks for tokens with: agents that are shown without a client id of their own use their object id."""
        return self.app_id or self.id

    def scope(self, value: str) -> Scope | None:
        return next((one for one in self.scopes if one.value == value), None)

    def app_role(self, value_or_id: str) -> AppRole | None:
        return next((one for one in self.app_roles if value_or_id in (one.value, one.id)), None)


@dataclass(slots=True)
class User:
    id: str
    display_name: str
    upn: str
    mail: str | None
    created: datetime
    valid_from: datetime  # tokens and cookies issued before this are refused; full precision
    job_title: str | None = None
    given_name: str | None = None
    surname: str | None = None
    department: str | None = None
    office: str | None = None
    enabled: bool = True
    user_type: str = "Member"  # says nothing about where they sign in
    home_tenant_id: str | None = None  # for external people, members or guests: where they sign in
    home_user_id: str | None = None
    role_template_ids: list[str] = field(default_factory=list)
    last_sign_in: datetime | None = None
    deleted_at: datetime | None = None
    agent_id: str | None = None  # set for an agent's own account: the agent it belongs to
    customer: bool = False  # of a B2C tenant: signs in through its policies, never at Entra
    tokens_valid_from: datetime | None = None  # the other clock, where it was moved apart from `valid_from`
    extra: dict[str, Any] | None = None  # properties that mean nothing to the sandbox, by their names on the wire

    @property
    def guest(self) -> bool:
        return self.user_type == "Guest"

    @property
    def refresh_from(self) -> datetime:
        """What custom policies read as refreshTokensValidFromDateTime."""
        return self.tokens_valid_from or self.valid_from

    @property
    def external(self) -> bool:
        """Whether somebody signs in elsewhere: https://learn.microsoft.com/entra/external-id/user-properties"""
        return self.home_tenant_id is not None


@dataclass(slots=True)
class Group:
    id: str
    display_name: str
    created: datetime
    description: str | None = None
    mail: str | None = None
    members: list[str] = field(default_factory=list)  # users and groups
    owners: list[str] = field(default_factory=list)  # people and service principals
    role_assignable: bool = False
    role_template_ids: list[str] = field(default_factory=list)
    deleted_at: datetime | None = None
    extra: dict[str, Any] | None = None


@dataclass(slots=True)
class AdministrativeUnit:
    """A part of the directory that roles can be scoped to. `restricted`: only roles with this scope manage its members.

    https://learn.microsoft.com/entra/identity/role-based-access-control/admin-units-restricted-management
    """

    id: str
    display_name: str
    description: str | None = None
    members: list[str] = field(default_factory=list)
    restricted: bool = False
    deleted_at: datetime | None = None
    extra: dict[str, Any] | None = None


@dataclass(slots=True, frozen=True)
class RoleDefinition:
    """A directory role: Microsoft's, or one that the tenant made."""

    id: str
    name: str
    built_in: bool = True
    actions: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class RoleAssignment:
    """Who holds a directory role, and for which part of the directory: `/`, or `/administrativeUnits/{id}`."""

    id: str
    principal_id: str
    role_id: str
    scope: str = "/"


@dataclass(slots=True)
class Grant:
    id: str
    client_id: str
    consent_type: str  # "Principal" or "AllPrincipals"
    principal_id: str | None
    resource_id: str
    scope: str  # separated by blanks, as Entra keeps it

    @property
    def scopes(self) -> list[str]:
        return self.scope.split()


@dataclass(slots=True, frozen=True)
class Initiator:
    """Who made a change, as the directory's audit log remembers it."""

    app_id: str
    app_only: bool
    object_id: str  # the person, or the app's service principal
    name: str


@dataclass(slots=True)
class Assignment:
    id: str
    principal_id: str
    principal_type: str  # "User", "Group" or "ServicePrincipal"
    resource_id: str
    app_role_id: str
    created: datetime
