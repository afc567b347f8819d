"""What Microsoft lets the portal do in this tenant."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.access import require
from accounts.roles import Capability
from directory import selectors
from tenants.connection import check


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.MANAGE_TENANT)
def connection(request: HttpRequest) -> HttpResponse:
    """As found last; a POST asks Microsoft now."""
    found = check(request.tenant, fresh=request.method == "POST")
    context = {"connection": found, "collections": selectors.freshness(request.tenant).values()}
    return render(request, "tenants/connection.html", context)
