"""What to do about the steps that failed or were not confirmed: a remedy for each, those with the same one together."""

from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import permissions
from accounts.models import Tenant
from accounts.permissions import Standing
from directory.models import Person
from graph import entra_pages
from revocation import actions, selectors
from revocation.models import RevocationRequest, RevocationStep
from revocation.showing import about

LOOKED_AT = 50  # steps that need a human
REFUSED = {"Authorization_RequestDenied", "403"}
GONE = {"Request_ResourceNotFound", "404"}


@dataclass
class Remedy:
    """What to do, and for whom. Each of `whom` is a name and Microsoft's own page about it, empty where there is none.

    Attributes:
        address: the page of ours where it is done; else empty.
    """

    what: str
    address: str = ""
    word: str = ""  # on the link to it
    whom: list[tuple[str, str]] = field(default_factory=list)


def remedies(request: RevocationRequest) -> list[Remedy]:
    """The remedies of a request's steps that need a human, the first of them."""
    waiting = selectors.steps(request, RevocationStep.FOR_A_HUMAN)[:LOOKED_AT]
    found: dict[str, Remedy] = {}
    for step in about.link(request.tenant, waiting):
        step.tenant = request.tenant
        remedy = _remedy(step)
        same = found.setdefault(remedy.what, remedy)
        same.whom.append((step.target_label or step.target_id, _in_entra(request.tenant, step)))
    return list(found.values())


def _remedy(step: RevocationStep) -> Remedy:
    code = step.outcome_code
    if step.state == RevocationStep.State.UNCONFIRMED:
        return Remedy(_("Look in Entra whether it was done. Where it was not, try again here."))
    if code == "seal_broken":
        return Remedy(
            _(
                "It was changed in the database after it was asked for, so it was not done. Tell whoever runs this"
                " portal."
            )
        )
    if code == "protected":
        return Remedy(_("A rule protects it. Who may do it all the same does so in Entra."))
    if code in GONE:
        return Remedy(_("It no longer exists, so nothing is left to do."))
    if code in REFUSED:
        needs = actions.get(step.action).needs_of(step)
        if permissions.standing(step.tenant, needs) == Standing.GRANTED:
            return Remedy(
                _(
                    "Microsoft keeps this one from the portal. An administrator of its unit, or of its role, does it"
                    " in Entra."
                )
            )
        return _connection(step, _("Grant the portal the permission it lacks, then try again."))
    if code.startswith("AADSTS"):
        return _connection(step, _("The portal may not act in this organisation. Mend the connection, then try again."))
    return Remedy(_("Try again. Where it fails once more, Microsoft's support finds the reason by the request id."))


def _connection(step: RevocationStep, what: str) -> Remedy:
    return Remedy(what, reverse("tenants:connection", args=[step.tenant.slug]), _("Open the connection page"))


def _in_entra(tenant: Tenant, step: RevocationStep) -> str:
    if isinstance(step.person, Person):
        return entra_pages.person(tenant.pk, step.person.pk)
    return entra_pages.app(tenant.pk, step.app.pk, step.app.app_id) if step.app else ""
