"""Why something is rated as it is, in words: one sentence for each reason that `facts/permissions.csv` names, and more.

A permission used in somebody's name and one used with nobody signed in never share a sentence: the first reaches what
its users can reach, the second everybody's. A rating is stored as keys and parameters, so that the words can change
without another reading of the directory.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from directory.models import Risk

ALONE = "app_"  # begins the key of every reason about an application permission


@dataclass(frozen=True)
class Rule:
    """One reason. `title` is a word or two, `text` a sentence that may name parameters."""

    key: str
    risk: Risk
    title: str | Promise
    text: str | Promise


_LEVELS = {"H": Risk.HIGH, "M": Risk.MEDIUM, "L": Risk.LOW}

# reason: title; level and sentence in somebody's name; level and sentence with nobody signed in. In the order of their
# power, by which lists of permissions and of reasons are sorted. `%(values)s` are the permissions' names.
_PERMISSIONS = {
    "takeover": (
        _("Control"),
        ("H", _("Can give itself or others any permission, in the name of an administrator who uses it: %(values)s.")),
        ("H", _("Can give itself or others any permission, with nobody signed in: %(values)s.")),
    ),
    "impersonation": (
        _("Acts as people"),
        ("H", _("Can do anything there that its users can do: %(values)s.")),
        ("H", _("Can do anything there, with nobody signed in: %(values)s.")),
    ),
    "credentials": (
        _("Passwords"),
        ("H", _("Can change how people sign in, in the name of those who use it: %(values)s.")),
        ("H", _("Can change how anybody signs in, with nobody signed in: %(values)s.")),
    ),
    "policy_write": (
        _("Policies"),
        ("H", _("Can change policies and settings of the organisation, in the name of those who use it: %(values)s.")),
        ("H", _("Can change policies and settings of the organisation, with nobody signed in: %(values)s.")),
    ),
    "directory_write": (
        _("Directory"),
        ("H", _("Can change people, groups or the directory, in the name of those who use it: %(values)s.")),
        ("H", _("Can change people, groups or the directory, with nobody signed in: %(values)s.")),
    ),
    "apps_write": (
        _("Apps"),
        ("H", _("Can change or install apps, in the name of those who use it: %(values)s.")),
        ("H", _("Can change or install apps, with nobody signed in: %(values)s.")),
    ),
    "agents_write": (
        _("AI agents"),
        ("H", _("Can make or change AI agents, in the name of those who use it: %(values)s.")),
        ("H", _("Can make or change AI agents, with nobody signed in: %(values)s.")),
    ),
    "security_write": (
        _("Security"),
        ("H", _("Can change alerts or take security actions, in the name of those who use it: %(values)s.")),
        ("H", _("Can change alerts or take security actions, with nobody signed in: %(values)s.")),
    ),
    "devices_write": (
        _("Devices"),
        ("H", _("Can change, command or wipe devices, in the name of those who use it: %(values)s.")),
        ("H", _("Can change, command or wipe devices, with nobody signed in: %(values)s.")),
    ),
    "compliance_write": (
        _("Records"),
        ("H", _("Can change legal cases, retention or backups, in the name of those who use it: %(values)s.")),
        ("H", _("Can change legal cases, retention or backups, with nobody signed in: %(values)s.")),
    ),
    "legacy_mail": (
        _("Mailbox"),
        ("H", _("Opens its users' whole mailbox through an old mail protocol: %(values)s.")),
        ("H", _("Opens everyone's whole mailbox through an old mail protocol, with nobody signed in: %(values)s.")),
    ),
    "mail_write": (
        _("Mail"),
        ("H", _("Reads, changes and deletes its users' mail: %(values)s.")),
        ("H", _("Reads, changes and deletes everyone's mail, with nobody signed in: %(values)s.")),
    ),
    "mail": (
        _("Mail"),
        ("H", _("Reads its users' mail: %(values)s.")),
        ("H", _("Reads everyone's mail, with nobody signed in: %(values)s.")),
    ),
    "mail_send": (
        _("Sends mail"),
        ("H", _("Sends mail as its users: %(values)s.")),
        ("H", _("Sends mail as anybody, with nobody signed in: %(values)s.")),
    ),
    "mailbox_settings_write": (
        _("Mailbox settings"),
        ("H", _("Changes its users' mailbox rules and settings: %(values)s.")),
        ("H", _("Changes everyone's mailbox rules and settings, with nobody signed in: %(values)s.")),
    ),
    "files_write": (
        _("Files"),
        ("H", _("Changes files and sites that its users can open: %(values)s.")),
        ("H", _("Changes everyone's files and sites, with nobody signed in: %(values)s.")),
    ),
    "files": (
        _("Files"),
        ("H", _("Reads files and sites that its users can open: %(values)s.")),
        ("H", _("Reads everyone's files and sites, with nobody signed in: %(values)s.")),
    ),
    "recordings": (
        _("Recordings"),
        ("H", _("Reads recordings, transcripts or records of its users' calls: %(values)s.")),
        ("H", _("Reads recordings, transcripts or records of everyone's calls, with nobody signed in: %(values)s.")),
    ),
    "chat_write": (
        _("Chats"),
        ("H", _("Writes in its users' chats and channels: %(values)s.")),
        ("H", _("Writes in everyone's chats and channels, with nobody signed in: %(values)s.")),
    ),
    "chat": (
        _("Chats"),
        ("H", _("Reads its users' chats and channels: %(values)s.")),
        ("H", _("Reads everyone's chats and channels, with nobody signed in: %(values)s.")),
    ),
    "sensitive": (
        _("Sensitive data"),
        ("H", _("Reads what is hidden from most people, in the name of those who use it: %(values)s.")),
        ("H", _("Reads what is hidden from most people, with nobody signed in: %(values)s.")),
    ),
    "compliance": (
        _("Records"),
        ("H", _("Reads legal cases, retained or backed-up content, in the name of those who use it: %(values)s.")),
        ("H", _("Reads legal cases, retained or backed-up content, with nobody signed in: %(values)s.")),
    ),
    "sessions": (
        _("Sessions"),
        ("M", _("Can sign people out, in the name of those who use it: %(values)s.")),
        ("H", _("Can sign anybody out, with nobody signed in: %(values)s.")),
    ),
    "credentials_read": (
        _("Sign-in methods"),
        ("M", _("Reads how people sign in, in the name of those who use it: %(values)s.")),
        ("H", _("Reads how everyone signs in, with nobody signed in: %(values)s.")),
    ),
    "mail_basic": (
        _("Mail headers"),
        ("M", _("Sees who writes to its users, and when: %(values)s.")),
        ("H", _("Sees who writes to whom, for everyone, with nobody signed in: %(values)s.")),
    ),
    "mailbox_settings": (
        _("Mailbox settings"),
        ("M", _("Reads its users' mailbox rules and settings: %(values)s.")),
        ("H", _("Reads everyone's mailbox rules and settings, with nobody signed in: %(values)s.")),
    ),
    "calendar_write": (
        _("Calendars"),
        ("M", _("Changes its users' calendars and bookings: %(values)s.")),
        ("H", _("Changes everyone's calendars and bookings, with nobody signed in: %(values)s.")),
    ),
    "calendar": (
        _("Calendars"),
        ("M", _("Reads its users' calendars and bookings: %(values)s.")),
        ("H", _("Reads everyone's calendars and bookings, with nobody signed in: %(values)s.")),
    ),
    "contacts_write": (
        _("Contacts"),
        ("M", _("Changes its users' contacts: %(values)s.")),
        ("H", _("Changes everyone's contacts, with nobody signed in: %(values)s.")),
    ),
    "contacts": (
        _("Contacts"),
        ("M", _("Reads its users' contacts: %(values)s.")),
        ("H", _("Reads everyone's contacts, with nobody signed in: %(values)s.")),
    ),
    "notes_write": (
        _("Notes"),
        ("M", _("Changes its users' notebooks: %(values)s.")),
        ("H", _("Changes everyone's notebooks, with nobody signed in: %(values)s.")),
    ),
    "notes": (
        _("Notes"),
        ("M", _("Reads its users' notebooks: %(values)s.")),
        ("H", _("Reads everyone's notebooks, with nobody signed in: %(values)s.")),
    ),
    "people": (
        _("People"),
        ("M", _("Reads whom its users work with: %(values)s.")),
        ("H", _("Reads who works with whom, with nobody signed in: %(values)s.")),
    ),
    "tasks_write": (
        _("Tasks"),
        ("M", _("Changes its users' tasks and approvals: %(values)s.")),
        ("H", _("Changes everyone's tasks and approvals, with nobody signed in: %(values)s.")),
    ),
    "tasks": (
        _("Tasks"),
        ("M", _("Reads its users' tasks and approvals: %(values)s.")),
        ("M", _("Reads everyone's tasks and approvals, with nobody signed in: %(values)s.")),
    ),
    "meetings_write": (
        _("Meetings"),
        ("M", _("Plans or changes its users' meetings and calls: %(values)s.")),
        ("H", _("Plans, joins or changes anybody's meetings and calls, with nobody signed in: %(values)s.")),
    ),
    "meetings": (
        _("Meetings"),
        ("M", _("Reads its users' meetings and calls: %(values)s.")),
        ("M", _("Reads everyone's meetings and calls, with nobody signed in: %(values)s.")),
    ),
    "teams_write": (
        _("Teams"),
        ("M", _("Changes teams, channels or who is in them, in the name of those who use it: %(values)s.")),
        ("H", _("Changes teams, channels or who is in them, with nobody signed in: %(values)s.")),
    ),
    "education_write": (
        _("School"),
        ("H", _("Changes classes, pupils or their work, in the name of those who use it: %(values)s.")),
        ("H", _("Changes classes, pupils or their work, with nobody signed in: %(values)s.")),
    ),
    "business_write": (
        _("Business data"),
        ("M", _("Changes business data, search content or labels its users can reach: %(values)s.")),
        ("H", _("Changes business data, search content or labels, with nobody signed in: %(values)s.")),
    ),
    "printing_write": (
        _("Printing"),
        ("M", _("Changes printers or print jobs, in the name of those who use it: %(values)s.")),
        ("H", _("Changes printers or anybody's print jobs, with nobody signed in: %(values)s.")),
    ),
    "logs_write": (
        _("Logs"),
        ("M", _("Writes entries of logs and reports, in the name of those who use it: %(values)s.")),
        ("M", _("Writes entries of logs and reports, with nobody signed in: %(values)s.")),
    ),
    "write": (
        _("Changes things"),
        ("M", _("Changes things in the name of those who use it: %(values)s.")),
        ("H", _("Can change things with nobody signed in: %(values)s.")),
    ),
    "roles": (
        _("Roles"),
        ("M", _("Reads who may administer what, in the name of those who use it: %(values)s.")),
        ("M", _("Reads who may administer what, with nobody signed in: %(values)s.")),
    ),
    "policy": (
        _("Policies"),
        ("M", _("Reads policies and settings of the organisation, in the name of those who use it: %(values)s.")),
        ("M", _("Reads policies and settings of the organisation, with nobody signed in: %(values)s.")),
    ),
    "security": (
        _("Security"),
        ("M", _("Reads alerts and risks, in the name of those who use it: %(values)s.")),
        ("M", _("Reads alerts and risks, with nobody signed in: %(values)s.")),
    ),
    "logs": (
        _("Logs"),
        ("M", _("Reads logs and reports, in the name of those who use it: %(values)s.")),
        ("M", _("Reads logs and reports, with nobody signed in: %(values)s.")),
    ),
    "directory": (
        _("Directory"),
        ("M", _("Reads people, groups and the directory as its users see them: %(values)s.")),
        ("M", _("Reads all people, groups and the directory, with nobody signed in: %(values)s.")),
    ),
    "profiles": (
        _("Profiles"),
        ("M", _("Reads everyone's profiles as its users see them: %(values)s.")),
        ("M", _("Reads everyone's profiles, with nobody signed in: %(values)s.")),
    ),
    "apps": (
        _("Apps"),
        ("M", _("Reads which apps there are and what they may do, as its users see it: %(values)s.")),
        ("M", _("Reads which apps there are and what they may do, with nobody signed in: %(values)s.")),
    ),
    "agents": (
        _("AI agents"),
        ("M", _("Reads which AI agents there are, as its users see it: %(values)s.")),
        ("M", _("Reads which AI agents there are, with nobody signed in: %(values)s.")),
    ),
    "teams": (
        _("Teams"),
        ("M", _("Reads teams, channels and who is in them, as its users see them: %(values)s.")),
        ("M", _("Reads all teams, channels and who is in them, with nobody signed in: %(values)s.")),
    ),
    "devices": (
        _("Devices"),
        ("M", _("Reads devices and their settings, in the name of those who use it: %(values)s.")),
        ("M", _("Reads all devices and their settings, with nobody signed in: %(values)s.")),
    ),
    "education": (
        _("School"),
        ("M", _("Reads classes, pupils or their work as its users see them: %(values)s.")),
        ("M", _("Reads everyone's classes and their work, with nobody signed in: %(values)s.")),
    ),
    "business": (
        _("Business data"),
        ("M", _("Reads business data, search content or labels its users can reach: %(values)s.")),
        ("M", _("Reads business data, search content or labels, with nobody signed in: %(values)s.")),
    ),
    "printing": (
        _("Printing"),
        ("M", _("Sees printers and print jobs as its users see them: %(values)s.")),
        ("M", _("Sees all printers and print jobs, with nobody signed in: %(values)s.")),
    ),
    "admin_only": (
        _("Admin permissions"),
        ("M", _("Holds what only an administrator can give: %(values)s.")),
        ("M", _("Holds what works with nobody signed in and only an administrator can give: %(values)s.")),
    ),
    "chosen": (
        _("Chosen places"),
        ("M", _("Reaches only what it was let into one by one, in the name of those who use it: %(values)s.")),
        ("M", _("Works with nobody signed in, where it was let in one by one: %(values)s.")),
    ),
    "read": (
        _("Content"),
        ("M", _("Reads content its users can reach: %(values)s.")),
        ("M", _("Reads data with nobody signed in: %(values)s.")),
    ),
    "small": (
        _("Small things"),
        ("L", _("Sees or sets its users' presence, notifications or settings: %(values)s.")),
        ("M", _("Sees or sets everyone's presence, notifications or settings, with nobody signed in: %(values)s.")),
    ),
    "own_corner": (
        _("Its own folder"),
        ("L", _("Keeps things of its own beside its users' content: %(values)s.")),
        ("M", _("Keeps things of its own in everyone's storage, with nobody signed in: %(values)s.")),
    ),
    "profile_own": (
        _("Own profile"),
        ("L", _("Changes its users' own profile: %(values)s.")),
        ("M", _("Changes everyone's own profile, with nobody signed in: %(values)s.")),
    ),
    "sign_in": (
        _("Sign-in"),
        ("L", _("Signs people in and reads their basic profile.")),
        ("M", _("Reads everyone's basic profile, with nobody signed in: %(values)s.")),
    ),
}

# What is said of the app itself.
_APPS = {
    "imitates": ("H", _("Name"), _("Its name looks like “%(name)s”, which it is not.")),
    "microsoft_disabled": ("H", _("Blocked by Microsoft"), _("Microsoft has disabled this app: %(status)s.")),
    "offline_unverified": (
        "H",
        _("Unknown and lasting"),
        _("Works while people are away; publisher not verified."),
    ),
    "spread": ("H", _("Speed"), _("%(count)s people consented within %(days)s days.")),
    "secret_added": ("H", _("New secret"), _("A secret was added to it here %(days)s days ago, not by its publisher.")),
    "unverified": ("M", _("Publisher"), _("Microsoft has not verified who publishes this app.")),
    "mixed_letters": ("M", _("Letters"), _("Its name mixes letters of different alphabets.")),
    "localhost": ("M", _("Reply address"), _("Sends sign-ins to the person's own machine: %(url)s.")),
    "insecure_reply": ("M", _("Reply address"), _("Sends sign-ins over an unprotected connection: %(url)s.")),
    "unused": ("M", _("Not used"), _("Has permissions, and was not used for %(days)s days.")),
    "ai_connector": ("M", _("AI connector"), _("Hands what it reads to an AI service: %(product)s.")),
    "secret_expires": ("L", _("Secret"), _("A secret of it here ends in %(days)s days.")),
    "offline": ("L", _("Works while away"), _("Keeps its access while people are away.")),
    "new": ("L", _("New"), _("Came to this tenant %(days)s days ago.")),
}
FACTS = frozenset(_APPS)

RULES: dict[str, Rule] = {}
for _key, (_title, _delegated, _alone) in _PERMISSIONS.items():
    RULES[ALONE + _key] = Rule(ALONE + _key, _LEVELS[_alone[0]], _title, _alone[1])
    RULES[_key] = Rule(_key, _LEVELS[_delegated[0]], _title, _delegated[1])
for _key, (_level, _title, _text) in _APPS.items():
    RULES[_key] = Rule(_key, _LEVELS[_level], _title, _text)
ORDER = {key: position for position, key in enumerate(RULES)}
PERMISSION_REASONS = tuple(_PERMISSIONS)

# What an administrator asks for, and the reasons that answer it.
GROUPS = {
    "mail": ("mail", "mail_write", "legacy_mail"),
    "send": ("mail_send", "mail_write", "legacy_mail"),
    "files": ("files", "files_write"),
    "content": ("mail", "mail_write", "legacy_mail", "files", "files_write"),
    "chats": ("chat", "chat_write", "recordings"),
    "directory": ("directory_write", "apps_write", "policy_write", "credentials", "takeover", "impersonation"),
    "more": ("takeover", "credentials", "impersonation"),
    "devices": ("devices_write",),
}
