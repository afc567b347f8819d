"""Permissions in people's words: a sentence per scope, grouped by resource, and one line for a whole app.

A scope's sentence is the resource's own (`userConsentDisplayName` for users, `adminConsentDisplayName` for admins),
as the directory copy holds it. The one-line summary is ours, and knows the scopes people meet most.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.utils.translation import gettext as _, gettext_lazy as lazy, pgettext

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
    """What scopes and app roles mean, for some resources of one tenant: two queries, however many grants."""

    def __init__(self, tenant, resource_ids: Iterable[UUID]):
        ids = set(resource_ids)
        self.resources = {
            resource.id: resource for resource in ServicePrincipal.objects.filter(tenant=tenant, id__in=ids)
        }
        self._by_value: dict[tuple, PermissionDefinition] = {}
        self._by_id: dict[tuple, PermissionDefinition] = {}
        for definition in PermissionDefinition.objects.filter(tenant=tenant, resource_id__in=ids):
            self._by_value[definition.resource_id, definition.kind, definition.value] = definition
            self._by_id[definition.resource_id, definition.permission_id] = definition

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
    definitions = definitions or Definitions(grants[0].tenant_id, {grant.resource_id for grant in grants})
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
    definitions = definitions or Definitions(assignments[0].tenant_id, {item.resource_id for item in assignments})
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
    "openid": (lazy("Sign you in"), lazy("Sign people in")),
    "profile": (lazy("View your basic profile"), lazy("View people's basic profile")),
    "email": (lazy("View your e-mail address"), lazy("View people's e-mail address")),
    OFFLINE: (lazy("Keep access while you are away"), lazy("Keep access while people are away")),
}

# What a scope touches, in the reader's words and in the administrator's, and what it does to it.
_OBJECTS = {
    "mail": (lazy("your mail"), lazy("mail")),
    "mailbox_settings": (lazy("your mailbox settings"), lazy("mailbox settings")),
    "contacts": (lazy("your contacts"), lazy("contacts")),
    "calendars": (lazy("your calendars"), lazy("calendars")),
    "files": (lazy("your files"), lazy("files")),
    "all_files": (lazy("all files you can open"), lazy("all files people can open")),
    "sites": (lazy("the SharePoint sites you can open"), lazy("SharePoint sites")),
    "notes": (lazy("your notebooks"), lazy("notebooks")),
    "tasks": (lazy("your tasks"), lazy("tasks")),
    "chats": (lazy("your chats"), lazy("chats")),
    "channel_messages": (lazy("your Teams channel messages"), lazy("Teams channel messages")),
    "people": (lazy("who you work with"), lazy("who works with whom")),
    "all_profiles": (lazy("everyone's profiles"), lazy("everyone's profiles")),
    "groups": (lazy("the organisation's groups"), lazy("groups")),
    "directory": (lazy("the organisation's directory"), lazy("the directory")),
    "apps": (lazy("the organisation's apps"), lazy("apps")),
    "roles": (lazy("who is an administrator"), lazy("who is an administrator")),
    "grants": (lazy("which apps may act for whom"), lazy("which apps may act for whom")),
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
    "read": lazy("read"),
    "write": lazy("change"),
    "send": lazy("send"),
    "use": lazy("use"),
}
_WHOLE_MAILBOX = {"EWS", "IMAP", "POP"}


def summary(scopes: Iterable[str], audience: Audience = "user") -> str:
    """One line for everything an app may do: "Read and send your mail, read your contacts, and keep that access while
    you are away."

    Signing in is only mentioned when there is nothing more to say. Scopes of other APIs are counted, not guessed at.
    """
    values = sorted(set(scopes), key=lambda value: power(value, permission_rule(value)))
    phrases, unknown = _phrases(values, audience)
    if not phrases and not unknown:
        phrases.append(_("sign you in and read your profile") if audience == "user" else _("sign in, read the profile"))
    if unknown == 1:
        phrases.append(_("use one permission of another app"))
    elif unknown:
        phrases.append(_("use %(count)s permissions of other apps") % {"count": unknown})
    if OFFLINE in values:
        phrases.append(
            _("keep that access while you are away") if audience == "user" else _("keep access while they are away")
        )
    text = join(phrases)
    return pgettext("sentence", "%s.") % (text[:1].upper() + text[1:])


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
