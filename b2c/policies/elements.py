"""Policy XML as plain elements that know their file and line.

No document type is accepted, so there are no entities; nothing outside the bytes is ever opened; size, depth and number
of elements are bounded while reading, not after. (docs/decisions/0016-reading-policies.md)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from xml.parsers import expat

from django.utils.translation import gettext as _

NAMESPACE = "http://schemas.microsoft.com/online/cpim/schemas/2013/06"
LARGEST = 1024 * 1024  # bytes; what B2C takes as one file
DEEPEST = 64
MOST_ELEMENTS = 60_000


class PolicyError(Exception):
    """What cannot be read as a policy, or as a set of them. `line` counts from 1; 0 where no line is to blame."""

    def __init__(self, file: str, line: int, why: str):
        super().__init__(f"{file}:{line}: {why}" if line else f"{file}: {why}")
        self.file, self.line, self.why = file, line, why


@dataclass(slots=True)
class Element:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""
    file: str = ""
    line: int = 0

    def get(self, name: str) -> str:
        return self.attributes.get(name, "").strip()

    def child(self, tag: str) -> Element | None:
        return next((one for one in self.children if one.tag == tag), None)

    def text_of(self, tag: str) -> str:
        found = self.child(tag)
        return found.text.strip() if found is not None else ""

    def under(self, *path: str) -> Iterator[Element]:
        """Every element at the end of a path of tags, in the order of the file."""
        if not path:
            yield self
            return
        for one in self.children:
            if one.tag == path[0]:
                yield from one.under(*path[1:])

    def everything(self) -> Iterator[Element]:
        yield self
        for one in self.children:
            yield from one.everything()

    def with_(self, *children: Element, **attributes: str) -> Element:
        """A copy with other attributes, and with other children where some are given."""
        changed = {name: value for name, value in {**self.attributes, **attributes}.items() if value}
        return replace(self, attributes=changed, children=list(children) or list(self.children))


def parse(file: str, content: bytes) -> Element:
    """The root of a policy file.

    Raises:
        PolicyError: too large, too deep, no XML, or XML of another kind.
    """
    if len(content) > LARGEST:
        raise PolicyError(file, 0, _("The file is larger than the %d KB that B2C takes.") % (LARGEST // 1024))
    builder = _Builder(file)
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError as error:
        why = _("This is not well-formed XML (%s).") % expat.ErrorString(error.code)
        raise PolicyError(file, error.lineno, why) from None
    except (LookupError, ValueError):
        raise PolicyError(file, 1, _("The file names an encoding that cannot be read; save it as UTF-8.")) from None
    if builder.root is None or builder.root.tag != "TrustFrameworkPolicy":
        raise PolicyError(file, 1, _("The root is not the TrustFrameworkPolicy of %s.") % NAMESPACE)
    return builder.root


class _Builder:
    def __init__(self, file: str):
        self.root: Element | None = None
        self._file = file
        self._open: list[Element] = []
        self._foreign = 0  # how deep we are in elements of another namespace, which mean nothing to a policy
        self._count = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def _refuse(self, why: str) -> PolicyError:
        return PolicyError(self._file, self.parser.CurrentLineNumber, why)

    def _doctype(self, *_declared: object) -> None:
        raise self._refuse(_("The file declares a document type. A policy needs none, and entities are not expanded."))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise self._refuse(_("The file has more than %d elements.") % MOST_ELEMENTS)
        if len(self._open) + self._foreign >= DEEPEST:
            raise self._refuse(_("Elements are nested more than %d deep.") % DEEPEST)
        namespace, _space, tag = name.rpartition(" ")
        if self._foreign or (self._open and namespace != NAMESPACE):
            self._foreign += 1
            return
        tag = tag if namespace == NAMESPACE else f"{{{namespace}}}{tag}"
        plain = {key: value for key, value in attributes.items() if " " not in key}
        element = Element(tag, plain, file=self._file, line=self.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        if self._foreign:
            self._foreign -= 1
        else:
            self._open.pop()

    def _text(self, text: str) -> None:
        if self._open and not self._foreign:
            self._open[-1].text += text
