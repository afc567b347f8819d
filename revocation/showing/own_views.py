"""One's own views of a list, beside those that everybody has."""

from collections.abc import Mapping

from django.http import HttpRequest

from accounts import saved_views


def beside(request: HttpRequest, list_: str, chosen: Mapping[str, str], known: bool) -> dict:
    """What `_own_views.html` takes, in one query.

    Args:
        known: these filters are one of everybody's views, or none at all: nothing to keep.
    """
    query = saved_views.spelled(chosen)
    own = saved_views.of(request.membership, list_)
    current = next((view for view in own if view.query == query), None)
    return {
        "own_views": own,
        "own_view": current,
        "own_list": list_,
        "own_query": "" if known or current else query,
    }
