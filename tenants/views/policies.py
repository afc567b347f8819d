"""The tenant's custom policies as they were read last: what the linter says, and what `write` would make of them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import require
from accounts.roles import Capability
from b2c import kept
from b2c.policies.comparing import compare
from b2c.policies.linting import lint
from b2c.policies.model import GateSpec, PolicySet
from b2c.policies.writing import CannotWrite, write
from b2c.spec import spec


@require_GET
@require(Capability.MANAGE_TENANT)
def policies(request: HttpRequest) -> HttpResponse:
    """Asks nobody: Microsoft is asked by the button of the page beside it."""
    known = kept.kept(request.tenant)
    context = {"kept": known}
    if known and known.policies:
        gate = spec(request.tenant)
        context |= {"findings": lint(known.policies, gate), "count": len(known.policies.policies)}
        context |= _written(known.policies, gate)
    return render(request, "tenants/policies.html", context)


def _written(found: PolicySet, gate: GateSpec) -> dict:
    """What would be made, beside what is there; or why nothing can be."""
    try:
        made = write(found, gate)
    except CannotWrite as cannot:
        return {"cannot": str(cannot)}
    return {"differences": compare(found, made), "notes": made.notes}
