"""Words and lengths of time for the templates about revocations."""

from collections.abc import Mapping
from datetime import timedelta

from django import template
from django.utils.translation import gettext as _, ngettext

from directory import features
from revocation.rules import granting
from revocation.showing import words
from revocation.showing.timeline import CAE_DELAY, TOKEN_LIFETIME

register = template.Library()
for _word in (words.action_words, words.kind_words, words.state_means, words.state_words, words.what_happened):
    register.filter(_word.__name__, _word)


@register.simple_tag(takes_context=True)
def switched_off(context: template.Context, *names: str, app=None) -> str:
    """Why the tenant lets none of these actions through (`sign_out` is the tenant's own); empty where it may."""
    tenant = context["request"].tenant
    wanted = [str(tenant.sign_out_action) if name == "sign_out" else name for name in names]
    return granting.refusal_of(tenant, *wanted, app=app)


@register.simple_tag(takes_context=True)
def unreadable_here(context: template.Context, *keys: str) -> list[str]:
    """Why the tenant's directory may not be read for these (`directory.features`), each reason once."""
    found = (features.switched_off(context["request"].tenant, key) for key in keys)
    return list(dict.fromkeys(filter(None, found)))


@register.simple_tag
def reasons(*whys: str) -> list[str]:
    """Those that are any, each once."""
    return list(dict.fromkeys(filter(None, whys)))


@register.filter
def at(values: Mapping, key: str):
    return values.get(key, 0)


MINUTES = {"access_tokens": TOKEN_LIFETIME, "told_apps": CAE_DELAY}


@register.simple_tag
def minutes(what: str) -> int:
    """How many minutes `access_tokens` that are out may work, or `told_apps` take to heed a sign-out."""
    return int(MINUTES[what].total_seconds() // 60)


@register.simple_tag
def duration(length: timedelta | None) -> str:
    """A length of time in words, as exact as anybody can use: "40 s", "3 min", "2 h 5 min"."""
    if length is None:
        return _("an unknown time")
    seconds = max(0, round(length.total_seconds()))
    if seconds < 90:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = round(seconds / 60)
    if minutes < 90:
        return _("%(n)d min") % {"n": minutes}
    hours, rest = divmod(minutes, 60)
    return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest} if rest else _("%(n)d h") % {"n": hours}


@register.filter
def exact(instant: str | None) -> str:
    """A stored instant as a person writes it down: "2026-11-22 14:42:15 UTC"."""
    return f"{instant[:10]} {instant[11:19]} UTC" if instant else ""
