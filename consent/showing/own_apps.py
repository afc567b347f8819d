"""What the pages about one's own apps show: rows, chips and one sentence, made from what the selectors read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from accounts.models import Membership, Tenant
from consent.showing import coming_back, own_words, removals
from directory import agents, selectors, wording
from directory.models import Collection
from directory.my_apps import MyApp
from directory.risk import UNUSED_AFTER
from directory.wording import Sentence
from inbox import selectors as inbox
from inbox.models import Report
from revocation.showing import live
from revocation.showing.confirming import Confirmation, Truth
from revocation.showing.timeline import TOKEN_LIFETIME

SHOW = {
    "": lambda item: True,
    "look": own_words.worth_a_look,
    "mine": lambda item: item.granted_by_me,
    "organisation": lambda item: item.granted_by_organisation,
}
MOST_AT_ONCE = 50  # apps that one click removes


@dataclass(frozen=True)
class Row:
    """One app in the list.

    Attributes:
        lead: the one reason to look at it; may be "".
        report: the reader's own, while nobody has dealt with it.
    """

    item: MyApp
    lead: str
    report: Report | None


def of(membership: Membership) -> list[MyApp]:
    """Every app that can act in this person's name, in the tenant they belong to."""
    return selectors.my_apps(membership.tenant, membership.object_id)


def listing(request: HttpRequest, *, read: bool = False) -> dict:
    """Everything the list needs: all apps counted, those that fit the search shown.

    Args:
        read: Microsoft was asked for this person's just now. Without that and before the first whole reading of the
            directory, an empty list is not known to be all.
    """
    removed, put_back = removals.recent(request.membership), removals.put_back(request.membership)
    everything = _without_those_going(of(request.membership), removed)
    q, show = request.GET.get("q", "").strip()[:200], request.GET.get("show", "")
    show = show if show in SHOW else ""
    collection = selectors.freshness(request.tenant)[Collection.Kind.GRANTS]
    unread = not read and not everything and collection.complete_at is None
    organisation = request.tenant.name
    reports = inbox.own_reports(request.membership)
    shown = [item for item in everything if SHOW[show](item) and _matches(item, q)]
    context = {
        "unread": unread,
        "answers": reports.answers,
        "answered": agents.answered_for_by(request.tenant, request.membership.object_id),
        "rows": [Row(item, own_words.lead(item, organisation), reports.open.get(item.id)) for item in shown],
        "tickable": sum(item.removable for item in shown) > 1,
        "unused": [item for item in everything if own_words.unused(item)],
        "unused_after": UNUSED_AFTER.days,
        "removed": removed,
        "put_back": put_back,
        "chips": _chips(everything),
        "total": len(everything),
        "summary": _("Not read yet.") if unread else _summary(everything, organisation),
        "q": q,
        "show": show,
        "collection": collection,
        "known_since": collection.first_complete_at,
    }
    return context | {"part": _rows(request, context)}


def _rows(request: HttpRequest, context: dict) -> live.Part:
    """The list itself: all of it fills in at once, as long as one removal in it, or its undo, is under way."""
    told = [*context["removed"], *context["put_back"]]
    return live.part(
        request,
        "consent/_my_apps_rows.html",
        context,
        address=reverse("consent:my-apps-list"),
        every=live.pace(all(one.timeline.final for one in told)),
        says=" ".join(f"{one.name}: {one.timeline.headline}." for one in told),
    )


def _without_those_going(items: Sequence[MyApp], removed: Sequence[removals.Removal]) -> list[MyApp]:
    """An app whose removal is under way is shown once, as that. Once it is proved, the copy knows it too."""
    going = {app_id for removal in removed if removal.takes_the_app for app_id in removal.app_ids}
    return [item for item in items if item.id not in going or item.granted_by_organisation]


def _matches(item: MyApp, q: str) -> bool:
    text = " ".join([item.app.display_name, item.app.publisher_name, item.summary, *item.scopes]).casefold()
    return all(word in text for word in q.casefold().split())


def _chips(items: Sequence[MyApp]) -> list[dict]:
    words = {
        "": _("All"),
        "look": _("Worth a look"),
        "mine": _("Granted by you"),
        "organisation": _("By your organisation"),
    }
    return [{"value": value, "word": word, "count": sum(map(SHOW[value], items))} for value, word in words.items()]


