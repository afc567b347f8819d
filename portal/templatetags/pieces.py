"""Small pieces every page uses: times, risk, monograms, progress."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django import template
from django.contrib.messages.storage.base import Message
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from accounts import held

register = template.Library()

RISKS = {
    1: ("low", gettext_lazy("Low risk")),
    2: ("medium", gettext_lazy("Medium risk")),
    3: ("high", gettext_lazy("High risk")),
}
# How a step's state looks: marked where a human is needed, else a plain tag.
STATE_LOOKS = {"failed": "tag bad", "unconfirmed": "tag warn"}
CLOCK = {"clock": "H:i", "seconds": "H:i:s", "hour": "H:i"}


@register.simple_tag
def when(moment: datetime | None, show: str = "clock") -> str | SafeString:
    """A <time> in UTC that times.js turns into the reader's zone; the exact UTC is its title.

    `show` is "clock" (13:40), "seconds" (13:40:31), "date", "full", "hour" (13:40 under a head that says the day)
    or "day" (such a head). Nothing for None.
    """
    if moment is None:
        return ""
    utc = moment.astimezone(UTC)
    text = "" if show in CLOCK else date_format(utc, "DATE_FORMAT")
    if show not in ("date", "day"):
        clock = date_format(utc, CLOCK.get(show, CLOCK["clock"]))
        text = _("%(time)s UTC") % {"time": f"{text}, {clock}" if text else clock}
    return format_html('<time datetime="{}" title="{}" data-show="{}">{}</time>', _iso(utc), _exact(utc), show, text)


@register.simple_tag
def ago(moment: datetime | None, unknown: str = "") -> str | SafeString:
    """How long ago, in words ("3 days ago", "March 2025"), with the exact UTC on hover."""
    if moment is None:
        return unknown
    utc = moment.astimezone(UTC)
    return format_html('<time datetime="{}" title="{}">{}</time>', _iso(utc), _exact(utc), _ago(utc))


@register.simple_tag
def first_seen(moment: datetime, known_since: datetime | None, show: str = "") -> str | SafeString:
    """Since when something is there: how long ago, or by `show` (see `when`) a date.

    What was there already when the first reading was complete may be far older than it: then "before" that reading.
    "unknown" while there has been no complete reading (`known_since` is None).
    """
    if known_since is None:
        return _("unknown")
    if moment > known_since:
        return when(moment, show) if show else ago(moment)
    return format_html(_("before {reading}"), reading=when(known_since, "date"))


def _ago(moment: datetime) -> str:
    past = timezone.now() - moment
    minutes = int(past.total_seconds() // 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(n)d minute ago", "%(n)d minutes ago", minutes) % {"n": minutes}
    if past < timedelta(days=1):
        return ngettext("%(n)d hour ago", "%(n)d hours ago", minutes // 60) % {"n": minutes // 60}
    if past.days < 31:
        return ngettext("%(n)d day ago", "%(n)d days ago", past.days) % {"n": past.days}
    if past.days < 330:
        months = past.days // 30
        return ngettext("%(n)d month ago", "%(n)d months ago", months) % {"n": months}
    return date_format(moment, "YEAR_MONTH_FORMAT")


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _exact(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


@register.simple_tag
def risk(level: int) -> SafeString:
    """The badge of a risk level: shape, word and colour."""
    look, word = RISKS.get(int(level or 1), RISKS[1])
    return format_html('<span class="risk {}">{}</span>', look, word)


@register.simple_tag
def for_what(what: str, *, page: bool = True) -> SafeString:
    """A hidden field: what the form does, should the person have to confirm who they are first. See `accounts.held`."""
    return held.mark(str(what), page=page)


@register.filter
def monogram(name: str) -> str:
    """One or two capitals for an app without a logo: "Mail Sidekick" becomes MS."""
    words = [word for word in str(name).replace("-", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.filter
def state_look(state: str) -> str:
    """The class of a step's state badge."""
    return STATE_LOOKS.get(str(state), "tag")


@register.filter
def undo_url(message: Message) -> str:
    """The address that undoes what a toast reports: given to the message as `extra_tags="undo:<url>"`."""
    return _address(message, "undo")


@register.filter
def details_url(message: Message) -> str:
    """The address that tells all about what a toast reports, given as `details:<url>`."""
    return _address(message, "details")


@register.filter
def follow_url(message: Message) -> str:
    """The address that tells how far it is meanwhile, given as `follow:<url>`."""
    return _address(message, "follow")


def _address(message: Message, name: str) -> str:
    tags = (message.extra_tags or "").split()
    return next((tag.removeprefix(f"{name}:") for tag in tags if tag.startswith(f"{name}:")), "")


@register.simple_tag
def progress_bars(counts: Mapping[str, int], total: int) -> list[dict]:
    """Rectangles of a progress bar, 1000 units wide, one per decided state; anything present is at least 4 wide."""
    shown = [
        ("verified", counts.get("verified", 0)),
        ("accepted", counts.get("accepted", 0)),
        ("noeffect", counts.get("no_effect", 0)),
        ("unconfirmed", counts.get("unconfirmed", 0)),
        ("failed", counts.get("failed", 0)),
    ]
    bars, x = [], 0.0
    for name, count in shown:
        if not count or not total:
            continue
        width = max(4.0, 1000.0 * count / total)
        bars.append({"look": name, "x": round(x, 1), "width": round(max(width - 1, 1), 1)})
        x += width
    return bars
