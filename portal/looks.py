"""How somebody wants the pages to look: light or dark, with technical names or without. Remembered in cookies.

In cookies, because the first paint must be right already, also before somebody signs in. A visitor who is not signed in
leaves nothing behind here.
"""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import check_for_language, gettext as _, gettext_lazy
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as _set_language

from accounts import services
from accounts.access import safe_next

APPEARANCES = {"": gettext_lazy("As the system"), "light": gettext_lazy("Light"), "dark": gettext_lazy("Dark")}
# What is remembered, and what it may be. "" is what nobody chose, and is not remembered.
CHOICES = {"appearance": tuple(APPEARANCES), "technical": ("", "on")}
KEPT = 365 * 24 * 3600  # seconds


def chosen(request: HttpRequest, what: str) -> str:
    """What this browser's reader chose; "" where they chose nothing that there is."""
    said = request.COOKIES.get(_cookie(what), "")
    return said if said in CHOICES[what] else ""


def _cookie(what: str) -> str:
    return f"consentry_{what}"


@login_not_required
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remember one choice, and lead back to the page it was made on."""
    response = redirect(safe_next(request.POST.get("next")) or "/")
    for what, may_say in CHOICES.items():
        if (said := request.POST.get(what)) is None:
            continue
        if said not in may_say:
            raise BadRequest(_("There is no such choice. Nothing was changed."))
        if said:
            response.set_cookie(_cookie(what), said, KEPT, secure=settings.HTTPS, httponly=True, samesite="Lax")
        else:
            response.delete_cookie(_cookie(what), samesite="Lax")
    return response


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the language of this browser's reader, for pages, and of who is signed in, for mails."""
    response = _set_language(request)
    if request.user.is_authenticated and check_for_language(request.POST.get("language", "")):
        services.reads(request.user, request.POST["language"])
    return response
