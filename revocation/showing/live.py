"""The part of a page that follows a revocation: sent with the page, and again for as long as it can still change.

A poll renders the template of the page's own part from the same context, so that the page after any number of polls is
the page as it would be loaded anew. Where that would show nothing new the answer is empty (304), and the browser keeps
what it has.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from revocation.showing.timeline import Point

# Seconds between two polls: while something is under way, and while only time has to pass.
SOON, LATER = 2, 60
# The token of a form is another one each time it is rendered, and says the same.
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')


@dataclass(frozen=True)
class Part:
    """What is shown, and when and where it is asked for again.

    Attributes:
        says: what is read aloud when it changed.
        address: where it is asked for again.
        every: seconds until then; 0 where nothing will change any more.
        title: the page's, where it changes with the part; else empty.
    """

    html: SafeString
    says: str
    address: str
    every: int
    title: str = ""

    @property
    def seen(self) -> str:
        """A digest of what is shown."""
        return _digest(f"{_TOKEN.sub('', self.html)}{self.every}{self.title}")

    @property
    def said(self) -> str:
        """A digest of what is read aloud."""
        return _digest(self.says)

    @property
    def tag(self) -> str:
        """The same digest as an entity tag. https://www.rfc-editor.org/rfc/rfc9110#field.etag"""
        return f'"{self.seen}"'

    @property
    def headers(self) -> str:
        """What a poll sends along, as JSON: what the browser shows, and what it read aloud."""
        return json.dumps({"If-None-Match": self.tag, "Live-Said": self.said})


def part(
    request: HttpRequest, template: str, context: dict, *, address: str, every: int, says: str, title: str = ""
) -> Part:
    """The live part of a page. `address` answers with `answer` to the page's own query."""
    html = render_to_string(template, context, request)
    query = request.GET.urlencode()
    return Part(html, says, f"{address}?{query}" if query else address, every, title)


def answer(request: HttpRequest, part: Part, **numbers) -> HttpResponse:
    """What a poll brings: the part as it is now, or nothing (304) where the browser shows just that.

    `numbers` are those beside the navigation, by what they count.
    """
    return answer_with(request, part, "revocation/_live.html", {"polled": True, "numbers": numbers})


def answer_with(request: HttpRequest, part: Part, template: str, context: dict) -> HttpResponse:
    """The same where a page has its own way to bring the part: `template` takes `part` and `aloud` besides."""
    if request.headers.get("If-None-Match") == part.tag:
        return HttpResponse(status=304, headers={"ETag": part.tag})
    aloud = request.headers.get("Live-Said") != part.said
    answer = render(request, template, context | {"part": part, "aloud": aloud})
    answer["ETag"] = part.tag
    return answer


def pace(final: bool, points: Iterable[Point] = ()) -> int:
    """How often a part asks: soon while something is done, later while a clock time (a token's end) is ahead."""
    if not final:
        return SOON
    return LATER if any(point.state in ("now", "next") for point in points) else 0


def titled(title: str, *, percent: int, final: bool, attention: int = 0) -> str:
    """A page's title in the browser's tab: how far it is while it runs, and whether somebody is needed after."""
    if not final:
        return _("(%(percent)s %%) %(title)s") % {"percent": percent, "title": title}
    return f"(! {attention}) {title}" if attention else title


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
