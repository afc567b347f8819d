"""Who a list means: looked up in our copy of the directory in large batches, then in Graph for the rest."""

import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.models import Tenant
from directory import sync
from directory.models import RECENTLY, PermissionGrant, Person, Risk
from graph.client import Call, GraphClient
from graph.errors import GraphError
from revocation.lists import selection
from revocation.lists.parser import Entry, Kind, Tally
from revocation.lists.selection import Row, Selection, Status
from revocation.rules import protection
from revocation.rules.protection import restricted_unit

logger = logging.getLogger(__name__)

CHUNK = 50_000  # keys per query: two passes over the people table each, whatever the length of the list
GRAPH_LOOKUPS = 100  # unknown names asked of Graph; a list of strangers must use up neither quota nor patience


class Match(NamedTuple):
    id: UUID
    label: str
    upn: str
    is_external: bool
    home_domain: str
    enabled: bool
    privileged: bool
    recent: bool | None  # None: not known
    restricted: bool | None


def resolve(tenant: Tenant, entries: Iterable[Entry], actor: Actor, tally: Tally | None = None) -> Selection:
    """Everyone the entries name, each once, with the reason for those who cannot be included.

    Costs a fixed number of queries per 50,000 entries, and looks at most 100 names up in Graph that the copy does
    not know.
    """
    rows: list[Row] = []
    by_key: dict[str, Row] = {}
    ids: list[str] = []
    names: list[str] = []
    for entry in entries:
        if entry.kind == Kind.UNREADABLE:
            why = _("No user principal name, mail address or object id in this line.")
            rows.append(Row(entry.line, entry.text, Status.UNREADABLE, why=why))
        elif first := by_key.get(entry.key):
            rows.append(_duplicate(entry.line, entry.text, first))
        else:
            row = by_key[entry.key] = Row(entry.line, entry.text, Status.NOT_FOUND)
            rows.append(row)
            (ids if entry.kind == Kind.OBJECT_ID else names).append(entry.key)

    matches: dict[str, list[Match]] = {}
    for chunk in _chunks(ids):
        _merge(matches, _people_by_id(tenant, chunk))
    for chunk in _chunks(names):
        _merge(matches, _people_by_name(tenant, chunk))
    unknown = [key for key in by_key if key not in matches]
    asked, trouble = _ask_graph(tenant, unknown, matches)

    _decide(tenant, by_key, matches, actor, asked, trouble)
    tally = tally or Tally()
    return Selection(rows, tally.lines, tally.blank, tally.headings)


def select_people(tenant: Tenant, person_ids: Iterable[str | UUID], actor: Actor) -> Selection:
    """The same decisions for people known by object id: a group's members, everyone who consented to an app."""
    return resolve(tenant, (Entry(0, str(pid), str(pid).lower(), Kind.OBJECT_ID) for pid in person_ids), actor)


def everyone(tenant: Tenant, actor: Actor) -> Selection:
    people = Person.objects.filter(tenant=tenant, is_agent=False).order_by("id").values_list("id", flat=True)
    return select_people(tenant, people.iterator(chunk_size=CHUNK), actor)


def consented_to(tenant: Tenant, app_id: UUID, actor: Actor) -> Selection:
    """Everyone who granted this app something for themselves."""
    grants = PermissionGrant.objects.filter(tenant=tenant, client_id=app_id, principal__isnull=False)
    ids = grants.order_by("principal_id").values_list("principal_id", flat=True).distinct()
    return select_people(tenant, ids.iterator(chunk_size=CHUNK), actor)


def _decide(tenant, by_key, matches, actor, asked, trouble) -> None:
    """Give every looked-up row its status: one pass, with the rules' facts read once for all of them."""
    settled: dict[UUID, Row] = {}
    for key, row in by_key.items():
        found = matches.get(key, [])
        if len(found) > 1:
            row.status = Status.AMBIGUOUS
            who = ", ".join(sorted({f"{match.label} ({match.upn})" for match in found})[:4])
            row.why = _("Several people match: %(people)s. Use the object id.") % {"people": who}
        elif not found:
            row.why = _why_unknown(key, asked, trouble)
        else:
            (match,) = found
            if first := settled.get(match.id):
                _become_duplicate(row, first)
                continue
            settled[match.id] = row
            row.person_id, row.label, row.upn = str(match.id), match.label, match.upn
            row.status = Status.FOUND if match.enabled else Status.DISABLED
            if match.is_external:
                row.status = Status.GUEST
                row.why = _why_external(match)
            elif match.restricted:
                row.status = Status.RESTRICTED
                row.why = restricted_unit()
            elif not match.enabled:
                row.why = _("The account is disabled; tokens it already holds still work until they expire.")
    at_risk = _at_risk(tenant)
    _apply_protection(tenant, settled, actor)
    privileged = {match.id for found in matches.values() for match in found if match.privileged}
    disabled = {match.id for found in matches.values() for match in found if not match.enabled}
    recent = {match.id for found in matches.values() for match in found if match.recent}
    for person_id, row in settled.items():
        if person_id in disabled:
            row.urgency = selection.LAST
        elif person_id in privileged:
            row.urgency = selection.PRIVILEGED
        elif person_id in at_risk:
            row.urgency = selection.AT_RISK
        elif person_id in recent:
            row.urgency = selection.RECENT


