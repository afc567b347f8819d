"""What is in somebody's mailbox: a few lines, the same each time, for an app that reads mail."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from sandbox.objects import User

# Who wrote, what about, how it begins, and how many minutes ago. Nobody of the cast writes: a name on an app's page is
# the person the app is signed in as.
_LETTERS = (
    ("Nora Blum", "nora.blum", "Salary review 2027", "Please keep this to yourself until Monday", 34),
    ("Theo Falk", "theo.falk", "Your password for the payroll test system", "As asked, here it is", 96),
    ("Ravi Menon", "ravi.menon", "Offer for Fabrikam, draft 3", "The price is on page 2", 187),
    ("Travel desk", "travel", "Booking confirmed: Berlin, 2 December", "Your flight leaves at 07:45", 1260),
)
BASIC = ("id", "receivedDateTime", "subject", "isRead", "from", "hasAttachments")
# https://learn.microsoft.com/graph/permissions-reference#mailreadbasic: neither the body nor a look at it.
MORE = ("bodyPreview",)


def messages(user: User, now: datetime) -> list[dict[str, Any]]:
    """The newest first, as https://learn.microsoft.com/graph/api/resources/message names their properties."""
    domain = user.upn.partition("@")[2]
    return [
        {
            "id": f"AAMk{uuid.uuid5(uuid.UUID(user.id), subject).hex}AAA=",
            "receivedDateTime": f"{now - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}",
            "subject": subject,
            "isRead": minutes > 100,
            "hasAttachments": False,
            "from": {"emailAddress": {"name": name, "address": f"{box}@{domain}"}},
            "bodyPreview": begins,
        }
        for name, box, subject, begins, minutes in _LETTERS
    ]
