"""What is said of an app to the person it acts for: in short, and why to look at it. In their words, not engineers'."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from directory import wording
from directory.models import Risk
from directory.my_apps import MyApp
from directory.risk import OFFLINE, SIGN_IN_SCOPES, UNUSED_AFTER

MOST = 3  # reasons that anybody reads


@dataclass(frozen=True)
class Said:
    """One sentence about an app, and how much it matters."""

    text: str
    risk: Risk


# What is said of the app itself, most alarming first; what matters to administrators alone is left out.
_OF_THE_APP: dict[str, str | Promise | Callable[[dict], str]] = {
    "imitates": gettext_lazy("Its name looks like “%(name)s”, but it is not that app."),
    "microsoft_disabled": gettext_lazy("Microsoft has blocked it for everyone."),
    "mixed_letters": gettext_lazy("Its name mixes letters of different alphabets, as imitations do."),
    "secret_added": gettext_lazy("In the last weeks somebody other than its maker gave it a new password."),
    "offline_unverified": gettext_lazy("Microsoft has not checked who makes it, and it works while you are away."),
    "spread": lambda params: _spread(params),
    "unverified": gettext_lazy("Microsoft has not checked who makes it."),
    "ai_connector": gettext_lazy("It hands what it reads to an AI service: %(product)s."),
    "insecure_reply": gettext_lazy("Your sign-ins to it travel without protection."),
    "unused": lambda params: _unused(params),
}


def what_it_can(item: MyApp) -> str:
    """ "It can read and send your mail, even when you are away." """
    can = wording.can(item.scopes)
    if not item.works_offline:
        return _("It can %(do)s.") % {"do": can}
    return _("It can %(do)s, even when you are away.") % {"do": can}


def who_makes_it(item: MyApp) -> str:
    """Who stands behind it, where that is known; empty where `reasons` says that nobody checked."""
    made_by = item.made_by
    if made_by.is_microsoft:
        return _("It is Microsoft's own.")
    if made_by.is_own:
        return _("Your own organisation made it.")
    if made_by.publisher_verified and made_by.publisher_name:
        return _("It is made by %(who)s, and Microsoft has checked that.") % {"who": made_by.publisher_name}
    return ""


def in_short(item: MyApp, organisation: str) -> list[str]:
    """What it can do, who makes it, and at most three reasons to look at it."""
    makes = who_makes_it(item)
    return [
        what_it_can(item),
        *([makes] if makes else []),
        *(one.text for one in of_the_app(item, organisation)[:MOST]),
    ]


def lead(item: MyApp, organisation: str) -> str:
    """The one reason to look at it, for its row; empty where there is none."""
    if item.is_portal:
        return ""
    found = of_the_app(item, organisation)
    if found and found[0].risk == Risk.HIGH:
        return found[0].text
    worst = [s for group in item.permissions for s in group.sentences if s.risk == item.risk and s.value != OFFLINE]
    if item.risk == Risk.HIGH and worst:
        return _("It can %(do)s.") % {"do": wording.can([sentence.value for sentence in worst[:2]])}
    return found[0].text if found else ""


def of_the_app(item: MyApp, organisation: str) -> list[Said]:
    """What is said of the app itself, beside what it may do: what alarms most first, what is low never."""
    if item.is_portal:
        return []
    stored = {reason["rule"]: reason for reason in item.app.risk_reasons}
    if "offline_unverified" in stored and item.works_offline:
        stored.pop("unverified", None)
    else:
        stored.pop("offline_unverified", None)  # that it works while somebody else is away is not theirs to mind
    found = []
    for rule, words in _OF_THE_APP.items():
        reason = stored.get(rule)
        if reason is None or (reason["risk"] == Risk.LOW and rule != "unused"):
            continue
        params = {"organisation": organisation, **reason.get("params", {})}
        found.append(Said(words(params) if callable(words) else str(words) % params, Risk(reason["risk"])))
    return found


def _spread(params: dict) -> str:
    text = ngettext(
        "%(count)s people at %(organisation)s allowed it within %(days)s day.",
        "%(count)s people at %(organisation)s allowed it within %(days)s days.",
        params["days"],
    )
    return text % params


def _unused(params: dict) -> str:
    text = ngettext(
        "Nobody at %(organisation)s has used it for %(days)s day.",
        "Nobody at %(organisation)s has used it for %(days)s days.",
        params["days"],
    )
    return text % params


# --- Which apps are worth a look ------------------------------------------------------------------------


def unused(item: MyApp) -> bool:
    """Whether it is theirs to remove and nobody at the organisation has used it for a long time, as far as is known."""
    used = item.app.last_used_at
    return bool(item.removable and item.can_act and used and used < timezone.now() - UNUSED_AFTER)


def worth_a_look(item: MyApp) -> bool:
    return item.can_act and not item.is_portal and (item.risk == Risk.HIGH or unused(item))


def only_signs_in(value: str) -> bool:
    """Whether a permission lets an app know who somebody is, and nothing more."""
    return value in SIGN_IN_SCOPES and value != OFFLINE
