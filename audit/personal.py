"""Names of people in the record: kept beside it, so that they can be destroyed and the chain still holds.

An entry says who by object id. In the place of a name stands a reference: a MAC of the name under a random key of its
own. Key and name are a row of `Label`. `erase` empties a person's rows; what the chain signs, in the database, in the
archive and in files of it, is the reference, which tells nothing without the key. See docs/decisions/0025.

Entries of before this was so hold names in clear. They cannot be rewritten: what is shown of them is withheld.
"""

import hmac
import json
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db.backends.utils import CursorWrapper
from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import AuditEntry, AuditEvent, Label, Redaction

OPEN, CLOSE = "\x02", "\x03"  # no name has them: they are taken out of whatever is recorded
_TOKEN = re.compile(f"{OPEN}([A-Za-z0-9_-]{{22}}){CLOSE}")
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_BESIDE = {"principal_name": "principal_id", "person_label": "person_id"}  # in images: a name, and whose it is
NAMING = ("actor_label", "approver_label", "target_label", "reason")  # columns of an entry in which names stand
_SHORT = 3  # a shorter name is replaced where it stands alone, not inside of a sentence
# One statement finds the names that are there and stores those that are not: a list of thousands brings as many, and
# is one parameter. Rows are looked for by columns of one index, whatever PostgreSQL knows of a table that has just
# grown: a join would read all of the tenant's. What was erased has no text, and is as good as not there.
_NAMES = """
WITH told AS (
    SELECT v->>0 AS person_id, v->>1 AS text, v->>2 AS ref, v->>3 AS key FROM json_array_elements(%(told)s::json) AS v
), known AS (
    SELECT person_id, text, ref FROM audit_label
    WHERE tenant_id = %(tenant)s AND person_id = ANY(%(people)s) AND text <> ''
), new AS (
    INSERT INTO audit_label (tenant_id, person_id, ref, text, key)
    SELECT %(tenant)s, person_id, ref, text, decode(key, 'hex') FROM told
    WHERE (person_id, text) NOT IN (SELECT person_id, text FROM known)
    RETURNING person_id, text, ref
)
SELECT person_id, text, ref FROM known UNION ALL SELECT person_id, text, ref FROM new
"""
_OF_REQUESTS = """
SELECT e.request_id::text, token[1],
    (SELECT l.text FROM audit_label l WHERE l.ref = token[1] AND l.tenant_id = %(tenant)s)
FROM audit_auditentry e, regexp_matches(e.actor_label || e.target_label, %(token)s, 'g') AS token
WHERE e.tenant_id = %(tenant)s AND e.event = %(event)s AND e.request_id = ANY(%(ids)s::uuid[])
"""
Names = dict[str, str]  # what stands in the place of each name


class Drafted(Protocol):
    """What is to be recorded: `audit.services.Draft`."""

    actor: Any
    approver: Any
    about: Any
    target_type: str
    target_id: str
    target_label: str
    request_id: UUID | None
    before: Any
    after: Any


# --- Writing -----------------------------------------------------------------------------------------------


def names_of(cursor: CursorWrapper, tenant_id: UUID, drafts: Sequence[Drafted]) -> list[Names]:
    """For each draft, the names in it and their references. New ones are stored.

    One statement, and another where an entry is about a request. Call it under the lock of the tenant's chain: no two
    writers then store the same name.
    """
    people = [set(_people_in(draft)) for draft in drafts]
    references = _references(cursor, tenant_id, set().union(*people))
    of_requests = _of_requests(cursor, tenant_id, drafts)
    return [
        {label: references[person, label] for person, label in named} | of_requests.get(str(draft.request_id), {})
        for draft, named in zip(drafts, people, strict=True)
    ]


def veil(text: str, names: Names) -> str:
    """`text` with references in the places of names."""
    if OPEN in text or CLOSE in text:
        text = text.replace(OPEN, "").replace(CLOSE, "")
    if found := names.get(text):
        return found
    for name in names:
        if name in text and len(name) >= _SHORT:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", names[name], text)
    return text


def veil_all(value: Any, names: Names) -> Any:
    """The same for every text in plain JSON."""
    return _each_text(value, lambda text: veil(text, names))


def _each_text(value: Any, changed: Callable[[str], Any]) -> Any:
    """Plain JSON with every text in it changed; the names of its fields stay."""
    match value:
        case str():
            return changed(value)
        case dict():
            return {key: _each_text(item, changed) for key, item in value.items()}
        case list():
            return [_each_text(item, changed) for item in value]
    return value


def cut(text: str, limit: int | None) -> str:
    """At most so many characters, and no half of a reference."""
    if not limit or len(text) <= limit:
        return text
    text = text[:limit]
    return text[: text.rfind(OPEN)] if text.rfind(OPEN) > text.rfind(CLOSE) else text


