"""What a person did here, and what was done to them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import Actor, require
from accounts.roles import Capability
from audit import selectors
from consent.showing import activity


@require_safe
@require(Capability.OWN_APPS)
def my_activity(request: HttpRequest) -> HttpResponse:
    own_id, after = Actor.of(request.membership).id, request.GET.get("after", "")
    found = selectors.own_activity(request.tenant.pk, own_id, without=activity.BETWEEN)
    page = selectors.page(found, after=int(after) if after.isdecimal() and len(after) < 19 else None)
    lines = activity.lines(page.items, request.membership)
    return render(request, "consent/activity.html", {"lines": lines, "page": {"next": page.after}})
