"""When apps and people were last active. Microsoft tells it in tenants with a P1 licence only."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from graph.types import moment_of


@dataclass(frozen=True)
class AppActivity:
    """When an app last signed in or was signed in to, in any way. Beta, and only in tenants with a P1 licence."""

    app_id: UUID
    last_used_at: datetime | None

    @classmethod
    def read(cls, data: dict) -> "AppActivity":
        return cls(
            app_id=UUID(data["appId"]),
            last_used_at=moment_of((data.get("lastSignInActivity") or {}).get("lastSignInDateTime")),
        )


@dataclass(frozen=True)
class PersonActivity:
    """When a person last got in, themselves or an app for them. Only in tenants with a P1 licence.

    Failed attempts do not count: whoever guesses passwords makes nobody active.
    https://learn.microsoft.com/graph/api/resources/signinactivity
    """

    person_id: UUID
    last_active_at: datetime | None

    SELECT = "id,signInActivity"

    @classmethod
    def read(cls, data: dict) -> "PersonActivity":
        return cls(
            person_id=UUID(data["id"]),
            last_active_at=moment_of((data.get("signInActivity") or {}).get("lastSuccessfulSignInDateTime")),
        )