def _summary(items: Sequence[MyApp], tenant: str) -> str:
    """What can use the account now; an app somebody switched off is listed, and can do nothing."""
    items = [item for item in items if item.can_act]
    if not items:
        return _("No app can use your %(tenant)s account in your name.") % {"tenant": tenant}
    apps = ngettext(
        "%(count)d app can use your %(tenant)s account.", "%(count)d apps can use your %(tenant)s account.", len(items)
    )
    away = sum(item.works_offline for item in items)
    return " ".join([apps % {"count": len(items), "tenant": tenant}, _while_away(away, len(items))])


def _while_away(away: int, of: int) -> str:
    if of == 1:
        return _("It keeps working while you are away.") if away else _("It does not keep working while you are away.")
    if not away:
        return _("None of them keeps working while you are away.")
    text = ngettext(
        "%(away)d of them keeps working while you are away.",
        "%(away)d of them keep working while you are away.",
        away,
    )
    return text % {"away": away}


# --- One app ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Permission:
    """One line of the permission list, with what only the reader's own have."""

    text: str
    value: str
    detail: str
    risk: int
    granted_by: str
    remove_url: str  # "" where it is not theirs to remove


def about(request: HttpRequest, item: MyApp) -> dict:
    """What the page about one app says: in short, what it reaches, and what only lets it know who somebody is."""
    return {
        "item": item,
        "in_short": own_words.in_short(item, request.tenant.name),
        "reaches": _permission_groups(item, lambda sentence: not own_words.only_signs_in(sentence.value)),
        "signs_in": _permission_groups(item, lambda sentence: own_words.only_signs_in(sentence.value)),
        "signs_in_count": sum(own_words.only_signs_in(value) for value in item.scopes),
        "report": inbox.own_reports(request.membership).open.get(item.id),
        "removed": [one for one in removals.recent(request.membership) if item.id in one.app_ids],
    }


def _permission_groups(item: MyApp, fits: Callable[[Sentence], bool]) -> list[dict]:
    groups = []
    for group in item.permissions:
        found = [_permission(item, group.resource_id, one) for one in group.sentences if fits(one)]
        if found:
            groups.append({"resource_name": group.resource_name, "sentences": found})
    return groups


def _permission(item: MyApp, resource_id, sentence: Sentence) -> Permission:
    mine = item.mine(sentence)
    return Permission(
        text=sentence.text,
        value=sentence.value,
        detail=sentence.detail,
        risk=sentence.risk,
        granted_by=_granted_by(item, sentence),
        remove_url=reverse("consent:remove-permission", args=[item.id, resource_id, sentence.value]) if mine else "",
    )


def _granted_by(item: MyApp, sentence: Sentence) -> str:
    """Who gave it, and so who can end it: nobody's own removal ends what an agent inherits."""
    mine = item.mine(sentence)
    inherited = _inherited(item, sentence)
    for_all = len(mine) + len(inherited) < len(sentence.grants)
    if mine and for_all:
        words = _("granted by you and by your organisation")
    elif mine:
        words = _("granted by you")
    elif for_all:
        words = _("granted by your organisation")
    else:
        return _("inherited from its blueprint")
    return _("%(granted)s, and inherited from its blueprint") % {"granted": words} if inherited else words


def _inherited(item: MyApp, sentence: Sentence) -> list:
    return [grant for grant in sentence.grants if any(grant is one for one in item.inherited_grants)]


# --- What is said before ------------------------------------------------------------------------------


def removal(item: MyApp) -> Confirmation:
    """What removing an app does, what it does not, and when."""
    name = item.app.display_name
    stops = _("It can get no new access with what you granted: %(can)s") % {"can": item.summary}
    return Confirmation(
        title=_("Remove %(app)s?") % {"app": name},
        button=_("Remove %(app)s") % {"app": name},
        keep=_("Keep it"),
        back=reverse("consent:my-app", args=[item.id]),
        truths=[Truth(_("Stops now"), stops), *_always(item.app.tenant)],
        warning=" ".join(filter(None, (_still_covered(item), _still_inherited(item)))),
        note=_undo(),
        aside=_("I don't recognise this app. Report it to your organisation's administrators."),
        aside_value=_("The person did not recognise the app"),
    )


