"""What an app's page says at a glance: one sentence for what it comes to, and people's consents by what they allow."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _, ngettext

from directory import selectors
from directory.models import ServicePrincipal
from directory.selectors import UserConsent
from graph.sentences import grouped


def verdict(app: ServicePrincipal, hits: selectors.Hits, read: dict[str, bool]) -> str:
    """For whom an app may act, and whether by itself; empty while the directory has not been read in full."""
    if not (read["grants"] and read["assignments"]):
        return ""
    if not app.can_act:
        return _("It is switched off: nobody can sign in to it, and it gets no new token.")
    if hits.organisation_wide:
        who = _("It may act for everyone here, without asking them.")
    elif hits.people:
        who = ngettext("%(n)s person lets it act for them.", "%(n)s people let it act for them.", hits.people)
        who = who % {"n": grouped(hits.people)}
    else:
        who = _("Nobody lets it act for them.")
    return f"{who} {_('It also acts by itself, with nobody signed in.')}" if hits.app_permissions else who


@dataclass
class Alike:
    """Consents that allow the same."""

    scopes: list[str]
    summary: str
    rows: list[UserConsent] = field(default_factory=list)

    @property
    def query(self) -> str:
        """Who they are, as the page that revokes them is asked."""
        return "&".join(f"person={row.person_id}" for row in self.rows)


def alike(consents: Iterable[UserConsent]) -> list[Alike]:
    """The consents of one page, those that allow the same together, in the order in which they came."""
    found: dict[tuple, Alike] = {}
    for row in consents:
        key = tuple(sorted(row.scopes))
        if key not in found:
            found[key] = Alike(row.scopes, row.summary)
        found[key].rows.append(row)
    return list(found.values())
