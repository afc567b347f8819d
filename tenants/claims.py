"""Whether the portal's registration asks Microsoft for the claims the portal uses: seen in the newest sign-in.

https://learn.microsoft.com/entra/identity-platform/optional-claims
"""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils.translation import gettext as _

from accounts import selectors
from accounts.access import AUTH_TIME, LOGIN_HINT
from accounts.models import Tenant


def not_asked_for(tenant: Tenant) -> dict[str, str] | None:
    """The claims that the newest sign-in came without, each with what is off for want of it.

    None while nobody of the tenant has signed in: then it is not known.
    """
    told = selectors.directory_roles_told(tenant)
    newest = UserSession.objects.filter(user__tenant=tenant).order_by("-created_at").first()
    if told is None and newest is None:
        return None
    missing = {}
    if told is False:
        missing["wids"] = _("directory roles count for nothing: who has no app role of the portal is an ordinary user")
    if newest:
        kept = Session.objects.filter(session_key=newest.session_key).first()
        facts = kept.get_decoded() if kept else {}
        if not (newest.data or {}).get("sid"):
            missing["sid"] = _("signing out at Microsoft does not end the portal's session at once")
        if kept and facts.get(AUTH_TIME) is None:
            missing["auth_time"] = _("how old a sign-in is is not known, so nothing that asks for a fresh one opens")
        if kept and not facts.get(LOGIN_HINT):
            missing["login_hint"] = _("Microsoft asks people which account they mean")
    return missing
