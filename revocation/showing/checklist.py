"""What securing one account comes to: what this portal did, with its proof, and what only Entra can do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _, ngettext

from accounts.models import Tenant
from directory.models import Person
from graph import entra_pages
from revocation import actions
from revocation.models import RevocationRequest, RevocationStep, worst

Kind = RevocationRequest.Kind


@dataclass(frozen=True)
class Item:
    """One line: done by us (`state`, `at`), or the reader's to do at `address`."""

    what: str
    state: str = ""
    at: datetime | None = None
    address: str = ""


def checklist(tenant: Tenant, request: RevocationRequest, steps: Sequence[RevocationStep]) -> list[Item]:
    """The lines for a request about one person's account, from its linked steps; none for any other request."""
    person = next((step.person for step in steps if step.target_type == "user" and step.person), None)
    person = person or next((step.person for step in steps if step.person), None)
    if request.kind not in (Kind.SIGN_OUT, Kind.CONTAIN_PEOPLE) or person is None:
        return []
    if len({step.person.pk for step in steps if step.person}) > 1:
        return []
    ending, found = actions.named("ends_sessions"), []
    if sessions := [step for step in steps if step.action in ending]:
        found.append(_ours(_("Sign out everywhere"), sessions))
    if consents := [step for step in steps if step.target_type == "grant"]:
        words = ngettext("Withdraw %(n)s consent", "Withdraw %(n)s consents", len(consents)) % {"n": len(consents)}
        found.append(_ours(words, consents))
    return [*found, *to_do(tenant, person)]


def to_do(tenant: Tenant, person: Person) -> list[Item]:
    """What only Entra can do for an account that may be stolen."""
    return [
        Item(_("Reset the password"), address=entra_pages.person(tenant.pk, person.pk)),
        Item(
            _("Look at the sign-in methods, and remove what is not theirs"),
            address=entra_pages.sign_in_methods(tenant.pk, person.pk),
        ),
    ]


def _ours(what: str, steps: list[RevocationStep]) -> Item:
    state = RevocationStep.State(worst(step.state for step in steps))
    at = max(
        (step.finished_at or step.accepted_at for step in steps if step.finished_at or step.accepted_at), default=None
    )
    return Item(what, str(state.label), at)
