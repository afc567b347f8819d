"""How Consentry acts for this tenant."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_http_methods

from accounts import held
from accounts.access import Actor, require
from accounts.roles import Capability
from revocation.rules import two_persons
from tenants import services
from tenants.forms import TenantSettingsForm


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.MANAGE_TENANT, step_up=True)
def settings(request: HttpRequest) -> HttpResponse:
    form = TenantSettingsForm(request.POST or None, instance=request.tenant)
    held.refill(request, form)
    if request.method == "POST" and form.is_valid():
        changed = services.change(request.tenant, form.cleaned_data, actor=Actor.of(request.membership))
        messages.success(request, _saved(len(changed)))
        return redirect("tenants:settings", request.tenant.slug)
    tenant = request.tenant
    unsealed = not two_persons.is_sealed(tenant)
    context = {
        "form": form,
        "stricter": two_persons.still_stricter(tenant),
        "unsealed": unsealed,
        "emergency": services.emergency_accounts(tenant),
    }
    return render(request, "tenants/settings.html", context, status=422 if form.errors else 200)


def _saved(count: int) -> str:
    if not count:
        return _("Nothing was different, so nothing was saved.")
    return ngettext("%(count)d setting saved.", "%(count)d settings saved.", count) % {"count": count}
