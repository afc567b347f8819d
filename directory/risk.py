"""How dangerous an app is: the worst of what it may do and of what is said about it, each with its reason in words.

What a permission is rated says `facts/permissions.csv` (`directory.ratings`), in the words of `directory.reasons`. A
rating is stored as keys and parameters, so that the words can change without another sync.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import urlsplit

from django.utils.translation import gettext as _, ngettext

from directory.lookalikes import brand_of, has_mixed_scripts
from directory.models import Risk
from directory.ratings import OFFLINE, SIGN_IN_SCOPES, VERSION, permission_rule
from directory.reasons import ALONE, FACTS, ORDER, RULES, Rule

__all__ = [
    "FACTS",
    "OFFLINE",
    "RULES",
    "SIGN_IN_SCOPES",
    "VERSION",
    "AppFacts",
    "HeldPermission",
    "May",
    "Reason",
    "Rule",
    "danger",
    "lead",
    "may",
    "permission_rule",
    "power",
    "rate",
    "reasons",
]

CONNECTORS = Path(__file__).parent / "facts" / "connectors.csv"

NEW_FOR = timedelta(days=7)
UNUSED_AFTER = timedelta(days=90)
SECRET_FOR = timedelta(days=30)  # a secret is told of this long after it was added, and before it ends
SPREAD_WITHIN = timedelta(days=14)
SPREAD_PEOPLE = 20  # consents within SPREAD_WITHIN that look like a campaign
SPREAD_PEOPLE_SMALL = 5  # in a small tenant, when they are also a quarter of its people

# What puts an app before others of the same risk in a list of the worst.
_LEADS = {"imitates": 90, "spread": 60, "secret_added": 60, "offline_unverified": 50, "mixed_letters": 40}
SHOWN_VALUES = 5  # names of permissions in one sentence


@dataclass(frozen=True)
class Reason:
    """Why an app or a permission is rated as it is, ready to show."""

    rule: str
    risk: Risk
    title: str
    text: str


def power(value: str, rule: Rule) -> tuple:
    """Sort key: most powerful permission first, then by name."""
    return (-rule.risk, ORDER[rule.key], value.casefold())


@dataclass(frozen=True)
class HeldPermission:
    """A permission an app holds, however many people gave it."""

    value: str
    application: bool = False
    admin_only: bool = False
    microsoft_api: bool = True

    @cached_property
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
    app_id: str = ""
    secret_added_at: datetime | None = None  # the last secret that was added to it in this tenant
    secret_ends_at: datetime | None = None  # the next of its secrets here to end
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
    reasons.sort(key=lambda reason: (-reason["risk"], ORDER[reason["rule"]]))
    return Risk(max((reason["risk"] for reason in reasons), default=Risk.LOW)), reasons


def danger(risk: Risk, stored: Iterable[dict]) -> int:
    """A number to order apps by, the worst first: the risk, then what makes one of them stand out, 0 to 999."""
    stored = list(stored)
    leads = sum(_LEADS.get(reason["rule"], 0) for reason in stored)
    high = sum(reason["risk"] == Risk.HIGH for reason in stored)
    return min(int(risk) * 300 - 300 + min(leads, 180) + min(high, 20) * 5 + bool(stored), 999)


@cache
def _connectors() -> dict[str, str]:
    with CONNECTORS.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(row for row in file if not row.startswith("#"))
        return {row["app_id"]: row["product"] for row in rows}


def _permission_reasons(permissions: Iterable[HeldPermission]) -> list[dict]:
    values: dict[str, set[str]] = {}
    worst: dict[str, Risk] = {}
    for permission in permissions:
        rule = permission.rule
        values.setdefault(rule.key, set()).add(permission.value)
        worst[rule.key] = max(rule.risk, worst.get(rule.key, Risk.LOW))
    return [_reason(key, {"values": sorted(found)}, worst[key]) for key, found in values.items()]


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
    if product := _connectors().get(facts.app_id):
        yield "ai_connector", {"product": product}, None
    yield from _secrets(facts)
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


def _secrets(facts: AppFacts):
    """Secrets kept on the app in this tenant: its own publisher keeps them on the registration, elsewhere."""
    if facts.is_own:
        return
    if facts.secret_added_at and facts.now - facts.secret_added_at < SECRET_FOR:
        yield "secret_added", {"days": (facts.now - facts.secret_added_at).days}, None
    if facts.secret_ends_at and timedelta() < facts.secret_ends_at - facts.now < SECRET_FOR:
        yield "secret_expires", {"days": (facts.secret_ends_at - facts.now).days}, None


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


@dataclass(frozen=True)
class May:
    """What an app may do, in a word or two; `alone` with nobody signed in, which reaches everybody's."""

    word: str
    alone: bool
    risk: Risk


def may(stored: Iterable[dict], most: int = 3) -> list[May]:
    """The gravest things an app may do, each area once; what only signs people in is not said."""
    found: dict[tuple[str, bool], May] = {}
    for item in stored:
        rule = RULES.get(item["rule"])
        if rule is None or rule.key in FACTS or item["risk"] == Risk.LOW:
            continue
        alone = rule.key.startswith(ALONE)
        found.setdefault((str(rule.title), alone), May(str(rule.title), alone, Risk(item["risk"])))
    ordered = sorted(found.values(), key=lambda one: (-one.risk, not one.alone))
    return ordered[:most]


def lead(stored: Sequence[dict]) -> Reason | None:
    """The one reason to look at an app; None where nothing about it is more than low."""
    worst = max(stored, key=lambda item: (_LEADS.get(item["rule"], 0), item["risk"]), default=None)
    return next(iter(reasons([worst] if worst else [], above=Risk.LOW)), None)


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
        found.append(Reason(rule.key, Risk(item["risk"]), str(rule.title), _text(rule, dict(item.get("params", {})))))
    return found


def _text(rule: Rule, params: dict) -> str:
    if isinstance(params.get("values"), list):
        params["values"] = _names(params["values"])
    if words := _counted(rule.key, params):
        return words % params
    return str(rule.text) % params


def _names(values: Sequence[str]) -> str:
    shown, more = values[:SHOWN_VALUES], len(values) - SHOWN_VALUES
    if more <= 0:
        return ", ".join(shown)
    return ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {
        "names": ", ".join(shown),
        "n": more,
    }


def _counted(key: str, params: dict) -> str:
    """The sentence of reasons that count days; empty for the others."""
    days = params.get("days", 0)
    if key == "new":
        if days < 1:
            return _("Came to this tenant today.")
        return ngettext("Came to this tenant %(days)s day ago.", "Came to this tenant %(days)s days ago.", days)
    if key == "spread":
        return ngettext(
            "%(count)s people consented within %(days)s day.", "%(count)s people consented within %(days)s days.", days
        )
    if key == "secret_added":
        if days < 1:
            return _("A secret was added to it here today, not by its publisher.")
        return ngettext(
            "A secret was added to it here %(days)s day ago, not by its publisher.",
            "A secret was added to it here %(days)s days ago, not by its publisher.",
            days,
        )
    if key == "secret_expires":
        return ngettext("A secret of it here ends in %(days)s day.", "A secret of it here ends in %(days)s days.", days)
    return ""
