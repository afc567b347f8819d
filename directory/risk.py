"""How dangerous a permission is, and an app: a versioned catalogue of rules, each with its reason in words.

The scale starts from Microsoft's privilege levels and its consent-grant report, and corrects both where consent
phishing disagrees with them: reading mail is "level 2" to a directory, and everything to its owner.
A rating is stored as rule keys and parameters, so that the words can change without another sync.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _, ngettext_lazy

from directory.lookalikes import brand_of, has_mixed_scripts
from directory.models import Risk
from directory.permission_names import APPLICATION_ROOTS, EVERYONES_ROOTS, EXACT, ROOTS, WRITE_ROOTS

CATALOGUE_VERSION = "2026.11"

NEW_FOR = timedelta(days=7)
UNUSED_AFTER = timedelta(days=90)
SPREAD_WITHIN = timedelta(days=14)
SPREAD_PEOPLE = 20  # consents within SPREAD_WITHIN that look like a campaign
SPREAD_PEOPLE_SMALL = 5  # in a small tenant, when they are also a quarter of its people


@dataclass(frozen=True)
class Rule:
    """One line of the catalogue. `title` is a word or two, `text` a sentence that may name parameters."""

    key: str
    risk: Risk
    title: str | Promise
    text: str | Promise


@dataclass(frozen=True)
class Reason:
    """Why an app or a permission is rated as it is, ready to show."""

    rule: str
    risk: Risk
    title: str
    text: str


def _high(key: str, title, text) -> Rule:
    return Rule(key, Risk.HIGH, title, text)


def _medium(key: str, title, text) -> Rule:
    return Rule(key, Risk.MEDIUM, title, text)


def _low(key: str, title, text) -> Rule:
    return Rule(key, Risk.LOW, title, text)


# In the order of their power: lists of permissions and of reasons are sorted by it.
_RULES = [
    _high("takeover", _("Control"), _("Can give itself or others any permission: %(values)s.")),
    _high("impersonation", _("Acts as people"), _("Can do anything the person can do: %(values)s.")),
    _high("credentials", _("Passwords"), _("Can change how people sign in: %(values)s.")),
    _high("directory_write", _("Directory"), _("Can change people, groups or devices: %(values)s.")),
    _high("policy", _("Policies"), _("Can read or change security policies: %(values)s.")),
    _high("legacy_mail", _("Mailbox"), _("Opens the whole mailbox through an old mail protocol: %(values)s.")),
    _high("mail", _("Mail"), _("Reads, changes or sends mail: %(values)s.")),
    _high("mailbox_settings", _("Mailbox settings"), _("Reads or changes mailbox rules and settings: %(values)s.")),
    _high("files", _("Files"), _("Reads or changes files: %(values)s.")),
    _high("sites_write", _("Sites"), _("Changes SharePoint sites: %(values)s.")),
    _high("chat_write", _("Chats"), _("Writes chats or channel messages: %(values)s.")),
    _high("sensitive", _("Sensitive data"), _("Reads data that is hidden from most people: %(values)s.")),
    _high(
        "app_mail_write",
        _("Everyone's mail"),
        _("Changes or sends everyone's mail, with nobody signed in: %(values)s."),
    ),
    _high("app_mail", _("Everyone's mail"), _("Reads everyone's mail, with nobody signed in: %(values)s.")),
    _high(
        "app_mailbox_settings",
        _("Everyone's mailbox settings"),
        _("Reads or changes everyone's mailbox rules and settings, with nobody signed in: %(values)s."),
    ),
    _high("app_files_write", _("Everyone's files"), _("Changes everyone's files, with nobody signed in: %(values)s.")),
    _high("app_files", _("Everyone's files"), _("Reads everyone's files, with nobody signed in: %(values)s.")),
    _high(
        "app_content_write",
        _("Everyone's content"),
        _("Changes everyone's content, with nobody signed in: %(values)s."),
    ),
    _high("app_content", _("Everyone's content"), _("Reads everyone's content, with nobody signed in: %(values)s.")),
    _high(
        "app_mail_basic",
        _("Everyone's mail headers"),
        _("Sees who writes to whom, for everyone, with nobody signed in: %(values)s."),
    ),
    _high("app_write", _("Writes alone"), _("Can change things with nobody signed in: %(values)s.")),
    _medium("calendar_write", _("Calendars"), _("Changes calendars: %(values)s.")),
    _medium("contacts", _("Contacts"), _("Reads or changes contacts: %(values)s.")),
    _medium("people", _("People"), _("Reads who works with whom: %(values)s.")),
    _medium("notes", _("Notes"), _("Reads or changes notebooks: %(values)s.")),
    _medium("admin_only", _("Admin permissions"), _("Holds what only an administrator can give: %(values)s.")),
    _medium(
        "app_selected",
        _("Chosen places"),
        _("Works with nobody signed in, where it was let in one by one: %(values)s."),
    ),
    _medium("app_read", _("Works alone"), _("Reads data with nobody signed in: %(values)s.")),
    _medium("mail_basic", _("Mail headers"), _("Sees who writes to whom, and when: %(values)s.")),
    _medium("content", _("Content"), _("Reads content: %(values)s.")),
    _low("sign_in", _("Sign-in"), _("Signs people in and reads their basic profile.")),
    # Facts about the app itself.
    _high("imitates", _("Name"), _("Its name looks like “%(name)s”, which it is not.")),
    _high("microsoft_disabled", _("Blocked by Microsoft"), _("Microsoft has disabled this app: %(status)s.")),
    _high("offline_unverified", _("Unknown and lasting"), _("Works while people are away; publisher not verified.")),
    _high("spread", _("Speed"), _("%(count)s people consented within %(days)s days.")),
    _medium("unverified", _("Publisher"), _("Microsoft has not verified who publishes this app.")),
    _medium("mixed_letters", _("Letters"), _("Its name mixes letters of different alphabets.")),
    _medium("localhost", _("Reply address"), _("Sends sign-ins to the person's own machine: %(url)s.")),
    _medium("insecure_reply", _("Reply address"), _("Sends sign-ins over an unprotected connection: %(url)s.")),
    _medium("unused", _("Not used"), _("Has permissions, and was not used for %(days)s days.")),
    _low("offline", _("Works while away"), _("Keeps its access while people are away.")),
    _low("new", _("New"), _("Came to this tenant %(days)s days ago.")),
]
RULES = {rule.key: rule for rule in _RULES}
_ORDER = {rule.key: position for position, rule in enumerate(_RULES)}

SIGN_IN_SCOPES = frozenset({"openid", "profile", "email", "offline_access", "User.Read", "User.ReadBasic.All"})
OFFLINE = "offline_access"

# Microsoft's names are Resource.Operation.Constraint. What does not only read, changes something: new verbs keep
# coming (Revoke, Invite, Submit, Initiate, Command), and a verb we do not know is not taken for harmless.
_READS = re.compile(r"(Read(?!Write|Update)|View|List|Selected|Export|Evaluate|Compute|Process)")
# Other publishers name theirs as they like: words, so that *Management* is not taken for *Manage*.
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_WRITING_WORDS = frozenset(
    ["write", "send", "manage", "control", "create", "delete", "update", "edit", "add", "remove", "revoke", "admin"]
)


def permission_rule(
    value: str, *, application: bool = False, admin_only: bool = False, microsoft_api: bool = True
) -> Rule:
    """The rule that rates one permission.

    Args:
        value: the scope or app role, `Mail.Read`.
        application: an application permission, used with nobody signed in.
        admin_only: its publisher says that only an administrator may consent to it.
        microsoft_api: the resource is Microsoft's, so that the names mean what Microsoft's catalogue says.
    """
    root, _dot, operation = value.partition(".")
    if not microsoft_api:
        if application:
            words = {word.lower() for word in _WORD.findall(value)}
            return RULES["app_write" if words & _WRITING_WORDS else "app_read"]
        if value in SIGN_IN_SCOPES:
            return RULES["sign_in"]
        return RULES["admin_only" if admin_only else "content"]
    if value in EXACT:
        return RULES[EXACT[value]]
    writes = not _READS.match(operation)
    if application:
        if root in APPLICATION_ROOTS:
            return RULES[APPLICATION_ROOTS[root]]
        if operation.endswith("Selected"):
            return RULES["app_selected"]
        if root in EVERYONES_ROOTS:
            return RULES[EVERYONES_ROOTS[root] + ("_write" if writes else "")]
        if root in ROOTS:
            return RULES[ROOTS[root]]
        return RULES["app_write" if writes else "app_read"]
    if value in SIGN_IN_SCOPES:
        return RULES["sign_in"]
    if value == "user_impersonation":
        return RULES["impersonation"]
    if root in ROOTS:
        return RULES[ROOTS[root]]
    if root in WRITE_ROOTS and writes:
        return RULES[WRITE_ROOTS[root]]
    return RULES["admin_only" if admin_only else "content"]


def power(value: str, rule: Rule) -> tuple:
    """Sort key: most powerful permission first, then by name."""
    return (-rule.risk, _ORDER[rule.key], value.casefold())


@dataclass(frozen=True)
class HeldPermission:
    """A permission an app holds, however many people gave it."""

    value: str
    application: bool = False
    admin_only: bool = False
    microsoft_api: bool = True

    @property
    def rule(self) -> Rule:
        return permission_rule(
            self.value,
            application=self.application,
            admin_only=self.admin_only,
            microsoft_api=self.microsoft_api,
        )


@dataclass(frozen=True)
class AppFacts:
    """Everything the catalogue looks at to rate one app."""

    name: str
    is_microsoft: bool
    is_own: bool  # registered by this tenant
    verified: bool
    permissions: Sequence[HeldPermission] = ()
    reply_urls: Sequence[str] = ()
    disabled_by_microsoft: str = ""
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    consents: int = 0
    recent_consents: int = 0  # first seen within SPREAD_WITHIN
    people_in_tenant: int = 0
    imitates: str = ""  # the name of the app it resembles, when somebody else owns that one
    now: datetime = field(kw_only=True)


def rate(facts: AppFacts) -> tuple[Risk, list[dict]]:
    """The app's risk and the reasons for it, worst first: [{"rule", "risk", "params"}].

    The risk is the worst of its permissions and of the facts about it. Microsoft's own apps are rated by their
    permissions alone, and those are Microsoft's to hold, so they are low.
    """
    if facts.is_microsoft:
        return Risk.LOW, []
    held = _permission_reasons(facts.permissions)
    worst = max((reason["risk"] for reason in held), default=Risk.LOW)
    reasons = held + [_reason(key, params, risk) for key, params, risk in _facts(facts, Risk(worst))]
    reasons.sort(key=lambda reason: (-reason["risk"], _ORDER[reason["rule"]]))
    return Risk(max((reason["risk"] for reason in reasons), default=Risk.LOW)), reasons


def _permission_reasons(permissions: Iterable[HeldPermission]) -> list[dict]:
    by_rule: dict[str, set[str]] = {}
    for permission in permissions:
        by_rule.setdefault(permission.rule.key, set()).add(permission.value)
    return [_reason(key, {"values": sorted(values)}) for key, values in by_rule.items()]


def _facts(facts: AppFacts, worst: Risk):
    """Yield (rule, parameters, risk or None for the rule's own)."""
    scopes = {permission.value for permission in facts.permissions if not permission.application}
    unverified = not facts.verified and not facts.is_own
    offline = OFFLINE in scopes
    if facts.disabled_by_microsoft and facts.disabled_by_microsoft != "NotDisabled":
        yield "microsoft_disabled", {"status": facts.disabled_by_microsoft}, None
    if unverified:
        name = facts.imitates or brand_of(facts.name)
        if name:
            yield "imitates", {"name": name}, None
        if has_mixed_scripts(facts.name):
            yield "mixed_letters", {}, None
        if offline and worst > Risk.LOW:
            yield "offline_unverified", {}, None  # one step up from whatever its permissions are
        yield "unverified", {}, None if facts.permissions else Risk.LOW
    if offline:
        yield "offline", {}, None
    yield from _spread(facts, unverified)
    yield from _reply_addresses(facts)
    if facts.created_at and facts.now - facts.created_at < NEW_FOR:
        yield "new", {"days": (facts.now - facts.created_at).days}, None
    if facts.last_used_at and facts.permissions and facts.now - facts.last_used_at > UNUSED_AFTER:
        yield "unused", {"days": (facts.now - facts.last_used_at).days}, None if worst > Risk.LOW else Risk.LOW


def _spread(facts: AppFacts, unverified: bool):
    young = facts.created_at and facts.now - facts.created_at < SPREAD_WITHIN
    count = facts.consents if young else facts.recent_consents
    days = max((facts.now - facts.created_at).days, 1) if young else SPREAD_WITHIN.days
    small = count >= SPREAD_PEOPLE_SMALL and count * 4 >= facts.people_in_tenant > 0
    if count >= SPREAD_PEOPLE or small:
        yield "spread", {"count": count, "days": days}, None if unverified else Risk.MEDIUM


def _reply_addresses(facts: AppFacts):
    if facts.is_own:
        return  # a tenant's own apps in development answer on localhost, and should
    for url in facts.reply_urls:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            continue
        if host in {"localhost", "127.0.0.1", "::1"}:
            yield "localhost", {"url": url}, None if not facts.verified else Risk.LOW
            return
        if parts.scheme == "http":
            yield "insecure_reply", {"url": url}, None
            return


def _reason(key: str, params: dict, risk: Risk | None = None) -> dict:
    return {"rule": key, "risk": int(RULES[key].risk if risk is None else risk), "params": params}


def reasons(stored: Iterable[dict], *, above: Risk | None = None) -> list[Reason]:
    """Stored reasons in words, worst first. Rules of another catalogue version that are gone are left out.

    Args:
        above: only reasons of a higher risk than this.
    """
    found = []
    for item in stored:
        rule = RULES.get(item["rule"])
        if rule is None or (above is not None and item["risk"] <= above):
            continue
        params = dict(item.get("params", {}))
        if isinstance(params.get("values"), list):
            params["values"] = ", ".join(params["values"])
        text = _new_text(params["days"]) if rule.key == "new" else str(rule.text) % params
        found.append(Reason(rule.key, Risk(item["risk"]), str(rule.title), text))
    return found


def _new_text(days: int) -> str:
    if days < 1:
        return str(_("Came to this tenant today."))
    return str(
        ngettext_lazy("Came to this tenant %(days)s day ago.", "Came to this tenant %(days)s days ago.", days)
        % {"days": days}
    )
