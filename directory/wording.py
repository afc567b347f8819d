"""Permissions in people's words: a sentence per scope, grouped by resource, and one line for a whole app.

A scope's sentence is the resource's own (`userConsentDisplayName` for users, `adminConsentDisplayName` for admins),
as the directory copy holds it. The one-line summary is ours, and knows the scopes people meet most.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Self
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _, gettext_lazy, pgettext

from directory.models import AppRoleAssignment, PermissionDefinition, PermissionGrant, Risk, ServicePrincipal
from directory.reasons import ORDER
from directory.risk import OFFLINE, SIGN_IN_SCOPES, permission_rule, power

Audience = Literal["user", "admin"]


@dataclass(frozen=True)
class Sentence:
    """One permission, ready to show."""

    value: str  # the raw scope or app role, to show small beside the text
    text: str
    detail: str  # a longer explanation, may be ""
    risk: Risk
    admin_only: bool
    rule: str
    # Which grants hold it: a page offers to remove it where one of them is the reader's own.
    grants: tuple[PermissionGrant, ...] = ()
    # For an app-only permission: the assignment that gives it.
    assignment: AppRoleAssignment | None = None


@dataclass(frozen=True)
class ResourcePermissions:
    """What an app may do with one resource, most powerful first."""

    resource_id: UUID
    resource_name: str
    sentences: tuple[Sentence, ...]

    @property
    def risk(self) -> Risk:
        return max((sentence.risk for sentence in self.sentences), default=Risk.LOW)


class Definitions:
    """What scopes and app roles mean, for some resources of one tenant: two queries, however many grants.

    Args:
        held: only these scopes, by name, and app roles, by id; all that the resources have without it.
    """

    def __init__(self, tenant, resource_ids: Iterable[UUID], held: Iterable[str | UUID] | None = None):
        ids = set(resource_ids)
        self.resources = {
            resource.id: resource for resource in ServicePrincipal.objects.filter(tenant=tenant, id__in=ids)
        }
        self._by_value: dict[tuple, PermissionDefinition] = {}
        self._by_id: dict[tuple, PermissionDefinition] = {}
        found = PermissionDefinition.objects.filter(tenant=tenant, resource_id__in=ids)
        if held is not None:
            roles = {one for one in held if isinstance(one, UUID)}
            found = found.filter(Q(value__in=set(held) - roles) | Q(permission_id__in=roles))
        for definition in found:
            self._by_value[definition.resource_id, definition.kind, definition.value] = definition
            self._by_id[definition.resource_id, definition.permission_id] = definition

    @classmethod
    def of_grants(cls, grants: Sequence[PermissionGrant]) -> Self:
        """What the scopes of these mean; there is one at least, and all are of one tenant."""
        scopes = {scope for grant in grants for scope in grant.scopes}
        return cls(grants[0].tenant_id, {grant.resource_id for grant in grants}, scopes)

    def scope(self, resource_id: UUID, value: str) -> PermissionDefinition | None:
        return self._by_value.get((resource_id, PermissionDefinition.Kind.DELEGATED, value))

    def app_role(self, resource_id: UUID, app_role_id: UUID) -> PermissionDefinition | None:
        return self._by_id.get((resource_id, app_role_id))

    def resource_name(self, resource_id: UUID) -> str:
        resource = self.resources.get(resource_id)
        return resource.display_name if resource else str(_("an API this tenant no longer knows"))

    def is_microsoft(self, resource_id: UUID) -> bool:
        # A resource nobody knows is rated by its permissions' names, which errs on the careful side.
        resource = self.resources.get(resource_id)
        return resource is None or resource.is_microsoft


def sentences(
    grants: Iterable[PermissionGrant], audience: Audience = "user", definitions: Definitions | None = None
) -> list[ResourcePermissions]:
    """Everything some delegated grants of one app allow, grouped by resource, most powerful first.

    Args:
        grants: grants of one tenant; the same scope held twice gives one sentence that names both grants.
        audience: whose words to use: the person's ("your mail") or the administrator's ("users' mail").
        definitions: loaded once by callers that word many apps; loaded here otherwise (two queries).
    """
    grants = list(grants)
    if not grants:
        return []
    definitions = definitions or Definitions.of_grants(grants)
    held: dict[UUID, dict[str, list[PermissionGrant]]] = {}
    for grant in grants:
        for value in grant.scopes:
            held.setdefault(grant.resource_id, {}).setdefault(value, []).append(grant)
    groups = [
        _group(
            definitions,
            resource_id,
            [_sentence(definitions, resource_id, value, audience, holders) for value, holders in scopes.items()],
        )
        for resource_id, scopes in held.items()
    ]
    return sorted(groups, key=lambda group: (-group.risk, group.resource_name.casefold()))


def app_only_sentences(
    assignments: Iterable[AppRoleAssignment], definitions: Definitions | None = None
) -> list[ResourcePermissions]:
    """The application permissions some assignments give, as `sentences` does for delegated ones."""
    assignments = list(assignments)
    if not assignments:
        return []
    if definitions is None:
        resources, roles = {item.resource_id for item in assignments}, {item.app_role_id for item in assignments}
        definitions = Definitions(assignments[0].tenant_id, resources, roles)
    held: dict[UUID, list[Sentence]] = {}
    for assignment in assignments:
        definition = definitions.app_role(assignment.resource_id, assignment.app_role_id)
        value = definition.value if definition else str(assignment.app_role_id)
        rule = permission_rule(value, application=True, microsoft_api=definitions.is_microsoft(assignment.resource_id))
        held.setdefault(assignment.resource_id, []).append(
            Sentence(
                value=value,
                text=(definition.admin_display_name if definition else "") or value,
                detail=definition.admin_description if definition else "",
                risk=Risk(rule.risk),
                admin_only=True,
                rule=rule.key,
                assignment=assignment,
            )
        )
    groups = [_group(definitions, resource_id, found) for resource_id, found in held.items()]
    return sorted(groups, key=lambda group: (-group.risk, group.resource_name.casefold()))


def _group(definitions: Definitions, resource_id: UUID, found: list[Sentence]) -> ResourcePermissions:
    found.sort(key=lambda item: (-item.risk, ORDER[item.rule], item.value.casefold()))
    return ResourcePermissions(resource_id, definitions.resource_name(resource_id), tuple(found))


def _sentence(
    definitions: Definitions, resource_id: UUID, value: str, audience: Audience, holders: Sequence[PermissionGrant]
) -> Sentence:
    definition = definitions.scope(resource_id, value)
    admin_only = bool(definition and definition.admin_only)
    rule = permission_rule(value, admin_only=admin_only, microsoft_api=definitions.is_microsoft(resource_id))
    return Sentence(
        value=value,
        text=_words(definition, audience) or _known(value, audience) or value,
        detail=_detail(definition, audience),
        risk=Risk(rule.risk),
        admin_only=admin_only,
        rule=rule.key,
        grants=tuple(holders),
    )


def _words(definition: PermissionDefinition | None, audience: Audience) -> str:
    if definition is None:
        return ""
    user, admin = definition.user_display_name, definition.admin_display_name
    return (user or admin) if audience == "user" else (admin or user)


def _detail(definition: PermissionDefinition | None, audience: Audience) -> str:
    if definition is None:
        return ""
    user, admin = definition.user_description, definition.admin_description
    return (user or admin) if audience == "user" else (admin or user)


def _known(value: str, audience: Audience) -> str:
    """A sentence for scopes whose resource defines none: OpenID's own belong to no resource's list."""
    pair = _OPENID.get(value)
    return str(pair[0 if audience == "user" else 1]) if pair else ""


_OPENID = {
    "openid": (gettext_lazy("Sign you in"), gettext_lazy("Sign people in")),
    "profile": (gettext_lazy("View your basic profile"), gettext_lazy("View people's basic profile")),
    "email": (gettext_lazy("View your e-mail address"), gettext_lazy("View people's e-mail address")),
    OFFLINE: (gettext_lazy("Keep access while you are away"), gettext_lazy("Keep access while people are away")),
}

# What a scope touches, in the reader's words and in the administrator's, and what it does to it.
_OBJECTS = {
    "mail": (gettext_lazy("your mail"), gettext_lazy("mail")),
    "mailbox_settings": (gettext_lazy("your mailbox settings"), gettext_lazy("mailbox settings")),
    "contacts": (gettext_lazy("your contacts"), gettext_lazy("contacts")),
    "calendars": (gettext_lazy("your calendars"), gettext_lazy("calendars")),
    "files": (gettext_lazy("your files"), gettext_lazy("files")),
    "all_files": (gettext_lazy("all files you can open"), gettext_lazy("all files people can open")),
    "sites": (gettext_lazy("the SharePoint sites you can open"), gettext_lazy("SharePoint sites")),
    "notes": (gettext_lazy("your notebooks"), gettext_lazy("notebooks")),
    "tasks": (gettext_lazy("your tasks"), gettext_lazy("tasks")),
    "chats": (gettext_lazy("your chats"), gettext_lazy("chats")),
    "channel_messages": (gettext_lazy("your Teams channel messages"), gettext_lazy("Teams channel messages")),
    "people": (gettext_lazy("who you work with"), gettext_lazy("who works with whom")),
    "all_profiles": (gettext_lazy("everyone's profiles"), gettext_lazy("everyone's profiles")),
    "groups": (gettext_lazy("the organisation's groups"), gettext_lazy("groups")),
    "directory": (gettext_lazy("the organisation's people and groups"), gettext_lazy("the directory")),
    "apps": (gettext_lazy("the organisation's apps"), gettext_lazy("apps")),
    "roles": (gettext_lazy("who is an administrator"), gettext_lazy("who is an administrator")),
    "grants": (gettext_lazy("which apps may act for whom"), gettext_lazy("which apps may act for whom")),
}
_OBJECT_OF_ROOT = {
    "Mail": "mail",
    "EWS": "mail",
    "IMAP": "mail",
    "POP": "mail",
    "SMTP": "mail",
    "MailboxSettings": "mailbox_settings",
    "Contacts": "contacts",
    "Calendars": "calendars",
    "Files": "files",
    "Sites": "sites",
    "AllSites": "sites",
    "Notes": "notes",
    "Tasks": "tasks",
    "Chat": "chats",
    "ChannelMessage": "channel_messages",
    "People": "people",
    "Group": "groups",
    "GroupMember": "groups",
    "Directory": "directory",
    "Application": "apps",
    "AppRoleAssignment": "apps",
    "RoleManagement": "roles",
    "DelegatedPermissionGrant": "grants",
}
_VERBS = {
    "read": gettext_lazy("read"),
    "write": gettext_lazy("change"),
    "send": gettext_lazy("send"),
    "use": gettext_lazy("use"),
}
_WHOLE_MAILBOX = {"EWS", "IMAP", "POP"}


def summary(scopes: Iterable[str], audience: Audience = "user") -> str:
    """One line for everything an app may do: "Read and send your mail, read your contacts, and keep that access while
    you are away."

    Signing in is only mentioned when there is nothing more to say. Scopes of other APIs are counted, not guessed at.
    """
    values = _by_power(scopes)
    phrases = _said(values, audience)
    if OFFLINE in values:
        phrases.append(
            _("keep that access while you are away") if audience == "user" else _("keep access while they are away")
        )
    text = join(phrases)
    return pgettext("sentence", "%s.") % (text[:1].upper() + text[1:])


def can(scopes: Iterable[str], audience: Audience = "user") -> str:
    """The same as words that go on a sentence: "read and send your mail and read your contacts"."""
    return join(_said(_by_power(scopes), audience))


def _by_power(scopes: Iterable[str]) -> list[str]:
    return sorted(set(scopes), key=lambda value: power(value, permission_rule(value)))


def _said(values: Sequence[str], audience: Audience) -> list[str]:
    phrases, unknown = _phrases(values, audience)
    if not phrases and not unknown:
        phrases.append(_("sign you in and read your profile") if audience == "user" else _("sign in, read the profile"))
    if unknown == 1:
        phrases.append(_("use one permission of another app"))
    elif unknown:
        phrases.append(_("use %(count)s permissions of other apps") % {"count": unknown})
    return phrases


def _phrases(values: Sequence[str], audience: Audience) -> tuple[list[str], int]:
    verbs: dict[str, list[str]] = {}
    unknown = 0
    for value in values:
        if value in SIGN_IN_SCOPES:
            continue
        root = value.partition(".")[0]
        thing = _object(value, root)
        if thing is None:
            unknown += 1
            continue
        for verb in _verbs(value, root):
            if verb not in verbs.setdefault(thing, []):
                verbs[thing].append(verb)
    order = list(_VERBS)
    phrases = []
    for thing, does in verbs.items():
        words = [str(_VERBS[verb]) for verb in sorted(does, key=order.index)]
        name = str(_OBJECTS[thing][0 if audience == "user" else 1])
        phrases.append(_("%(verbs)s %(object)s") % {"verbs": join(words), "object": name})
    return phrases, unknown


def _object(value: str, root: str) -> str | None:
    if root == "User" or root == "Member":
        return "all_profiles"
    if value in ("Files.Read.All", "Files.ReadWrite.All"):
        return "all_files"
    return _OBJECT_OF_ROOT.get(root)


def _verbs(value: str, root: str) -> list[str]:
    if root in _WHOLE_MAILBOX:
        return ["read", "write", "send"]
    if root == "SMTP" or value.startswith(("Mail.Send", "ChannelMessage.Send")):
        return ["send"]
    if "ReadWrite" in value or "FullControl" in value or "Manage" in value:
        return ["read", "write"]
    if "AccessAsUser" in value:
        return ["read", "write"]
    return ["read"]


def join(phrases: Sequence[str]) -> str:
    """ "a", "a and b", "a, b, and c"."""
    phrases = [str(phrase) for phrase in phrases]
    if len(phrases) < 2:
        return "".join(phrases)
    if len(phrases) == 2:
        return _("%(first)s and %(last)s") % {"first": phrases[0], "last": phrases[1]}
    return _("%(first)s, and %(last)s") % {"first": ", ".join(phrases[:-1]), "last": phrases[-1]}