def removal_of(items: Sequence[MyApp]) -> Confirmation:
    """The same for several apps at once."""
    count = len(items)
    if count == 1:
        return removal(items[0])
    words = {"count": count}
    names = ", ".join(item.app.display_name for item in items)
    kept = [item.app.display_name for item in items if item.granted_by_organisation or item.inherited_grants]
    still = _("Your organisation allows some of them too, and they keep that: %(apps)s. Only your part is removed.")
    return Confirmation(
        title=ngettext("Remove %(count)d app?", "Remove %(count)d apps?", count) % words,
        button=ngettext("Remove %(count)d app", "Remove %(count)d apps", count) % words,
        keep=_("Keep them"),
        back=reverse("consent:my-apps"),
        truths=[
            Truth(_("Stops now"), _("These can get no new access with what you granted: %(apps)s.") % {"apps": names}),
            *_always(items[0].app.tenant),
        ],
        warning=still % {"apps": ", ".join(kept)} if kept else "",
        note=_undo(),
        aside=_("I don't recognise these apps. Report them to your organisation's administrators."),
        aside_value=_("The person did not recognise the apps"),
    )


def _always(tenant: Tenant) -> list[Truth]:
    """What is so for every app somebody takes out of their account."""
    minutes = int(TOKEN_LIFETIME.total_seconds() // 60)
    holds = _("Whatever an app already holds works for up to %(minutes)d minutes after it was issued.")
    return [
        Truth(_("Stops"), holds % {"minutes": minutes}, timezone.now() + TOKEN_LIFETIME),
        Truth(_("Stays"), _("Whatever was copied already. Other apps. Your own sign-ins.")),
        coming_back.for_oneself(tenant),
    ]


def permission_removal(item: MyApp, sentence: Sentence) -> Confirmation:
    """What removing one permission does; the app keeps the others."""
    left = [value for value in item.scopes if value != sentence.value]
    words = {"app": item.app.display_name, "can": wording.can(left)}
    holds, _copied, again = _always(item.app.tenant)
    inherited = bool(_inherited(item, sentence))
    stays = _("%(app)s keeps its other permissions: it can %(can)s.") % words
    covered = len(item.mine(sentence)) + inherited < len(sentence.grants)
    goes_on = _("It inherits the same permission from its blueprint, so it keeps it all the same.")
    return Confirmation(
        title=_("Remove this permission of %(app)s?") % {"app": item.app.display_name},
        button=_("Remove this permission"),
        keep=_("Keep it"),
        back=reverse("consent:my-app", args=[item.id]),
        truths=[
            Truth(_("Stops now"), _("No new access for: %(what)s") % {"what": sentence.text}),
            holds,
            Truth(_("Stays"), stays if left else _("Nothing: this is its only permission, so the app is removed.")),
            again,
        ],
        warning=_("Your organisation has granted the same permission, so the app keeps it all the same.")
        if covered
        else (f"{goes_on} {_only_admins()}" if inherited else ""),
        note=_undo(),
    )


def _undo() -> str:
    minutes = settings.REVOCATION_UNDO_MINUTES
    text = ngettext("You can undo this for %(n)d minute.", "You can undo this for %(n)d minutes.", minutes)
    return text % {"n": minutes}


def _only_admins() -> str:
    return _("Only an administrator can end that: by disabling this agent, or by taking it from the blueprint.")


def _still_inherited(item: MyApp) -> str:
    """Said before an agent's own grant is removed: what it inherits is not the person's to take back."""
    if not item.inherited_grants:
        return ""
    kept = wording.can({scope for grant in item.inherited_grants for scope in grant.scopes})
    blueprint = item.blueprint.display_name if item.blueprint else _("not in your organisation any more")
    text = _("It goes on with what it inherits from its blueprint (%(blueprint)s): it can %(can)s.")
    return f"{text % {'blueprint': blueprint, 'can': kept}} {_only_admins()}"


def _still_covered(item: MyApp) -> str:
    if not item.granted_by_organisation:
        return ""
    kept = wording.can({scope for grant in item.organisation_grants for scope in grant.scopes})
    text = _("Your organisation allows this app too, and that stays: it can %(can)s. Only your part is removed.")
    return text % {"can": kept}
