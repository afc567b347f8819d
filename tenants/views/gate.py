"""The gate of a B2C or External ID tenant: how it behaves, what policies prove themselves with, what it answered."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import held, permissions
from accounts.access import Actor, require
from accounts.models import Tenant
from accounts.roles import Capability
from b2c import effects, kept, refreshing, selectors, services
from b2c.gate import credentials
from b2c.models import GateCredential
from directory.features import CUSTOM_POLICIES
from graph.errors import GraphError
from graph.explain import words
from revocation.showing.confirming import Confirmation, Truth, confirm
from tenants import services as tenants
from tenants.gate_forms import GateForm


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.MANAGE_TENANT, step_up=True)
def gate(request: HttpRequest) -> HttpResponse:
    """The settings, the credentials and the figures of the last day."""
    form = GateForm(request.POST or None, instance=selectors.setting(request.tenant))
    held.refill(request, form)
    if request.method == "POST" and form.is_valid():
        changed = services.change(request.tenant, form.cleaned_data, actor=Actor.of(request.membership))
        said = ngettext("%(count)d setting saved.", "%(count)d settings saved.", len(changed)) % {"count": len(changed)}
        messages.success(request, said if changed else _("Nothing was different, so nothing was saved."))
        return redirect("tenants:gate", request.tenant.slug)
    return render(request, "tenants/gate.html", _about(request, form), status=422 if form.errors else 200)


@require_POST
@require(Capability.MANAGE_TENANT, step_up=True)
def make_credential(request: HttpRequest) -> HttpResponse:
    """A new credential. Its secret is on this one page, which no browser keeps, and nowhere else."""
    try:
        made, secret = services.make_credential(request.tenant, actor=Actor.of(request.membership))
    except services.TwoAlready:
        messages.error(request, _("Two credentials are valid already. End the older one first. Nothing was made."))
        return redirect("tenants:gate", request.tenant.slug)
    context = {"credential": made, "secret": secret, "user": credentials.USER, "header": credentials.HEADER}
    response = render(request, "tenants/gate_credential.html", context)
    add_never_cache_headers(response)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.MANAGE_TENANT, step_up=True)
def end_credential(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    found = get_object_or_404(selectors.credentials(request.tenant), pk=credential_id)
    if request.method == "POST":
        services.end_credential(request.tenant, found.pk, actor=Actor.of(request.membership))
        messages.success(request, _("The credential %(name)s opens nothing any more.") % {"name": found})
        return redirect("tenants:gate", request.tenant.slug)
    others = selectors.credentials(request.tenant).exclude(pk=found.pk).exists()
    return confirm(request, _ending(found, others, reverse("tenants:gate", args=[request.tenant.slug])))


@require_GET
@require(Capability.MANAGE_TENANT)
def why_it_refreshes(request: HttpRequest) -> HttpResponse:
    """Which ways to a new token stand open, by the tenant's own policies as they were read last."""
    known = kept.kept(request.tenant)
    policies = known.policies if known else None
    action = refreshing.sign_out_action(policies) if policies else ("", "")
    context = {
        "kept": known,
        "policies": refreshing.why(policies) if policies else [],
        "action": action,
        "wanted": dict(Tenant.SignOutAction.choices).get(action[0], ""),
        "off": permissions.missing(request.tenant, CUSTOM_POLICIES.any_of),
    }
    return render(request, "tenants/why_it_refreshes.html", context)


@require_POST
@require(Capability.MANAGE_TENANT, step_up=True)
def read_policies(request: HttpRequest) -> HttpResponse:
    """Read the custom policies anew from Microsoft Graph."""
    try:
        count = kept.read_from_graph(request.tenant)
        said = ngettext("%(count)d policy was read.", "%(count)d policies were read.", count)
        messages.success(request, said % {"count": count})
    except GraphError as error:
        messages.error(request, _("The policies could not be read: %(why)s") % {"why": words(error).what})
    return redirect("tenants:why-it-refreshes", request.tenant.slug)


@require_POST
@require(Capability.MANAGE_TENANT, step_up=True)
def choose_sign_out(request: HttpRequest) -> HttpResponse:
    """Let sign-outs make the call that this tenant's policies look at."""
    known = kept.kept(request.tenant)
    action, _why = refreshing.sign_out_action(known.policies) if known and known.policies else ("", "")
    if action:
        tenants.choose_sign_out(request.tenant, action, actor=Actor.of(request.membership))
        messages.success(request, _("Sign-outs use it from now on."))
    return redirect("tenants:why-it-refreshes", request.tenant.slug)


def _about(request: HttpRequest, form: GateForm) -> dict:
    setting = selectors.setting(request.tenant)
    valid = list(selectors.credentials(request.tenant))
    base = settings.PORTAL_URL.rstrip("/") + f"/b2c/{request.tenant.pk}"
    return {
        "form": form,
        "setting": setting,
        "fails": effects.fails_words(setting),
        "credentials": valid,
        "room": len(valid) < GateCredential.VALID_AT_A_TIME,
        "addresses": [f"{base}/refresh", f"{base}/sign-in"],
        "issuance": f"{base}/token-issuance",
        "counts": _counts(request),
        "https": settings.HTTPS,
    }


def _counts(request: HttpRequest) -> list[dict]:
    """What was answered within a day, by door, policy and answer."""
    since = timezone.now() - timedelta(days=1)
    found = selectors.counts(request.tenant).filter(hour__gte=since).values("door", "policy_id", "answer")
    rows = list(found.annotate(n=Sum("count"), last=Max("last_at")).order_by("door", "policy_id", "answer"))
    for row in rows:
        row["door"] = selectors.Door(row["door"]).label
        row["answer"] = selectors.Answer(row["answer"]).label
    return rows


def _ending(credential: GateCredential, others: bool, back: str) -> Confirmation:
    last = _("No other credential is valid: every policy that asks the gate issues no token then.")
    return Confirmation(
        title=_("End the credential %(name)s?") % {"name": credential},
        button=_("End it"),
        back=back,
        truths=[
            Truth(_("Stops"), _("Whoever proves themselves with it, within seconds. Put the newer one in B2C first.")),
            Truth(_("Stays"), _("Every rule, and the other credential.")),
        ],
        warning="" if others else last,
    )
