"""How the identity side behaves where Entra behaves now one way, now another: switches for tests.

`POST /_sandbox/identity` sets them, `GET` shows them, and a reset puts them back.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

LATE = ("roles", "principal")


@dataclass
class Switches:
    """
    Attributes:
        consent_late: what is late where consent takes a while (`World.consent_lag_seconds`): "roles", a token comes
            without them, or "principal", the app is not there yet.
            https://github.com/microsoftgraph/microsoft-graph-docs/issues/10907
        opaque_graph_tokens: tokens for Microsoft Graph are no JWTs. Microsoft promises no format: "can't be validated
            by your app". https://learn.microsoft.com/entra/identity-platform/access-tokens
        federated: tenants whose people sign in elsewhere, by id: what their ID tokens then say in `idp`.
    """

    consent_late: str = "roles"
    opaque_graph_tokens: bool = False
    federated: dict[str, str] = field(default_factory=dict)

    def change(self, given: dict[str, Any]) -> dict[str, Any]:
        """All switches, with these set.

        Raises:
            ValueError: an unknown switch or value; nothing was changed.
        """
        known = {one.name: type(getattr(self, one.name)) for one in fields(self)}
        if unknown := set(given) - set(known):
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(known)}")
        for name, value in given.items():
            if not isinstance(value, known[name]) or (name == "consent_late" and value not in LATE):
                raise ValueError(f"{name} cannot be {value!r}")
        for name, value in given.items():
            setattr(self, name, value)
        return asdict(self)
