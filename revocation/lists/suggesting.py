"""Whom a line may have meant that names nobody: somebody of a similar address."""

from collections.abc import Iterable
from difflib import get_close_matches

from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.models import Tenant
from directory import selectors
from revocation.lists import kept, parser, resolver, sources
from revocation.lists.parser import Tally, UnusableList
from revocation.lists.selection import Row, Status
from revocation.models import ListDraft

LOOKED_AT = 20  # lines of one page
BEGINNING = 3  # letters that are right, at least
ALIKE = 0.8
MOST = 5000  # lines that are checked anew at once


def suggest(tenant: Tenant, rows: Iterable[Row]) -> None:
    """Give the rows that were not found a `meant`: the address of somebody alike, where there is one."""
    lost = [row for row in rows if row.status == Status.NOT_FOUND and "@" in row.text][:LOOKED_AT]
    for row in lost:
        address = next(part for part in row.text.lower().replace("<", " ").replace(">", " ").split() if "@" in part)
        people = selectors.people(tenant, address[:BEGINNING])
        known = {value.lower(): person.upn for person in people for value in (person.upn, person.mail) if value}
        alike = get_close_matches(address, known, n=1, cutoff=ALIKE)
        row.meant = known[alike[0]] if alike else ""


def replace(tenant: Tenant, draft: ListDraft, actor: Actor, *, line: int, address: str) -> ListDraft:
    """The same list with another address in one line, every line checked anew: a draft of its own.

    Raises:
        UnusableList: it is too long for that, or has no such line. Nothing was kept.
    """
    before = kept.rows_of(draft)
    if len(before.rows) > MOST or line not in {row.line for row in before.rows}:
        raise UnusableList(_("This line cannot be changed here. Change it in the list, and check that again."))
    text = "\n".join(address if row.line == line else row.text for row in before.rows)
    tally = Tally()
    selection = resolver.resolve(tenant, parser.parse_text(text, tally), actor, tally)
    chosen = {"source": draft.source, "recipe": draft.recipe}
    return sources.keep(tenant, actor, selection, draft.source_label, chosen, draft.options)