def _apply_protection(tenant: Tenant, settled: dict[UUID, Row], actor: Actor) -> None:
    candidates = [person_id for person_id, row in settled.items() if row.included]
    for chunk in _chunks(candidates):
        for person_id, why in protection.refusals(tenant, chunk, actor).items():
            settled[person_id].status = Status.PROTECTED
            settled[person_id].why = why


def _at_risk(tenant: Tenant) -> set[UUID]:
    """People who let a high-risk app act for them."""
    grants = PermissionGrant.objects.filter(tenant=tenant, risk=Risk.HIGH, principal__isnull=False)
    return set(grants.values_list("principal_id", flat=True).distinct())


def _why_unknown(key: str, asked: set[str], trouble: str) -> str:
    if key in asked:
        return _("Neither our copy of the directory nor Microsoft Graph knows this name.")
    if trouble:
        return _("Not in our copy of the directory, and Microsoft Graph could not be asked: %(why)s") % {"why": trouble}
    return _("Not in our copy of the directory. Refresh the copy and preview again.")


def _why_external(match: Match) -> str:
    home = match.home_domain or _("another organisation")
    return _("Signs in at %(home)s; only it can end these sessions.") % {"home": home}


def _duplicate(line: int, text: str, first: Row) -> Row:
    row = Row(line, text, Status.DUPLICATE)
    _become_duplicate(row, first)
    return row


def _become_duplicate(row: Row, first: Row) -> None:
    row.status, row.urgency = Status.DUPLICATE, selection.USUAL
    row.why = _("The same person as line %(line)d.") % {"line": first.line}


def _merge(matches: dict[str, list[Match]], found: Iterator[tuple[str, Match]]) -> None:
    for key, match in found:
        known = matches.setdefault(key, [])
        if match.id not in {other.id for other in known}:
            known.append(match)


_COLUMNS = (
    "p.id, p.display_name, p.upn, p.is_external, p.home_domain, p.account_enabled, p.role_template_ids <> '{}',"
    f" p.last_active_at > now() - interval '{RECENTLY.days} days',"
    " p.is_restricted"
)


def _people_by_id(tenant: Tenant, ids: list[str]) -> Iterator[tuple[str, Match]]:
    sql = (
        f"SELECT p.id::text, {_COLUMNS} FROM unnest(%s::uuid[]) AS wanted(id)"  # noqa: S608 - constants only
        " JOIN directory_person p ON p.id = wanted.id WHERE p.tenant_id = %s"
    )
    return _matches(sql, [ids, tenant.pk])


def _people_by_name(tenant: Tenant, names: list[str]) -> Iterator[tuple[str, Match]]:
    # Two hash joins; one join with OR between the columns would compare every name with every person.
    part = (
        f"SELECT wanted.key, {_COLUMNS} FROM unnest(%s::text[]) AS wanted(key)"  # noqa: S608 - constants only
        " JOIN directory_person p ON lower(p.{column}) = wanted.key WHERE p.tenant_id = %s"
    )
    # Who is found by both comes twice, which `_merge` settles cheaper than the database would.
    sql = " UNION ALL ".join(part.replace("{column}", column) for column in ("upn", "mail"))
    return _matches(sql, [names, tenant.pk, names, tenant.pk])


def _matches(sql: str, parameters: list) -> Iterator[tuple[str, Match]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        for key, *columns in cursor.fetchall():
            yield key, Match(*columns)


def _ask_graph(tenant: Tenant, unknown: list[str], matches: dict[str, list[Match]]) -> tuple[set[str], str]:
    """Look new people up in Graph and take them into our copy, so that the same rules see the same facts.

    Returns the names asked for, and in words why the rest was not.
    """
    unknown = unknown[:GRAPH_LOOKUPS]
    asked: set[str] = set()
    found: set[str] = set()
    trouble = ""
    try:
        client = GraphClient(str(tenant.pk), priority="high")
        for start in range(0, len(unknown), 20):
            keys = unknown[start : start + 20]
            for key, answer in zip(keys, client.batch([_lookup(key) for key in keys]), strict=True):
                if answer.error is None:
                    asked.add(key)
                    found.update(user["id"] for user in answer.body.get("value", []))
                else:
                    trouble = trouble or str(answer.error)
        for object_id in found:
            sync.refresh_person(tenant, object_id)
    except GraphError as error:
        logger.warning("Could not ask Graph about %d names of a list: %s", len(unknown), type(error).__name__)
        trouble = str(error)
        asked.clear()  # Graph may know them, and then we must not say that it does not
    if found:
        _merge(matches, _people_by_id(tenant, [key for key in asked if "@" not in key]))
        _merge(matches, _people_by_name(tenant, [key for key in asked if "@" in key]))
    return asked, trouble


def _lookup(key: str) -> Call:
    literal = quote(key.replace("'", "''"), safe="")
    condition = f"userPrincipalName eq '{literal}' or mail eq '{literal}'" if "@" in key else f"id eq '{literal}'"
    return Call("GET", f"/users?$filter={condition.replace(' ', '%20')}&$select=id")


def _chunks(keys: list) -> Iterator[list]:
    iterator = iter(keys)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
