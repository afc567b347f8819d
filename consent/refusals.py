"""Why a change was not begun. Nothing was changed and nothing recorded as begun when one of these is raised."""

from contextlib import contextmanager

from django.http import Http404
from django.utils.translation import gettext as _

from graph.errors import GraphError
from graph.explain import words
from revocation.rules.refusals import Refused as RefusedByRule


class Absent(Http404):
    """Not there, not this tenant's, or not this person's: the three look the same."""


class Refused(RefusedByRule):
    """A rule or a fact stands against it; `str()` says which, in words for the person who asked.

    Attributes:
        request_id: Microsoft's id of the failed request, where one failed.
    """

    def __init__(self, words: str, *, request_id: str = ""):
        super().__init__(words)
        self.words = words
        self.request_id = request_id


class NothingToRevoke(Refused):
    """Only what others decided is left, such as the organisation's own consent."""


class Protected(Refused):
    """The app is Microsoft's own, or this portal."""


class WrongConfirmation(Refused):
    """What was typed is not the app's name."""


class Unreachable(Refused):
    """Microsoft could not be asked first, so nothing was begun."""


@contextmanager
def asking_microsoft():
    """Turn whatever goes wrong in a fresh read into `Unreachable`, in words."""
    try:
        yield
    except GraphError as error:
        raise Unreachable(f"{words(error).what} {_nothing()}", request_id=error.request_id) from error


def _nothing() -> str:
    return _("Nothing was changed.")
