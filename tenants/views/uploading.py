"""Uploading the policies that ask the gate: what `write` makes of those read last, confirmed and asked for."""

import hashlib

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_http_methods

from accounts.access import Actor, require
from accounts.roles import Capability
from b2c import kept
from b2c.policies.comparing import Difference, compare
from b2c.policies.elements import PolicyError
from b2c.policies.writing import CannotWrite, Written, write
from b2c.spec import spec
from revocation import services
from revocation.actions.upload_policy import UploadPolicy
from revocation.forms import ReasonForm
from revocation.rules import granting
from revocation.services.uploading import MOST, upload
from revocation.showing.confirming import Confirmation, Crumb, Truth, confirm


@require_http_methods(["GET", "POST"])
@require(Capability.MANAGE_TENANT, step_up=True)
def upload_policies(request: HttpRequest) -> HttpResponse:
    """What would be uploaded, beside what is there as it was read last; with a reason it is asked for."""
    form = ReasonForm(request.POST or None)
    written, differences, refusal = _plan(request)
    different = [one for one in differences if one.kind != "same"]
    part = different[:MOST]
    files = {one.file: written.files[one.file] for one in part} if written else {}
    digest = _digest(files)
    if request.method == "POST" and not refusal and request.POST.get("digest") != digest:
        messages.error(request, _("The policies or the gate's settings changed meanwhile. Look at the plan again."))
        return redirect("tenants:upload-policies", request.tenant.slug)
    if request.method == "POST" and not refusal and form.is_valid():
        try:
            made = upload(request.tenant, files, actor=Actor.of(request.membership), **form.cleaned_data)
            return redirect("revocation:detail", request.tenant.slug, made.pk)
        except services.Refused as refused:
            refusal = str(refused)
    said = _confirmation(request, len(part), len(different) - len(part), digest, refusal)
    notes = written.notes if written else ()
    return confirm(request, said, form, differences=part, same=len(differences) - len(different), notes=notes)


def _plan(request: HttpRequest) -> tuple[Written | None, list[Difference], str]:
    """What is written, how it differs from what is there, and why it cannot be uploaded; empty where it can."""
    if missing := granting.refusal_of(request.tenant, UploadPolicy.name):
        return None, [], missing
    known = kept.kept(request.tenant)
    if known is None or known.policies is None:
        return None, [], known.trouble if known else _("The policies have not been read yet; read them first.")
    try:
        written = write(known.policies, spec(request.tenant))
        differences = compare(known.policies, written)
    except CannotWrite as cannot:
        return None, [], str(cannot)
    except PolicyError as error:
        return None, [], str(error)
    if all(one.kind == "same" for one in differences):
        return None, [], _("Everything that would be uploaded is there already, as it was read last.")
    return written, differences, ""


def _confirmation(request: HttpRequest, count: int, later: int, digest: str, refusal: str) -> Confirmation:
    back = reverse("tenants:gate", args=[request.tenant.slug])
    title = ngettext("Upload %(count)d policy that asks the gate", "Upload %(count)d policies that ask the gate", count)
    rest = ngettext(
        "%(count)d more follows in a request of its own: come back for it, once this one is done and the policies are"
        " read again.",
        "%(count)d more follow in requests of their own: come back for them, once this one is done and the policies are"
        " read again.",
        later,
    )
    return Confirmation(
        title=_("Upload the policies that ask the gate") if refusal else title % {"count": count},
        button=_("Upload them"),
        back=back,
        crumbs=[Crumb(_("Refresh gate"), back)],
        plan="tenants/_upload_plan.html",
        danger=False,
        refusal=refusal,
        digest=digest,
        warning=rest % {"count": later} if later else "",
        truths=[
            Truth(_("Changes"), _("Sign-ins and refreshes of every app that names one of these policies, at once.")),
            Truth(_("Stays"), _("Every other policy, so an app goes on as it is until it names a new one.")),
            Truth(
                _("Undo"),
                _("For 30 days: what is there is read and kept first. What somebody changes meanwhile is left alone."),
            ),
        ],
    )


def _digest(files: dict[str, bytes]) -> str:
    found = hashlib.sha256()
    for name, xml in files.items():
        found.update(f"{name} {kept.digest_of(xml)}\n".encode())
    return found.hexdigest()
