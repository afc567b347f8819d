"""The catalogues: complete, as the texts are today, and compiled."""

import gettext
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils.translation import override

from portal.templatetags.pieces import when
from revocation.forms import part_words
from revocation.lists.recipes import Part

PROJECT = Path(settings.BASE_DIR)
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PARTS = ("accounts", "audit", "b2c", "consent", "directory", "graph", "inbox", "portal", "revocation", "tenants")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|(?<!%)\{\w*\}")


def texts(path: Path) -> dict[tuple[str, str, str], list[str]]:
    """The entries of a catalogue, read by GNU gettext: context, text and plural, and what each form says."""
    listed = subprocess.run(["msgcat", "--no-wrap", "--no-location", path], capture_output=True, text=True, check=True)
    found = {}
    for block in listed.stdout.split("\n\n"):
        if "#, fuzzy" in block:
            continue  # as good as missing
        fields = {
            name: "".join(map(_unquoted, re.findall(r'"(.*)"', value)))
            for name, value in re.findall(r'^(msg\w+(?:\[\d\])?) ((?:".*"\n?)+)', block, re.M)
        }
        said = [value for name, value in fields.items() if name.startswith("msgstr")]
        found[(fields.get("msgctxt", ""), fields["msgid"], fields.get("msgid_plural", ""))] = said
    found.pop(("", "", ""), None)
    return found


def _unquoted(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


@pytest.fixture(scope="module")
def wanted(tmp_path_factory) -> set[tuple[str, str, str]]:
    """Every text of the code and the templates, extracted afresh."""
    copy = tmp_path_factory.mktemp("texts")
    tracked = subprocess.run(
        ["git", "ls-files", "*.py", "*.html", "*.txt"], cwd=PROJECT, capture_output=True, text=True
    )
    for name in tracked.stdout.split():
        if not name.startswith(("tests/", "benchmarks/", "docs/")) and (PROJECT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, copy / name)
    (copy / "locale").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(copy)
        call_command("makemessages", locale=["xx"], verbosity=0, no_obsolete=True)
    return set(texts(copy / "locale/xx/LC_MESSAGES/django.po"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_said_in_every_language(language: str, wanted):
    said = texts(PROJECT / "locale" / language / "LC_MESSAGES/django.po")

    assert sorted(wanted - said.keys()) == [], "run `make messages`, and translate what is new"
    assert sorted(said.keys() - wanted) == [], "run `make messages`"
    assert [key for key, forms in said.items() if not all(forms)] == []
    assert [key for key, forms in said.items() if not _same_facts(key, forms)] == []


def test_french_marks_never_begin_a_line():
    """The space before them, and inside of guillemets, does not break."""
    said = texts(PROJECT / "locale/fr/LC_MESSAGES/django.po")

    assert [form for forms in said.values() for form in forms if re.search(r"\S [?!;:»](?:\W|$)|« \S", form)] == []


def _same_facts(key: tuple[str, str, str], forms: list[str]) -> bool:
    """Whether every form puts in what the English puts in; a form for one thing may leave its number out."""
    _context, one, many = key
    wanted = {*PLACEHOLDER.findall(one), *PLACEHOLDER.findall(many)}
    for form in forms:
        there = set(PLACEHOLDER.findall(form))
        if there - wanted or (not many and there != wanted):
            return False
        if many and set(PLACEHOLDER.findall(one)) & set(PLACEHOLDER.findall(many)) - there:
            return False
    return True


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str):
    folder = PROJECT / "locale" / language / "LC_MESSAGES"
    with (folder / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    catalog = compiled._catalog

    for (_context, one, many), forms in texts(folder / "django.po").items():
        key = f"{_context}\x04{one}" if _context else one
        for number, form in enumerate(forms):
            assert catalog.get((key, number) if many else key) == form, "run `make messages`"


@pytest.mark.parametrize(
    ("language", "date"),
    [("en", "3 Apr 2026"), ("de", "3. April 2026"), ("fr", "3 avril 2026"), ("pl", "3 kwietnia 2026")],
)
def test_a_date_is_written_as_its_reader_writes_it(language: str, date: str):
    with override(language):
        assert f">{date}</time>" in when(datetime(2026, 4, 3, 13, 40, tzinfo=UTC), "date")


def test_a_reader_gets_the_language_of_their_browser_or_the_one_they_chose(client, db):
    page = client.get("/accounts/sign-in/", headers={"accept-language": "fr-CA,fr;q=0.9"}).content.decode()
    client.post("/language/", {"language": "de"})
    chosen = client.get("/accounts/sign-in/", headers={"accept-language": "fr"}).content.decode()

    assert '<html lang="fr"' in page
    assert '<html lang="de"' in chosen


def test_large_numbers_are_written_as_the_language_writes_them():
    with override("de"):
        assert "1.234" in part_words(Part.CONSENTS, 1234)
    with override("en"):
        assert "1,234" in part_words(Part.CONSENTS, 1234)


def test_no_number_is_grouped_by_hand():
    """`f"{n:,}"` writes English in every language: `graph.sentences.grouped` does not."""
    files = [path for part in PARTS for path in (PROJECT / part).rglob("*.py")]
    by_hand = [str(path) for path in files if re.search(r":[+ ]?,\}", path.read_text())]
    assert len(files) > 100
    assert [path for path in by_hand if not path.endswith("graph/sentences.py")] == []  # what is stored is English
