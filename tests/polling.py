"""A page in a browser that runs its polls: what htmx does with an answer, done to the page's elements."""

import json
import re

from django.test import Client
from django.test.html import Element, parse_html

# The token against forged requests is another one each time it is rendered.
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|(?<="X-CSRFToken": ")\w+')


class OpenPage:
    """A page as it was loaded, and as polls changed it since."""

    def __init__(self, client: Client, address: str) -> None:
        self.client, self.address = client, address
        answer = client.get(address)
        assert answer.status_code == 200, answer.get("Location", "")
        self.root = _parse(answer.content.decode())
        self.swaps = 0

    def poll(self) -> None:
        """Every part that asks again does so once; what it brings takes the part's place."""
        for part in [one for one in _all(self.root) if "every" in _attribute(one, "hx-trigger")]:
            assert _attribute(part, "hx-swap") == "outerHTML"
            headers = {"HX-Request": "true"} | json.loads(_attribute(part, "hx-headers") or "{}")
            answer = self.client.get(_attribute(part, "hx-get"), headers=headers)
            if answer.status_code == 304:
                continue
            assert answer.status_code == 200, answer.get("Location", "")
            self.swaps += 1
            self._swap(part, _parse(answer.content.decode()))

    def _swap(self, part: Element, brought: Element) -> None:
        titles = [one for one in _elements(brought) if one.name == "title"]
        for one in titles:  # htmx puts it into the page's own
            next(mine for mine in _all(self.root) if mine.name == "title").children = one.children
        beside = [one for one in _elements(brought) if _attribute(one, "hx-swap-oob")]
        _put(self.root, part, [one for one in _elements(brought) if one not in beside + titles])
        for one in beside:
            assert _attribute(one, "hx-swap-oob") == "innerHTML"
            if found := self.find(_attribute(one, "id")):
                found.children = one.children

    def find(self, pk: str) -> Element | None:
        return next((one for one in _all(self.root) if _attribute(one, "id") == pk), None)

    @property
    def asks_again(self) -> bool:
        return any("every" in _attribute(one, "hx-trigger") for one in _all(self.root))

    def elements(self) -> list[str]:
        """The page's elements one by one, without what is only read aloud."""
        if aloud := self.find("live"):
            aloud.children = []
        title, body = (next(one for one in _all(self.root) if one.name == name) for name in ("title", "body"))
        return [*str(title).splitlines(), *str(body).splitlines()]


def _parse(html: str) -> Element:
    return parse_html(f"<div>{TOKEN.sub('', html)}</div>")


def _attribute(element: Element, name: str) -> str:
    return dict(element.attributes).get(name) or ""


def _elements(element: Element) -> list[Element]:
    return [child for child in element.children if isinstance(child, Element)]


def _all(element: Element) -> list[Element]:
    return [element, *(one for child in _elements(element) for one in _all(child))]


def _put(root: Element, old: Element, new: list[Element]) -> None:
    for parent in _all(root):
        for place, child in enumerate(parent.children):
            if child is old:
                parent.children[place : place + 1] = new
                return
    raise AssertionError("the part is not on the page")
