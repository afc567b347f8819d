"""Acting on many apps: what was chosen, what it hits and costs, the button. And keeping one out that never came."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import Actor, require
from accounts.ids import id_or_none
from accounts.roles import Capability
from consent import bulk
from consent.bulk import Choice, Deed
from consent.forms import AppFilter, KeepOutForm
from consent.showing import bulk_changes as said
from directory import selectors
from directory.models import ServicePrincipal
from graph.sentences import grouped
from revocation.forms import ConfirmForm
from revocation.rules.refusals import Refused
from revocation.showing.confirming import Confirmation, confirm


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.CHANGE_APPS, step_up=True)
def change(request: HttpRequest) -> HttpResponse:
    """Do the same to the chosen apps. The address names them: those ticked, or the filter that all of them pass."""
    back = _back(request)
    deed = request.GET.get("deed", "")
    if deed not in Deed.values:
        return redirect(back)
    deed, choice, actor = Deed(deed), _choice(request), Actor.of(request.membership)
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            digest = request.POST.get("digest", "")
            made = bulk.submit(request.tenant, deed, choice, actor, digest=digest, **form.cleaned_data)
            return redirect("revocation:detail", request.tenant.slug, made.pk)
        except Refused as refused:  # also where what was shown is not what is there any more: the new plan follows
            form.add_error(None, str(refused))
    try:
        looked = bulk.look(request.tenant, deed, choice, actor)
    except Refused as refused:
        return confirm(request, Confirmation(title=str(deed.label), button="", back=back, refusal=str(refused)))
    return confirm(request, said.changing(request.tenant, looked, back), form, bulk=looked, plan=looked.plan)


@require_safe
@require(Capability.VIEW_APPS)
def count(request: HttpRequest) -> HttpResponse:
    """How many apps a filter lets through, for the words beside the list: counted after the list is shown."""
    chosen = AppFilter(request.GET).values()
    return HttpResponse(grouped(selectors.matching(request.tenant, selectors.AppFilter(**_narrowing(chosen))).count()))


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.CHANGE_APPS, step_up=True)
def keep_out(request: HttpRequest) -> HttpResponse:
    """Keep an app out by its client id; one that is here already is taken out instead."""
    form, back = KeepOutForm(request.POST or None), reverse("consent:apps", args=[request.tenant.slug])
    if request.method == "POST" and form.is_valid():
        here = ServicePrincipal.objects.filter(
            tenant=request.tenant, app_id=form.cleaned_data["app_id"], deleted_at__isnull=True
        ).first()
        if here:
            address = reverse("consent:change-apps", args=[request.tenant.slug])
            return redirect(f"{address}?deed={Deed.TAKE_OUT.value}&id={here.pk}")
        try:
            made = bulk.keep_out_unseen(request.tenant, actor=Actor.of(request.membership), **form.cleaned_data)
            return redirect("revocation:detail", request.tenant.slug, made.pk)
        except Refused as refused:
            form.add_error(None, str(refused))
    return confirm(request, said.keeping_out(request.tenant, back), form)


def _choice(request: HttpRequest) -> Choice:
    ids: list[UUID] = [found for value in request.GET.getlist("id")[: bulk.MOST_APPS] if (found := id_or_none(value))]
    if "all" in request.GET:
        return Choice(filters=_narrowing(AppFilter(request.GET).values()), all=True)
    return Choice(ids=tuple(ids))


def _narrowing(chosen: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in chosen.items() if name != "sort"}


def _back(request: HttpRequest) -> str:
    """The list as it was filtered, or the one app."""
    ids = request.GET.getlist("id")
    if "all" not in request.GET and len(ids) == 1 and id_or_none(ids[0]):
        return reverse("consent:app", args=[request.tenant.slug, ids[0]])
    kept = request.GET.copy()
    for name in ("deed", "id", "all"):
        kept.pop(name, None)
    address = reverse("consent:apps", args=[request.tenant.slug])
    return f"{address}?{kept.urlencode()}" if kept else address
