"""Finding apps and people by the beginnings of words, whatever the number of rows.

Row-level security keeps PostgreSQL from using an index with operators that could tell of a hidden row, and those of
text search, trigrams and arrays are such. Comparing text by its order is not, so every word is a row of `SearchWord`:
"side" finds *Mail Sidekick*, and *MailSidekick* as well, for which "Sidekick" is a word of its own.
"""

import re
from collections.abc import Iterable
from itertools import islice
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Tenant
from directory.models import Person, SearchWord, ServicePrincipal

LAST = "\U0010ffff"  # sorts after every letter
MOST_WORDS = 5
AT_ONCE = 5000
_SPLIT = re.compile(r"[^\w]+|_+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # where a name that is written together has another word

Kind = SearchWord.Kind


def asked(q: str) -> list[str]:
    """What somebody typed, as words to look for: a dot or a hyphen parts words, as it does in names and addresses."""
    return [word for word in _SPLIT.split(q.replace("\0", "").casefold()) if word][:MOST_WORDS]


def of(*texts: str) -> set[str]:
    """The words by which something of these names is found."""
    found: set[str] = set()
    for text in texts:
        found.update(word.casefold()[:64] for word in _SPLIT.split(text) if word)
        found.update(part.casefold()[:64] for word in _SPLIT.split(text) for part in _HUMP.split(word) if part)
    return found


def having(tenant: Tenant, kind: str, word: str) -> QuerySet:
    """The ids of what has a word that begins so, each once or more."""
    words = SearchWord.objects.filter(tenant=tenant, kind=kind, word__gte=word[:64], word__lt=word[:63] + LAST)
    return words.values("target_id")


def named(tenant: Tenant, kind: str, word: str) -> QuerySet:
    """The ids of what has exactly this word."""
    return SearchWord.objects.filter(tenant=tenant, kind=kind, word=word).values("target_id")


def save(tenant: Tenant, kind: str, words: Iterable[tuple[UUID, set[str]]]) -> None:
    """Make these all the words of each of these targets; what is right already is not written again."""
    rows = iter(words)
    while part := list(islice(rows, AT_ONCE)):
        _save(tenant, kind, part)


def forget_what_is_gone(tenant: Tenant) -> None:
    """Take out the words of people and apps that are in the copy no more."""
    words = SearchWord.objects.filter(tenant=tenant)
    people = Person.objects.filter(pk=OuterRef("target_id"))
    apps = ServicePrincipal.objects.filter(pk=OuterRef("target_id"))
    words.filter(~Exists(people), kind=Kind.PERSON).delete()
    words.filter(~Exists(apps), kind__in=(Kind.APP, Kind.FACT)).delete()


def _save(tenant: Tenant, kind: str, part: list[tuple[UUID, set[str]]]) -> None:
    pairs = [(target, word) for target, found in part for word in sorted(found)]
    targets, words = [target for target, _word in pairs], [word for _target, word in pairs]
    with connection.cursor() as cursor:
        cursor.execute(
            'WITH new AS MATERIALIZED (SELECT target_id, word COLLATE "C" AS word'
            " FROM unnest(%s::uuid[], %s::text[]) AS n(target_id, word)),"
            " old AS MATERIALIZED (SELECT id, target_id, word FROM directory_searchword"
            " WHERE tenant_id = %s AND kind = %s AND target_id = ANY(%s)),"
            " gone AS (DELETE FROM directory_searchword s USING (SELECT old.id FROM old LEFT JOIN new"
            " USING (target_id, word) WHERE new.word IS NULL) AS d WHERE s.id = d.id AND s.tenant_id = %s)"
            " INSERT INTO directory_searchword (tenant_id, kind, word, target_id)"
            " SELECT %s, %s, new.word, new.target_id FROM new LEFT JOIN old USING (target_id, word)"
            " WHERE old.id IS NULL ON CONFLICT DO NOTHING",
            [targets, words, tenant.pk, kind, [target for target, _found in part], tenant.pk, tenant.pk, kind],
        )
