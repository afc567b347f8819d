"""Finding what a URL names: absent and foreign look the same."""

from collections.abc import Callable
from typing import TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404

T = TypeVar("T")


def or_404(find: Callable[..., T | None], *args) -> T:
    """What a selector finds; 404 where it finds nothing, or says so by raising DoesNotExist."""
    try:
        found = find(*args)
    except ObjectDoesNotExist:
        raise Http404 from None
    if found is None:
        raise Http404
    return found
