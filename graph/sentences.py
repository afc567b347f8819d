"""Sentences that are kept: written down once, in English, and said to each reader in their own language.

`gettext` and `ngettext` are Django's, but what they return remembers of what it was made. What keeps a sentence stores
`english(text)` beside `made(text)`; what shows it says `read(text, made)`:

    title = _("Remove %(app)s") % {"app": "Mail Sidekick"}
    english(title)  # "Remove Mail Sidekick": what is stored, searched, sealed and signed
    made(title)     # {"text": "Remove %(app)s", "with": {"app": "Mail Sidekick"}}

Whole numbers that are put in as text, `%(n)s`, are grouped as the language groups them: 1,234 or 1.234.
"""

from collections.abc import Callable, Mapping
from typing import Any, Self

from django.utils import translation
from django.utils.formats import number_format


class Sentence(str):
    """Text in the language of the moment it was made in, with what makes it in any other."""

    parts: tuple[str, str, int, Mapping[str, Any]]  # text, its plural or "", the number that decides, what is put in

    def __new__(cls, text: str, plural: str = "", number: int = 0, put_in: Mapping[str, Any] | None = None) -> Self:
        said = translation.ngettext(text, plural, number) if plural else translation.gettext(text)
        made = super().__new__(cls, said if put_in is None else said % _grouping(put_in, grouped))
        made.parts = (text, plural, number, {} if put_in is None else put_in)
        return made

    def __mod__(self, put_in: Any) -> str:
        """With named things put in, still a sentence; with others (`%d`), text of this moment's language."""
        if not isinstance(put_in, Mapping):
            return super().__mod__(put_in)
        text, plural, number, _ = self.parts
        return Sentence(text, plural, number, put_in)


def gettext(text: str) -> Sentence:
    return Sentence(text)


def ngettext(one: str, many: str, number: int) -> Sentence:
    return Sentence(one, many, number)


def grouped(number: int) -> str:
    """A whole number as the reader's language writes it: 1,234 or 1.234."""
    return number_format(number, force_grouping=True)


def english(text: str) -> str:
    """The sentence as it is stored. Text that was not made here stays as it is."""
    return _english(made(text)) if isinstance(text, Sentence) else text


def made(text: str) -> dict[str, Any]:
    """Of what the sentence is made, as plain JSON. Empty for text that was not made here."""
    if not isinstance(text, Sentence):
        return {}
    said, plural, number, put_in = text.parts
    kept: dict[str, Any] = {"text": said}
    if plural:
        kept |= {"plural": plural, "number": number}
    if put_in:
        kept["with"] = {name: _kept(value) for name, value in put_in.items()}
    return kept


def read(text: str, kept: Mapping[str, Any]) -> str:
    """A stored sentence in the reader's language.

    As it is stored where `kept` does not make exactly this text: then somebody changed one of the two, or the text was
    cut off, and what is sealed and signed is the text.
    """
    if not kept:
        return text
    try:
        return _again(kept) if _english(kept) == text else text
    except (KeyError, TypeError, ValueError, AttributeError):
        return text


class _Number(int):
    """A number for `%d`, and for `%s` its grouped text."""

    grouped: str

    def __str__(self) -> str:
        return self.grouped


def _grouping(put_in: Mapping[str, Any], group: Callable[[int], str]) -> dict[str, Any]:
    return {name: _number(value, group) if type(value) is int else value for name, value in put_in.items()}


def _number(value: int, group: Callable[[int], str]) -> _Number:
    number = _Number(value)
    number.grouped = group(value)
    return number


def _kept(value: Any) -> Any:
    if isinstance(value, Sentence):
        return made(value)
    return value if isinstance(value, int) else str(value)


def _english(kept: Mapping[str, Any]) -> str:
    said = kept["plural"] if "plural" in kept and kept["number"] != 1 else kept["text"]
    put_in = kept.get("with")
    if not put_in:
        return said
    english = {name: _english(value) if isinstance(value, dict) else value for name, value in put_in.items()}
    return said % _grouping(english, "{:,}".format)


def _again(kept: Mapping[str, Any]) -> Sentence:
    put_in = {name: _again(value) if isinstance(value, dict) else value for name, value in kept.get("with", {}).items()}
    return Sentence(kept["text"], kept.get("plural", ""), kept.get("number", 0), put_in or None)
