"""What the list of a tenant's apps shows: rows with what each may do and why it stands out, saved views, heads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from directory import risk
from directory.models import ServicePrincipal
from revocation.showing.heads import Column

FIELDS = (
    "q",
    "risk",
    "publisher",
    "consent",
    "enabled",
    "off",
    "use",
    "kind",
    "may",
    "alone",
    "permission",
    "fact",
    "person",
)  # in the order of an address


@dataclass(frozen=True)
class Row:
    """One app, in the words of its row: what it may do, whom it reaches, and the reason to look at it.

    Attributes:
        off_by: who switched it off: nobody, or up to three who did, each undone in another place.
        reach: whose name it can act in; empty where nothing says so.
    """

    app: ServicePrincipal
    may: tuple[risk.May, ...]
    lead: risk.Reason | None
    off_by: tuple[str, ...]
    reach: str
    kind: str
    standing: str

    @property
    def trusted(self) -> bool:
        return self.app.is_microsoft or self.app.is_own or self.app.publisher_verified


def rows(apps: Iterable[ServicePrincipal]) -> list[Row]:
    return [_row(app) for app in apps]


def _row(app: ServicePrincipal) -> Row:
    return Row(
        app=app,
        may=tuple(risk.may(app.risk_reasons)),
        lead=risk.lead(app.risk_reasons),
        off_by=off_by(app),
        reach=_reach(app),
        kind="" if app.kind == ServicePrincipal.Kind.APP else app.get_kind_display(),
        standing=_standing(app),
    )


def off_by(app: ServicePrincipal) -> tuple[str, ...]:
    """Who switched an app off, in three different words: here, its publisher, Microsoft."""
    whys = (
        (not app.account_enabled, _("Disabled here")),
        (app.is_disabled, _("Off by its publisher")),
        (app.is_disabled_by_microsoft, _("Off by Microsoft")),
    )
    return tuple(why for is_so, why in whys if is_so)


def _reach(app: ServicePrincipal) -> str:
    found = [_("everyone")] if app.has_admin_consent else []
    if n := app.user_consent_count:
        found.append(ngettext("%(shown)s person", "%(shown)s people", n) % {"shown": intcomma(n)})
    if app.app_permission_count:
        found.append(_("by itself"))
    text = ", ".join(found)
    return text[:1].upper() + text[1:]


def _standing(app: ServicePrincipal) -> str:
    if app.is_microsoft:
        return _("✓ Microsoft")
    if app.is_own:
        return _("✓ your organisation's own")
    return _("✓ verified") if app.publisher_verified else _("publisher not verified")


def labels() -> dict[str, str]:
    """The words that every row repeats, translated once."""
    return {
        "may": _("May:"),
        "reach": _("Reach:"),
        "used": _("Last used:"),
        "added": _("Added:"),
        "alone": _("everyone's"),
        "nobody": _("nobody"),
        "unknown": _("unknown"),
        "away": _("works while people are away"),
    }


@dataclass(frozen=True)
class View:
    """A question that many ask, as an address: the same filters that anybody could choose."""

    word: str | Promise
    chosen: dict[str, str]

    @property
    def query(self) -> str:
        return f"?{urlencode(self.chosen)}" if self.chosen else "?"


VIEWS = (
    View(gettext_lazy("All"), {}),
    View(gettext_lazy("Worth a look"), {"risk": "3", "publisher": "third_party", "enabled": "yes"}),
    View(gettext_lazy("Reads everyone's mail"), {"enabled": "yes", "may": "mail", "alone": "yes"}),
    View(
        gettext_lazy("Unverified, with mail or files"), {"publisher": "unverified", "enabled": "yes", "may": "content"}
    ),
    View(gettext_lazy("AI agents"), {"kind": "agents"}),
    View(gettext_lazy("AI agents without a sponsor"), {"kind": "orphans"}),
    View(gettext_lazy("AI connectors"), {"fact": "ai_connector"}),
    View(gettext_lazy("Not used for %(n)d days"), {"enabled": "yes", "use": "unused"}),
    View(gettext_lazy("New this week"), {"consent": "new"}),
)


def views(chosen: dict[str, str]) -> list[dict]:
    """The saved views, the one whose filters are exactly the chosen ones marked."""
    narrowed = {name: value for name, value in chosen.items() if name != "sort"}
    return [
        {"word": one.word % {"n": risk.UNUSED_AFTER.days}, "query": one.query, "current": one.chosen == narrowed}
        for one in VIEWS
    ]


COLUMNS = (
    Column(gettext_lazy("App"), "name"),
    Column(gettext_lazy("May")),
    Column(gettext_lazy("Reach"), "consents", falls=True),
    Column(gettext_lazy("Risk"), "risk", falls=True),
    Column(gettext_lazy("Last used"), "used", falls=True),
    Column(gettext_lazy("Added"), "added", falls=True, look="least"),
)


def query(chosen: dict[str, str], **more: str) -> str:
    """The address of these filters, without the empty ones."""
    pairs = [(name, chosen[name]) for name in (*FIELDS, "sort") if chosen.get(name)]
    return urlencode([*pairs, *((name, value) for name, value in more.items() if value)])


# --- As a file ----------------------------------------------------------------------------------------

OF_THE_FILE = [
    "object_id",
    "client_id",
    "name",
    "publisher",
    "verified",
    "kind",
    "risk",
    "reasons",
    "people_who_consented",
    "consent_for_everyone",
    "app_only_permissions",
    "assigned",
    "enabled",
    "off_by_publisher",
    "off_by_microsoft",
    "created",
    "last_used",
]


def cells(app: ServicePrincipal) -> list:
    """One line of the file. Empty where it is not known."""
    return [
        app.pk,
        app.app_id,
        app.display_name,
        app.publisher_name,
        app.publisher_verified,
        app.kind,
        app.get_risk_display(),
        " ".join(reason.text for reason in risk.reasons(app.risk_reasons)),
        app.user_consent_count,
        app.has_admin_consent,
        app.app_permission_count,
        app.assigned_count,
        app.account_enabled,
        app.is_disabled,
        app.disabled_by_microsoft,
        _moment(app.created_at),
        _moment(app.last_used_at),
    ]


def _moment(at: datetime | None) -> str:
    return at.isoformat() if at else ""
