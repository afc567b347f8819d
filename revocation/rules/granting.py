"""What a change needs that the tenant has to grant. Known to be missing, the change is refused before it begins.

Where it is not known what was granted, nothing is refused: Microsoft's answer to the call tells.
"""

from collections.abc import Iterable

from accounts import permissions
from accounts.models import Tenant
from directory.models import ServicePrincipal
from revocation import actions
from revocation.actions import kinds
from revocation.rules.refusals import NotGranted
from revocation.steps import StepDraft


def refusal(tenant: Tenant, steps: Iterable[StepDraft]) -> str:
    """Why these steps would not get through, in words; empty where nothing they need is known to be missing."""
    gate = Gate(tenant)
    try:
        for step in steps:
            gate.admit(step)
    except NotGranted as refused:
        return str(refused)
    return ""


def refusal_of(tenant: Tenant, *names: str, app: ServicePrincipal | None = None) -> str:
    """The same for actions by name, before there are steps: of this app, of a person, or of whatever it will be."""
    params = kinds.of(app) if app else {}
    return refusal(tenant, (StepDraft(name, "", "", params=params) for name in names))


class Gate:
    """Lets steps through one by one, however many there are.

    Args:
        first_only: what follows the first step is tried whatever was granted, and tells by itself where it fails.
    """

    def __init__(self, tenant: Tenant, *, first_only: bool = False) -> None:
        self.tenant, self.first_only = tenant, first_only
        self._done = False
        self._known: dict[tuple[str, ...], str] = {}

    def admit(self, step: StepDraft) -> None:
        """
        Raises:
            NotGranted: the tenant did not grant what it needs.
        """
        action = actions.all_actions().get(step.action)
        if self._done or action is None:
            return
        self._done = self.first_only
        needs = action.needs_of(step)
        if needs not in self._known:
            self._known[needs] = permissions.missing(self.tenant, needs)
        if why := self._known[needs]:
            raise NotGranted(why)
