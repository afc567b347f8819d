"""What the pages about one's own apps show: rows, chips and one sentence, made from what the selectors read."""

from collections.abc import Sequence
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent import selectors
from consent.views.confirming import Confirmation, Truth, tokens_end
from directory import wording
from directory.models import Risk

SHOW = {
    "": lambda item: True,
    "high": lambda item: item.app.risk == Risk.HIGH,
    "mine": lambda item: item.mine,
    "away": lambda item: item.offline,
}
UNRECOGNISED = "I don't recognise this app"  # kept in the record as the reason, so never translated


def listing(request: HttpRequest) -> dict:
    """Everything the list needs: all apps counted, those that fit the search shown."""
    everything = selectors.my_apps(request.membership)
    q, show = request.GET.get("q", "").strip()[:200], request.GET.get("show", "")
    fits = SHOW.get(show, SHOW[""])
    return {
        "items": [item for item in everything if fits(item) and _matches(item, q)],
        "removed": selectors.recent_removals(request.membership),
        "chips": _chips(everything),
        "counts": {"all": len(everything)},
        "summary": _summary(everything, request.tenant.name),
        "q": q,
        "show": show if show in SHOW else "",
        "collection": selectors.freshness(request.tenant),
    }


def _matches(item, q: str) -> bool:
    text = " ".join([item.app.display_name, item.app.publisher_name, item.summary, *item.scopes]).casefold()
    return all(word in text for word in q.casefold().split())


def _chips(items: Sequence) -> list[dict]:
    words = {
        "": _("All"),
        "high": _("High risk"),
        "mine": _("Granted by you"),
        "away": _("Works while you are away"),
    }
    return [{"value": value, "word": word, "count": sum(map(SHOW[value], items))} for value, word in words.items()]


def _summary(items: Sequence, tenant: str) -> str:
    if not items:
        return _("No app can use your %(tenant)s account in your name.") % {"tenant": tenant}
    apps = ngettext(
        "%(count)d app can use your %(tenant)s account.", "%(count)d apps can use your %(tenant)s account.", len(items)
    ) % {"count": len(items), "tenant": tenant}
    away = sum(map(SHOW["away"], items))
    if not away:
        return apps + " " + _("None of them keeps working while you are away.")
    return (
        apps
        + " "
        + ngettext(
            "%(count)d of them keeps working while you are away.",
            "%(count)d of them keep working while you are away.",
            away,
        )
        % {"count": away}
    )
