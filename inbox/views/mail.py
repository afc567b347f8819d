"""When somebody wants to be told by mail, on a page of their own and by the link in each mail."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.access import require
from accounts.roles import Capability
from inbox import mailing, selectors, services
from inbox.forms import MailForm


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.OWN_APPS)
def choices(request: HttpRequest) -> HttpResponse:
    choice = selectors.mail_choice(request.user.pk)
    initial = {"approvals": choice.approvals, "others": choice.others}
    form = MailForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        changed = services.choose_mail(request.user, form.cleaned_data)
        messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing was saved."))
        return redirect("inbox:mail")
    context = {"form": form, "goes_out": mailing.goes_out(), "address": mailing.address_of(request.user)}
    return render(request, "inbox/mail.html", context, status=422 if form.errors else 200)


@csrf_exempt  # a mail program sends it without our cookies (RFC 8058); the signature says whose mail it is about
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def off(request: HttpRequest, token: str) -> HttpResponse:
    """Stop one sort of mail, without signing in. Opening the link only asks."""
    meant = mailing.read_off(token)
    if meant is None:
        return render(request, "inbox/mail_off.html", {"old": True}, status=404)
    if request.method == "POST":
        mailing.switch_off(*meant)
    return render(request, "inbox/mail_off.html", {"done": request.method == "POST"})
