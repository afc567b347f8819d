"""AADSTS numbers in plain words: what happened, and what to do about it.

The number only chooses a sentence. Decisions are made on the OAuth error, which Microsoft promises to keep:
https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

import re

from django.utils.translation import gettext_lazy as _

_CODE = re.compile(r"AADSTS(\d+)")

EXPLANATIONS = {
    "50011": _("The portal's address is not among the registration's redirect URIs. Add it to the app registration."),
    "50012": _("Microsoft rejected the portal's certificate. Check the certificate and this server's clock."),
    "50020": _("This account does not belong to that organisation. Ask its administrator for a guest invitation."),
    "50034": _("Microsoft no longer finds this account in the organisation. It may have been deleted."),
    "50049": _("The sign-in host is not one of Microsoft's. Check the tenant's cloud setting."),
    "50053": _("This account is locked after too many attempts. Wait a while, or ask your helpdesk."),
    "50057": _("This account is disabled. Your helpdesk can enable it."),
    "50058": _("Nobody is signed in to Microsoft in this browser. Sign in again."),
    "50074": _("Microsoft asks for a second factor. Sign in again."),
    "50076": _("Microsoft asks for a second factor. Sign in again."),
    "50078": _("Your second factor is too old. Sign in again."),
    "50079": _("Microsoft asks you to register a second factor. Sign in again."),
    "50105": _("Your organisation lets only assigned people use this portal, and you are not among them."),
    "50158": _("Your organisation asks for another check at sign-in. Sign in again."),
    "50173": _("Your sign-in was revoked, or your password was changed. Sign in again."),
    "50194": _("The registration allows one organisation only. Make it multitenant to let others sign in."),
    "50196": _("Microsoft stopped us for asking too often. Wait a minute and sign in again."),
    "51004": _("Microsoft no longer finds this account in the organisation. It may have been deleted."),
    "53000": _("Your organisation's policy asks for a compliant device."),
    "53001": _("Your organisation's policy asks for a joined device."),
    "53003": _("Your organisation's access policy blocked this sign-in."),
    "530032": _("Your organisation's security policy blocked this sign-in."),
    "54005": _("This sign-in answer was already used. Start again."),
    "500011": _("An API the portal needs is not present in this organisation."),
    "501481": _("This sign-in answer belongs to another browser or another attempt. Start again."),
    "65001": _("Nobody has consented to the portal in this organisation, or the consent was taken back."),
    "65004": _("You declined what the portal asked for, so you are not signed in."),
    "70000": _("The stored sign-in is not valid any more. Sign in again."),
    "70008": _("The stored sign-in ran out. Sign in again."),
    "70011": _("The portal asked for a permission that does not exist. Check its registration."),
    "70043": _("Your organisation asks everyone to sign in again after a while."),
    "700005": _("This sign-in answer was meant for another organisation. Start again."),
    "700016": _("The portal is not known in this organisation. An administrator must consent to it (again)."),
    "700024": _("This server's clock is wrong: Microsoft sees our signature as outside its time. Set the clock."),
    "700027": _("The portal's certificate is not registered on the app registration. Upload its public part there."),
    "700082": _("The stored sign-in was not used for 90 days. Sign in again."),
    "7000112": _("The portal's service principal is disabled in this organisation. An administrator can enable it."),
    "7000215": _("The portal's client secret is wrong. Use the secret's value, not its id."),
    "7000218": _("The portal sent no secret or certificate. Set ENTRA_CERTIFICATE or ENTRA_CLIENT_SECRET."),
    "7000222": _("The portal's client secret has expired. Create a new one, or better a certificate."),
    "7000229": _("The portal has no service principal in this organisation. An administrator must consent to it."),
    "90002": _("Microsoft knows no such tenant. Check the tenant id and its cloud."),
    "90094": _("An administrator of your organisation must consent to the portal first."),
    "90095": _("An administrator of your organisation must approve the portal first. You can ask for it at sign-in."),
    "9002313": _("The stored sign-in is not valid any more. Sign in again."),
}
WITHOUT_NUMBER = {
    "access_denied": _("Microsoft did not let the sign-in through, or it was cancelled."),
    "login_required": _("Nobody is signed in to Microsoft in this browser. Sign in again."),
    "interaction_required": _("Microsoft wants to ask you something. Sign in again."),
    "consent_required": _("Nobody has consented to the portal in this organisation, or the consent was taken back."),
    "invalid_client": _("Microsoft rejected the portal's secret or certificate."),
    "invalid_grant": _("The stored sign-in is not valid any more. Sign in again."),
    "temporarily_unavailable": _("Microsoft's sign-in is busy. Try again in a minute."),
    "server_error": _("Microsoft's sign-in has a fault. Try again in a minute."),
}
# Graph's answer to a bearer it cannot place, the classic mistake of sending an assertion instead of a token.
INVALID_X5T = _(
    "Graph does not know the key that signed our token (“Invalid x5t claim”). Something other than an access token"
    " was sent, or a token of another cloud or of the sandbox."
)


def aadsts(text: str) -> str:
    """The first `AADSTS…` number in Microsoft's text, or an empty string."""
    found = _CODE.search(text or "")
    return found.group(0) if found else ""


def explain(code: str, error: str = "") -> str:
    """One or two sentences for `AADSTS50173` (or `50173`), else for the OAuth error; empty when we know nothing."""
    number = code.removeprefix("AADSTS")
    return str(EXPLANATIONS.get(number) or WITHOUT_NUMBER.get(error or code, ""))
