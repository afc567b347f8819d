"""What the list of a tenant's apps shows: rows with what each may do and why it stands out, saved views, heads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from directory import risk
from directory.models import ServicePrincipal

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
    """One app. `may` are words of what it may do, those it may do alone marked; `lead` is the reason to look at it."""

    app: ServicePrincipal
    may: tuple[risk.May, ...]
    lead: risk.Reason | None

    @property
    def off_by(self) -> list[str | Promise]:
        """Who switched it off: nobody, or up to three who did, each undone in another place."""
        whys = (
            (not self.app.account_enabled, _("Disabled here")),
            (self.app.is_disabled, _("Off by its publisher")),
            (self.app.is_disabled_by_microsoft, _("Off by Microsoft")),
        )
        return [why for is_so, why in whys if is_so]


def rows(apps: Iterable[ServicePrincipal]) -> list[Row]:
    return [Row(app, tuple(risk.may(app.risk_reasons)), risk.lead(app.risk_reasons)) for app in apps]


@dataclass(frozen=True)
class View:
    """A question that many ask, as an address: the same filters that anybody could choose."""

    word: str | Promise
    chosen: dict[str, str]

    @property
    def query(self) -> str:
        return f"?{urlencode(self.chosen)}" if self.chosen else "?"


VIEWS = (
    View(_("All"), {}),
    View(_("Worth a look"), {"risk": "3", "publisher": "third_party", "enabled": "yes"}),
    View(_("Reads everyone's mail"), {"enabled": "yes", "may": "mail", "alone": "yes"}),
    View(_("Unverified, with mail or files"), {"publisher": "unverified", "enabled": "yes", "may": "content"}),
    View(_("AI agents"), {"kind": "agents"}),
    View(_("AI connectors"), {"fact": "ai_connector"}),
    View(_("Not used for 90 days"), {"enabled": "yes", "use": "unused"}),
    View(_("New this week"), {"consent": "new"}),
)


def views(chosen: dict[str, str]) -> list[dict]:
    """The saved views, the one whose filters are exactly the chosen ones marked."""
    narrowed = {name: value for name, value in chosen.items() if name != "sort"}
    return [{"word": one.word, "query": one.query, "current": one.chosen == narrowed} for one in VIEWS]


@dataclass(frozen=True)
class Head:
    """The head of a column that sorts: `next` is the sort a click asks for, `aria` what a screen reader is told."""

    word: str | Promise
    next: str
    aria: str
    look: str = ""


_HEADS = (  # sort, word, whether it begins with the largest
    ("name", _("App"), False, ""),
    ("", _("May"), False, ""),
    ("consents", _("Reach"), True, ""),
    ("risk", _("Risk"), True, ""),
    ("used", _("Last used"), True, ""),
    ("added", _("Added"), True, ""),
)


def heads(sort: str) -> list[Head]:
    found = []
    for name, word, falls, look in _HEADS:
        if not name:
            found.append(Head(word, "", "", look))
            continue
        turned = sort == f"-{name}"
        current = sort.removeprefix("-") == name
        direction = ("ascending" if turned else "descending") if falls else ("descending" if turned else "ascending")
        found.append(Head(word, name if not current or turned else f"-{name}", direction if current else "none", look))
    return found


def query(chosen: dict[str, str], **more: str) -> str:
    """The address of these filters, without the empty ones."""
    pairs = [(name, chosen[name]) for name in (*FIELDS, "sort") if chosen.get(name)]
    return urlencode([*pairs, *((name, value) for name, value in more.items() if value)])


# --- As a file ----------------------------------------------------------------------------------------

COLUMNS = [
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
