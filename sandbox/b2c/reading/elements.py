"""Policy XML as plain elements with line numbers. No entities, no document types, no network, and bounded.

https://learn.microsoft.com/azure/active-directory-b2c/service-limits
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

NAMESPACE = "http://schemas.microsoft.com/online/cpim/schemas/2013/06"
LARGEST = 1024 * 1024  # bytes that B2C takes as one file
DEEPEST = 60
MOST = 100_000


class Unreadable(Exception):
    """The file is no policy that can be read. `line` counts from 1; 0 where no line is to blame."""

    def __init__(self, why: str, line: int = 0):
        super().__init__(why)
        self.why, self.line = why, line


@dataclass(slots=True)
class Element:
    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)
    count: int = 1  # of a root: all elements in it

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default).strip()

    def child(self, tag: str) -> Element | None:
        return next((one for one in self.children if one.tag == tag), None)

    def text_of(self, tag: str) -> str:
        found = self.child(tag)
        return found.text.strip() if found else ""

    def under(self, *path: str) -> Iterator[Element]:
        """Every element at the end of a path of tags, in the order of the file."""
        if not path:
            yield self
            return
        for one in self.children:
            if one.tag == path[0]:
                yield from one.under(*path[1:])


def parse(content: bytes) -> Element:
    """The root of a policy file.

    Raises:
        Unreadable: it is too large, too deep, no XML, or XML of another kind.
    """
    if len(content) > LARGEST:
        raise Unreadable(f"the file is larger than the {LARGEST // 1024} KB that B2C takes")
    builder = _Builder()
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Unreadable(f"this is no well-formed XML: {expat.ErrorString(error.code)}", error.lineno) from None
    except (LookupError, ValueError):
        raise Unreadable("the encoding that the file names is not one that can be read", 1) from None
    root = builder.root
    if root is not None:
        root.count = builder.count
    if root is None or root.tag != "TrustFrameworkPolicy":
        raise Unreadable(f"the file is no policy: its root is not TrustFrameworkPolicy of {NAMESPACE}", 1)
    return root


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._foreign = 0  # how deep inside elements of other namespaces
        self.count = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def _doctype(self, *_: object) -> None:
        raise Unreadable("the file declares a document type, which a policy never needs", self._line)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MOST:
            raise Unreadable(f"the file has more than {MOST} elements", self._line)
        if len(self._open) + self._foreign >= DEEPEST:
            raise Unreadable(f"elements are nested more than {DEEPEST} deep", self._line)
        namespace, _, tag = name.rpartition(" ")
        if self._foreign or (namespace != NAMESPACE and self._open):
            self._foreign += 1
            return
        element = Element(tag if namespace == NAMESPACE else f"{{{namespace}}}{tag}", attributes, self._line)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, name: str) -> None:
        if self._foreign:
            self._foreign -= 1
        else:
            self._open.pop()

    def _text(self, text: str) -> None:
        if self._open and not self._foreign:
            self._open[-1].text += text

    @property
    def _line(self) -> int:
        return self.parser.CurrentLineNumber
