"""Reads `facts/permissions.csv`, which says what each permission is rated and why, and rates what is not in it.

The file is the whole of it: changing a line changes the rating, and its version rates every tenant anew at the next
turn of the sweeper, without reading a directory again.
"""

import csv
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from directory.models import Risk
from directory.reasons import ALONE, ORDER, RULES, Rule

FILE = Path(__file__).parent / "facts" / "permissions.csv"

SIGN_IN_SCOPES = frozenset({"openid", "profile", "email", "offline_access", "User.Read", "User.ReadBasic.All"})
OFFLINE = "offline_access"

# Microsoft's names are Resource.Operation.Constraint. What does not only read, changes something: new verbs keep
# coming (Revoke, Invite, Submit, Initiate, Command), and a verb we do not know is not taken for harmless.
_READS = re.compile(r"(Read(?!Write|Update|AndConsent)|View|List|Selected|Export|Evaluate|Compute|Process)")
# Other publishers name theirs as they like: words, so that *Management* is not taken for *Manage*.
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_WRITING_WORDS = frozenset(
    ["write", "send", "manage", "control", "create", "delete", "update", "edit", "add", "remove", "revoke", "admin"]
)


@dataclass(frozen=True)
class Line:
    """One line of the file."""

    api: str
    kind: str  # "delegated" or "application"
    value: str
    risk: Risk
    reason: str
    source: str

    @property
    def rule(self) -> Rule:
        """The reason, at the level of this line: reasons that sound alike may weigh differently."""
        return replace(RULES[(ALONE if self.kind == "application" else "") + self.reason], risk=self.risk)


@cache
def lines() -> tuple[Line, ...]:
    """The file, line by line."""
    with FILE.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(row for row in file if not row.startswith("#"))
        return tuple(Line(**(row | {"risk": Risk(int(row["risk"]))})) for row in rows)


@cache
def _version() -> str:
    with FILE.open(encoding="utf-8") as file:
        found = re.search(r"Version ([\w.]+\w)", file.readline())
    if not found:
        raise ValueError(f"{FILE} does not begin with its version")
    return found[1]


VERSION = _version()


def permission_rule(
    value: str, *, application: bool = False, admin_only: bool = False, microsoft_api: bool = True
) -> Rule:
    """The reason that rates one permission, at its level.

    Args:
        value: the scope or app role, `Mail.Read`.
        application: an application permission, used with nobody signed in.
        admin_only: its publisher says that only an administrator may consent to it.
        microsoft_api: the resource is Microsoft's, so that the names mean what the file says.
    """
    if not microsoft_api:
        return _of_others(value, application, admin_only)
    kind = "application" if application else "delegated"
    if known := _known().get((kind, value)):
        return known
    root, dot, operation = value.partition(".")
    if dot and (worst := _worst().get((kind, root))):
        return worst
    writes = not _READS.match(operation or value)
    if application:
        return RULES[ALONE + ("write" if writes else "read")]
    return RULES["admin_only" if admin_only else "write" if dot and writes else "read"]


def _of_others(value: str, application: bool, admin_only: bool) -> Rule:
    if application:
        words = {word.lower() for word in _WORD.findall(value)}
        return RULES[ALONE + ("write" if words & _WRITING_WORDS else "read")]
    if value in SIGN_IN_SCOPES:
        return RULES["sign_in"]
    return RULES["admin_only" if admin_only else "read"]


@cache
def _known() -> dict[tuple[str, str], Rule]:
    return {(line.kind, line.value): line.rule for line in lines()}


@cache
def _worst() -> dict[tuple[str, str], Rule]:
    """By kind and first word, the worst that begins with it, and of several the most powerful."""
    found: dict[tuple[str, str], Rule] = {}
    for line in lines():
        key = (line.kind, line.value.partition(".")[0])
        if key not in found or _power(line.rule) > _power(found[key]):
            found[key] = line.rule
    return found


def _power(rule: Rule) -> tuple[int, int]:
    return (rule.risk, -ORDER[rule.key])