def _people_in(draft: Drafted) -> Iterator[tuple[str, str]]:
    for someone in (draft.actor, draft.approver, draft.about):
        if someone:
            yield from _person(someone.id, someone.label)
    if draft.target_type == "user":
        yield from _person(draft.target_id, draft.target_label)
    for image in (draft.before, draft.after):
        if image:
            yield from _people_in_image(image)


def _people_in_image(image: Any) -> Iterator[tuple[str, str]]:
    if isinstance(image, dict):
        for name, whose in _BESIDE.items():
            if name in image and whose in image:
                yield from _person(image[whose], image[name])
    for item in image.values() if isinstance(image, dict) else image if isinstance(image, list) else ():
        if isinstance(item, dict | list):
            yield from _people_in_image(item)


def _person(person_id: Any, label: Any) -> Iterator[tuple[str, str]]:
    person = str(person_id or "").lower()
    name = str(label or "").replace("\x00", "").replace(OPEN, "").replace(CLOSE, "")[:256]
    if name and name != person and _ID.fullmatch(person):
        yield person, name


def _references(
    cursor: CursorWrapper, tenant_id: UUID, people: Collection[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    if not people:
        return {}
    told = []
    for person, name in sorted(people):
        key = secrets.token_bytes(32)  # of its own, and thrown away where the name is known
        told.append([person, name, reference(key, person, name), key.hex()])
    ids = sorted({person for person, _name in people})
    cursor.execute(_NAMES, {"tenant": tenant_id, "told": json.dumps(told), "people": ids})
    return {(person, name): f"{OPEN}{ref}{CLOSE}" for person, name, ref in cursor.fetchall()}


def reference(key: bytes, person_id: str, text: str) -> str:
    """What stands in the record for this name of this person."""
    mac = hmac.digest(key, f"{person_id}\0{text}".encode(), "sha256")
    return urlsafe_b64encode(mac[:16]).decode().rstrip("=")


def _of_requests(cursor: CursorWrapper, tenant_id: UUID, drafts: Sequence[Drafted]) -> dict[str, Names]:
    """Names that the first entry of a request has: later ones repeat its title, and do not know whom that names."""
    ids = {str(draft.request_id) for draft in drafts if draft.request_id and draft.target_type == "request"}
    found: dict[str, Names] = {}
    if ids:
        asked = {"token": _TOKEN.pattern, "event": AuditEvent.REVOCATION_REQUESTED, "ids": sorted(ids)}
        cursor.execute(_OF_REQUESTS, {"tenant": tenant_id, **asked})
        for request_id, ref, text in cursor.fetchall():
            if text:  # else it was erased
                found.setdefault(request_id, {})[text] = f"{OPEN}{ref}{CLOSE}"
    return found


def _texts(tenant_id: UUID, refs: Collection[str]) -> dict[str, str]:
    if not refs:
        return {}
    return dict(Label.objects.filter(tenant_id=tenant_id, ref__in=refs).values_list("ref", "text"))


# --- Showing -----------------------------------------------------------------------------------------------


def reveal(tenant_id: UUID, entries: list[AuditEntry]) -> list[AuditEntry]:
    """Put the names back into entries that are about to be shown; two queries. They are not what was signed any more.

    What was erased reads so.
    """
    texts = _texts(tenant_id, {ref for entry in entries for text in _texts_of(entry) for ref in _TOKEN.findall(text)})
    withheld = _withheld_from(tenant_id, [entry.sequence for entry in entries])
    for entry in entries:
        for name in NAMING:
            setattr(entry, name, _named(getattr(entry, name), texts))
        entry.before = _each_text(entry.before, lambda text: _named(text, texts))
        entry.after = _each_text(entry.after, lambda text: _named(text, texts))
        for person in withheld.get(entry.sequence, ()):
            _withhold(entry, person)
    return entries


def _texts_of(entry: AuditEntry) -> list[str]:
    """Every text of an entry in which names may stand."""
    found = [getattr(entry, name) for name in NAMING]
    for image in (entry.before, entry.after):
        _each_text(image, found.append)
    return found


def _withheld_from(tenant_id: UUID, sequences: Collection[int]) -> dict[int, list[str]]:
    """Of these entries, those that name an erased person in clear, and whom."""
    found: dict[int, list[str]] = {}
    rows = Redaction.objects.filter(tenant_id=tenant_id, sequence__in=sequences)
    for sequence, person in rows.values_list("sequence", "person_id"):
        found.setdefault(sequence, []).append(person)
    return found


def erased() -> str:
    return _("(erased)")


def _named(text: str, texts: Names) -> str:
    return _TOKEN.sub(lambda found: texts.get(found[1]) or erased(), text) if OPEN in text else text


def _withhold(entry: AuditEntry, person: str) -> None:
    if entry.actor_id == person:
        entry.actor_label = erased()
    if entry.approver_id == person:
        entry.approver_label = erased()
    entry.target_label, entry.reason = erased(), erased() if entry.reason else ""
    entry.before = entry.before and {"": erased()}
    entry.after = entry.after and {"": erased()}


def references_to(tenant_id: UUID, word: str) -> QuerySet:
    """What stands in entries for the names that contain this word: so a name is found although no entry has it."""
    rows = Label.objects.filter(tenant_id=tenant_id, text__icontains=word).order_by("-pk")
    return rows.annotate(token=Concat(Value(OPEN), "ref", Value(CLOSE))).values_list("token", flat=True)


def without_references(field: str) -> Func:
    """A field's own words: a reference is letters too, and a word may well be among them."""
    pattern = Value(f"{OPEN}[^{CLOSE}]*{CLOSE}")
    return Func(F(field), pattern, Value(""), Value("g"), function="regexp_replace", output_field=TextField())


# --- Erasing -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Erased:
    """How many names were destroyed, and which entries of before names were kept apart are withheld from now on."""

    labels: int
    entries: list[int]


def erase(tenant_id: UUID, person_ids: Sequence[str], names: Iterable[str]) -> Erased:
    """Destroy the names of a person, and withhold the older entries that have one of them in clear.

    The role that owns the tables alone may do that. The caller records it.

    Args:
        person_ids: the person's object id first, and their account's.
        names: what they are called elsewhere, so that it is found in older entries too.
    """
    ids = {person.lower() for person in person_ids}
    rows = Label.objects.filter(tenant_id=tenant_id, person_id__in=ids, erased_at=None)
    texts = set(rows.values_list("text", flat=True)) | set(names)
    labels = rows.update(text="", key=b"", erased_at=timezone.now())
    entries = sorted(_in_clear(tenant_id, ids, texts))
    Redaction.objects.bulk_create(
        [Redaction(tenant_id=tenant_id, sequence=number, person_id=person_ids[0].lower()) for number in entries],
        ignore_conflicts=True,
    )
    return Erased(labels, entries)


def _in_clear(tenant_id: UUID, ids: set[str], names: set[str]) -> set[int]:
    """Entries that name the person in clear: by whom they are about, or anywhere in their texts."""
    told = Q()
    for who, label in (("actor_id", "actor_label"), ("approver_id", "approver_label"), ("target_id", "target_label")):
        told |= Q(**{f"{who}__in": ids}) & ~Q(**{label: ""}) & ~Q(**{f"{label}__startswith": OPEN})
    for name in names:
        if len(name) >= _SHORT:
            for field in (*NAMING, "was", "is"):
                told |= Q(**{f"{field}__contains": name})
    rows = AuditEntry.objects.filter(tenant_id=tenant_id).annotate(
        was=Cast("before", TextField()), **{"is": Cast("after", TextField())}
    )
    return set(rows.filter(told).values_list("sequence", flat=True))


# --- Judging -----------------------------------------------------------------------------------------------


def faults(tenant_id: UUID, erased_people: set[str] | None) -> Iterator[str]:
    """What is wrong with the names beside a tenant's record.

    Args:
        erased_people: whose names the record says were erased; None where not all of it could be read.
    """
    changed, without_a_word = 0, set()
    rows = Label.objects.filter(tenant_id=tenant_id).values_list("ref", "person_id", "text", "key", "erased_at")
    for ref, person, text, key, at in rows.iterator(chunk_size=2000):
        if at is not None:
            without_a_word.add(person)
        elif not hmac.compare_digest(reference(bytes(key), person, text), ref):
            changed += 1
    if changed:
        yield f"{changed} names beside the record are not what was written."
    if erased_people is not None and (unsaid := without_a_word - erased_people):
        yield f"The names of {len(unsaid)} people were destroyed, and the record does not say so."
    if missing := _missing(tenant_id):
        yield f"{missing} names that entries refer to are missing."


def _missing(tenant_id: UUID) -> int:
    kept = Label.objects.filter(tenant_id=tenant_id)
    refs: set[str] = set()
    for name in ("actor_label", "approver_label", "target_label"):
        named = AuditEntry.objects.filter(tenant_id=tenant_id, **{f"{name}__startswith": OPEN})
        for label in named.order_by().values_list(name, flat=True).distinct().iterator(chunk_size=2000):
            refs.update(_TOKEN.findall(label))
    return len(refs - set(kept.values_list("ref", flat=True))) if refs else 0
