"""What is said on the page one stays on after a change: how far it is, with the ways to undo it and to see it all."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from revocation import selectors
from revocation.models import RevocationRequest
from revocation.showing.offered import what_may
from revocation.showing.tally import tallies
from revocation.showing.timeline import timeline

MOST = 200  # steps that are read for one sentence


@dataclass(frozen=True)
class Toast:
    """One message about a change. `follow` is where it is asked for again while more of it may become known."""

    text: str
    level: int
    details: str
    undo: str = ""
    follow: str = ""

    @property
    def level_tag(self) -> str:
        return messages.DEFAULT_TAGS[self.level]


def of(request: HttpRequest, done: RevocationRequest, *, back: str) -> Toast:
    """What there is to say about `done` now. `back` is the page that an undo from it returns to."""
    tally = tallies([done])[done.pk]
    told = timeline(done, list(selectors.steps(done)[:MOST]), own=False)
    ids, query = [done.tenant.slug, done.pk], urlencode({"next": back})
    undo = "undo" in what_may(request.membership, done, tally)
    return Toast(
        text=_("%(title)s: %(how)s.") % {"title": done.title, "how": told.headline},
        level=messages.WARNING if tally.attention or done.state in RevocationRequest.STOPPED else messages.SUCCESS,
        details=reverse("revocation:detail", args=ids),
        undo=f"{reverse('revocation:undo', args=ids)}?{query}" if undo else "",
        follow="" if told.final else f"{reverse('revocation:toast', args=ids)}?{query}",
    )


def say(request: HttpRequest, done: RevocationRequest, *, back: str) -> None:
    """Leave a message about `done` for the next page, where it follows what becomes of it."""
    toast = of(request, done, back=back)
    addresses = {"details": toast.details, "undo": toast.undo, "follow": toast.follow}
    tags = " ".join(f"{name}:{at}" for name, at in addresses.items() if at)
    messages.add_message(request, toast.level, toast.text, extra_tags=tags)
