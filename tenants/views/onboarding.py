"""Connecting a tenant: out to Microsoft's consent page, and back."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import lead_on
from accounts.models import Membership
from accounts.roles import Capability
from tenants import onboarding


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """What connecting means; the button leads to Microsoft."""
    admin = _admin(request)
    if request.method == "POST":
        callback_uri = request.build_absolute_uri(reverse("tenants:onboarding-callback"))
        return lead_on(request, onboarding.begin(request.session, callback_uri, membership=admin))
    return render(request, "tenants/onboarding.html", {"admin": admin})


@login_not_required
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Back from Microsoft. What comes with the address is only believed as far as acting on it bears out."""
    try:
        came = onboarding.returned(request.session, request.GET.dict(), membership=_admin(request))
    except onboarding.NotConnected as refusal:
        return render(request, "tenants/onboarding_failed.html", {"refusal": refusal}, status=400)
    if isinstance(came, onboarding.Onward):
        return redirect(came.address)
    if _admin(request):
        messages.success(request, _("%(tenant)s is connected.") % {"tenant": came.tenant})
        return redirect("tenants:connection", came.tenant.slug)
    return render(request, "tenants/onboarding_done.html", {"tenant": came.tenant})


def _admin(request: HttpRequest) -> Membership | None:
    """The home membership of a signed-in administrator: only that binds an onboarding to a tenant."""
    membership = getattr(request, "membership", None)
    return membership if membership and membership.can(Capability.MANAGE_TENANT) else None
