"""The `claims` parameter: what a client wants in its tokens, and whether it can answer a challenge.

https://learn.microsoft.com/entra/identity-platform/claims-challenge
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sandbox.identity.errors import Refusal


@dataclass(frozen=True)
class ClaimsRequest:
    """Both sections, as far as they have the shape they should have; the rest is passed over."""

    access_token: dict[str, Any]
    id_token: dict[str, Any]

    @property
    def capable(self) -> bool:
        """Whether the client says (`xms_cc`: cp1) that it can answer a claims challenge."""
        return any(one.lower() == "cp1" for one in _values(self.access_token.get("xms_cc")))

    @property
    def contexts(self) -> tuple[str, ...]:
        """Authentication contexts (`acrs`) asked for. An interactive sign-in here satisfies any."""
        return tuple(_values(self.id_token.get("acrs")))


def read(text: str | None) -> ClaimsRequest:
    """
    Raises:
        Refusal: 90013, it is not a JSON object.
    """
    if not text:
        return ClaimsRequest({}, {})
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refusal(90013, "Invalid input received from the user: the 'claims' parameter is not a JSON object.")
    return ClaimsRequest(_section(found.get("access_token")), _section(found.get("id_token")))


def _section(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _values(wish: Any) -> list[str]:
    """`value` and `values` of one claim."""
    wish = _section(wish)
    several = wish.get("values")
    found = several if isinstance(several, list) else [wish.get("value")]
    return [one for one in found if isinstance(one, str)]
