"""Finding apps and people by the beginnings of words, whatever the number of rows.

Row-level security keeps PostgreSQL from using an index with operators that could tell of a hidden row, and those of
text search, trigrams and arrays are such. Comparing text by its order is not, so every word is a row of `SearchWord`:
"side" finds *Mail Sidekick*, and *MailSidekick* as well, for which "Sidekick" is a word of its own.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self
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


def having_all(tenant: Tenant, kind: str, asked: list[str]) -> QuerySet:
    """The ids of what has a word that begins so for each of these, each once or more. There is one at least."""
    first, *more = asked
    found = having(tenant, kind, first)
    for word in more:
        found = found.filter(target_id__in=having(tenant, kind, word))
    return found


def named(tenant: Tenant, kind: str, word: str) -> QuerySet:
    """The ids of what has exactly this word."""
    return SearchWord.objects.filter(tenant=tenant, kind=kind, word=word).values("target_id")


def save(tenant_id: UUID, kind: str, words: Iterable[tuple[UUID, set[str]]]) -> None:
    """Make these all the words of each of these targets; what is right already is not written again.

    Call inside `rows.writing`, with each target once.
    """
    rows = iter(words)
    while part := list(islice(rows, AT_ONCE)):
        Text.of(part).save(tenant_id, kind)


def forget_what_is_gone(tenant: Tenant) -> None:
    """Take out the words of people and apps that are in the copy no more."""
    words = SearchWord.objects.filter(tenant=tenant)
    people = Person.objects.filter(pk=OuterRef("target_id"))
    apps = ServicePrincipal.objects.filter(pk=OuterRef("target_id"))
    words.filter(~Exists(people), kind=Kind.PERSON).delete()
    words.filter(~Exists(apps), kind__in=(Kind.APP, Kind.FACT)).delete()


@dataclass(frozen=True)
class Text:
    """All the words of some targets, each target once, as the database takes them. Thousands of targets at most."""

    # One text for all of them: no word has a blank in it, and an array of so many is slow to write down.
    lines: str
    targets: str

    @classmethod
    def of(cls, found: Iterable[tuple[UUID, set[str]]]) -> Self:
        found = [(target.hex, words) for target, words in found]
        lines = "\n".join(" ".join((target, *sorted(words))) for target, words in found)
        return cls(lines, ",".join(target for target, _words in found))

    @classmethod
    def joined(cls, texts: Sequence[Self]) -> Self:
        """One text of several, of which no two are about the same."""
        return cls("\n".join(one.lines for one in texts), ",".join(one.targets for one in texts))

    def save(self, tenant_id: UUID, kind: str) -> None:
        """What is right already is not written again. Call inside `rows.writing`."""
        with connection.cursor() as cursor:
            cursor.execute(_SAVE, [self.lines, tenant_id, kind, f"{{{self.targets}}}", tenant_id, tenant_id, kind])


_SAVE = """
WITH new AS MATERIALIZED (SELECT split_part(line, ' ', 1)::uuid AS target_id, word COLLATE "C" AS word
    FROM string_to_table(%s, E'\\n') line, unnest((string_to_array(line, ' '))[2:]) word),
old AS MATERIALIZED (SELECT id, target_id, word FROM directory_searchword
    WHERE tenant_id = %s AND kind = %s AND target_id = ANY(%s::uuid[])),
gone AS (DELETE FROM directory_searchword s USING (
    SELECT old.id FROM old LEFT JOIN new USING (target_id, word) WHERE new.word IS NULL) AS d
    WHERE s.id = d.id AND s.tenant_id = %s)
INSERT INTO directory_searchword (tenant_id, kind, word, target_id)
SELECT %s, %s, new.word, new.target_id FROM new LEFT JOIN old USING (target_id, word)
WHERE old.id IS NULL ORDER BY new.word, new.target_id
"""  # in the order of its index, one after the other
