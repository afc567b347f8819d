"""People of other organisations whom this tenant's admin lets work here."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import held, services as accounts
from accounts.access import Actor, or_404, require
from accounts.models import Membership
from accounts.roles import Capability, Role
from revocation.showing.confirming import Confirmation, Truth, confirm
from tenants import services
from tenants.forms import ProviderForm


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.MANAGE_TENANT, step_up=True)
def providers(request: HttpRequest) -> HttpResponse:
    """Who is let in, and letting somebody in: looked up first, and let in once their name was seen."""
    form = ProviderForm(request.POST or None, tenant=request.tenant)
    held.refill(request, form)
    person = form.cleaned_data["person"] if request.method == "POST" and form.is_valid() else None
    if person and request.POST.get("seen") == str(person.pk):
        roles = form.cleaned_data["roles"]
        accounts.grant_membership(request.tenant, person, roles, actor=Actor.of(request.membership))
        messages.success(request, _("%(person)s may now work in this tenant.") % {"person": person})
        return redirect("tenants:providers", request.tenant.slug)
    members = [_with_words(member) for member in services.members_from_elsewhere(request.tenant)]
    context = {"members": members, "form": form, "person": person}
    return render(request, "tenants/providers.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.MANAGE_TENANT, step_up=True)
def end(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    member = or_404(services.member_from_elsewhere, request.tenant, membership_id)
    if request.method == "POST":
        accounts.revoke_membership(member, actor=Actor.of(request.membership))
        messages.success(request, _("%(person)s no longer gets in.") % {"person": member.person_label})
        return redirect("tenants:providers", request.tenant.slug)
    return confirm(request, _ending(member.person_label, reverse("tenants:providers", args=[request.tenant.slug])))


def _with_words(member: Membership) -> dict:
    roles = ", ".join(str(Role(role).label) for role in member.roles if role in Role.values)
    return {"member": member, "roles": roles}


def _ending(person: str, back: str) -> Confirmation:
    return Confirmation(
        title=_("End the access of %(person)s?") % {"person": person},
        button=_("End access"),
        back=back,
        truths=[
            Truth(_("Stops"), _("Every page of this tenant, from this person's next request on.")),
            Truth(_("Stays"), _("What they have already asked for, and the record of it.")),
        ],
    )
