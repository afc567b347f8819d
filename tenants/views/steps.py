"""The list of what is left to do after connecting."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import require
from accounts.roles import Capability
from tenants.first_steps import first_steps


@require_safe
@require(Capability.MANAGE_TENANT)
def first(request: HttpRequest) -> HttpResponse:
    steps = first_steps(request.membership)
    context = {"steps": steps, "done": sum(step.is_done for step in steps)}
    return render(request, "tenants/first_steps.html", context)
