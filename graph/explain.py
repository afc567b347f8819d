"""Microsoft's errors in plain words: what happened, and what to do about it.

A number only chooses a sentence. Decisions are made on the OAuth error, which Microsoft promises to keep:
https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

import re
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from graph.errors import Forbidden, GraphError, Throttled, TokenError, TokenUnavailable, Unauthorized, Unavailable
from graph.sentences import gettext

_CODE = re.compile(r"AADSTS(\d+)")

_AGAIN = _("Sign in again.")
_START_AGAIN = _("Start again.")
_CONSENT = _("An administrator must consent to the portal (again), on the connection page.")
_CLOCK = _("Synchronise this server's clock, for example with chrony or systemd-timesyncd.")
_REGISTER = _("Upload the public certificate to the app registration, under Certificates & secrets.")
_SECRET = _("Copy the value of a valid client secret into ENTRA_CLIENT_SECRET, or better use a certificate.")
_POLICY = _("Ask your helpdesk which policy it was.")
_CLOUD = _("Check the tenant id, and the cloud this portal is set up for.")

# By the number after AADSTS: what happened, what to do.
NUMBERS: dict[str, tuple[str, str]] = {
    "50011": (
        _("The portal's address is not among the registration's redirect URIs."),
        _("Add it to the app registration."),
    ),
    "50012": (_("Microsoft rejected the portal's certificate."), _REGISTER),
    "50020": (
        _("This account does not belong to that organisation."),
        _("Ask its administrator for a guest invitation."),
    ),
    "50034": (_("Microsoft no longer finds this account in the organisation. It may have been deleted."), ""),
    "50049": (_("The sign-in host is not one of Microsoft's."), _CLOUD),
    "50053": (
        _("This account is locked after too many attempts, or the address it came from is blocked."),
        _("Wait a while, or ask your helpdesk."),
    ),
    "50055": (_("The password of this account has expired."), _("Set a new one at Microsoft's sign-in page.")),
    "50057": (_("This account is disabled."), _("Your helpdesk can enable it.")),
    "50058": (_("Nobody is signed in to Microsoft in this browser."), _AGAIN),
    "50072": (_("Microsoft asks you to register a second factor."), _AGAIN),
    "50074": (_("Microsoft asks for a second factor."), _AGAIN),
    "50076": (_("Microsoft asks for a second factor."), _AGAIN),
    "50078": (_("Your second factor is too old."), _AGAIN),
    "50079": (_("Microsoft asks you to register a second factor."), _AGAIN),
    "50105": (
        _("Your organisation lets only assigned people use this portal, and you are not among them."),
        _("Ask your administrator to assign you to it."),
    ),
    "50132": (_("Your session at Microsoft ended: the password was changed, or has expired."), _AGAIN),
    "50133": (_("Your session at Microsoft ended: the password was changed, or has expired."), _AGAIN),
    "50158": (_("Your organisation asks for another check at sign-in."), _AGAIN),
    "50173": (_("Your sign-in was revoked, or your password was changed."), _AGAIN),
    "50194": (
        _("The registration allows one organisation only, and Microsoft was asked for any."),
        _("Make the registration multitenant, or name the one tenant in the portal's settings."),
    ),
    "50196": (_("Microsoft stopped us for asking too often."), _("Wait a minute and sign in again.")),
    "51004": (_("Microsoft no longer finds this account in the organisation. It may have been deleted."), ""),
    "53000": (_("Your organisation's policy asks for a compliant device."), ""),
    "53001": (_("Your organisation's policy asks for a joined device."), ""),
    "53003": (_("Your organisation's access policy blocked this sign-in."), _POLICY),
    "53004": (
        _("Microsoft wants a second factor registered for this account first, since it sees a risk."),
        _("Register one at https://aka.ms/mfasetup, then sign in again."),
    ),
    "53011": (
        _("Your own organisation blocked this account, since it sees a risk."),
        _("Ask the helpdesk of your own organisation."),
    ),
    "530032": (_("Your organisation's security policy blocked this sign-in."), _POLICY),
    "530035": (_("Your organisation's security defaults blocked this sign-in."), _POLICY),
    "54005": (_("This sign-in answer was already used."), _START_AGAIN),
    "500011": (_("An API the portal needs is not present in this organisation."), ""),
    "500212": (
        _("Your own organisation does not let its people use apps of that organisation."),
        _("Its administrator can allow it, in the cross-tenant access settings for outgoing access."),
    ),
    "500213": (
        _("That organisation does not let people of yours in."),
        _("Its administrator can allow it, in the cross-tenant access settings for incoming access."),
    ),
    "501481": (_("This sign-in answer belongs to another browser or another attempt."), _START_AGAIN),
    "65001": (_("Nobody has consented to the portal in this organisation, or the consent was taken back."), _CONSENT),
    "65004": (_("You declined what the portal asked for, so you are not signed in."), ""),
    "650052": (
        _("The organisation has not enabled a service that the portal asks for."),
        _("Its administrator signs up for the service, or permissions of it are taken off the app registration."),
    ),
    "650056": (
        _("The app registration lists no permissions, or nobody has consented to them in this organisation."),
        _("Add the permissions to the registration and have an administrator consent to them."),
    ),
    "650057": (
        _("The portal asked for an API that is not among the permissions of its registration."),
        _("Add the permissions for Microsoft Graph to the app registration."),
    ),
    "70000": (_("The stored sign-in is not valid any more."), _AGAIN),
    "70001": (
        _("The portal is not known in this organisation, or is disabled there."),
        _("An administrator enables it in Entra, or consents to it again on the connection page."),
    ),
    "70008": (_("The stored sign-in ran out."), _AGAIN),
    "70011": (_("The portal asked for a permission that does not exist."), _("Check its registration.")),
    "70043": (_("Your organisation asks everyone to sign in again after a while."), _AGAIN),
    "700005": (_("This sign-in answer was meant for another organisation."), _START_AGAIN),
    "700016": (_("The portal is not known in this organisation."), _CONSENT),
    "700024": (_("This server's clock is wrong: Microsoft sees our signature as outside its time."), _CLOCK),
    "700027": (_("The portal's certificate is not registered on the app registration."), _REGISTER),
    "700082": (_("The stored sign-in was not used for 90 days."), _AGAIN),
    "7000112": (
        _("The portal's service principal is disabled in this organisation."),
        _("An administrator can enable it in Entra."),
    ),
    "7000215": (_("The portal's client secret is wrong. The secret's id is not its value."), _SECRET),
    "7000218": (
        _("The portal sent no secret or certificate."),
        _("Set ENTRA_CERTIFICATE and ENTRA_PRIVATE_KEY, or ENTRA_CLIENT_SECRET."),
    ),
    "7000222": (_("The portal's client secret has expired."), _SECRET),
    "7000229": (_("The portal has no service principal in this organisation."), _CONSENT),
    "90002": (_("Microsoft knows no such tenant."), _CLOUD),
    "90038": (_("This organisation lives in another of Microsoft's clouds."), _CLOUD),
    "90094": (_("An administrator of your organisation must consent to the portal first."), ""),
    "90095": (
        _("An administrator of your organisation must approve the portal first."),
        _("You can ask for it at sign-in."),
    ),
    "900432": (
        _("This organisation lives in another of Microsoft's clouds, and the registration does not reach there."),
        _("A portal of its own in that cloud is needed."),
    ),
    "9002313": (_("The stored sign-in is not valid any more."), _AGAIN),
}
# By the OAuth error, where Microsoft named no number we know.
WITHOUT_NUMBER: dict[str, tuple[str, str]] = {
    "access_denied": (_("Microsoft did not let the sign-in through, or it was cancelled."), ""),
    "login_required": (_("Nobody is signed in to Microsoft in this browser."), _AGAIN),
    "interaction_required": (_("Microsoft wants to ask you something."), _AGAIN),
    "consent_required": (
        _("Nobody has consented to the portal in this organisation, or the consent was taken back."),
        _CONSENT,
    ),
    "invalid_client": (_("Microsoft rejected the portal's secret or certificate."), ""),
    "invalid_grant": (_("The stored sign-in is not valid any more."), _AGAIN),
    "temporarily_unavailable": (_("Microsoft's sign-in is busy."), _("Try again in a minute.")),
    "server_error": (_("Microsoft's sign-in has a fault."), _("Try again in a minute.")),
}


@dataclass(frozen=True)
class Words:
    """What happened, and what to do about it where that is known. One or two sentences each.

    Attributes:
        code: Microsoft's error, such as `AADSTS50173` or `Authorization_RequestDenied`.
        request_id: what Microsoft's support asks for.
    """

    what: str
    fix: str = ""
    code: str = ""
    request_id: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.fix}".strip()


def aadsts(text: str) -> str:
    """The first `AADSTS…` number in Microsoft's text, or an empty string."""
    found = _CODE.search(text or "")
    return found.group(0) if found else ""


def of_code(code: str, error: str = "") -> Words | None:
    """The words for `AADSTS50173`, else for the OAuth error; None when we know none."""
    known = NUMBERS.get(code.removeprefix("AADSTS")) or WITHOUT_NUMBER.get(error or code)
    return Words(gettext(known[0]), gettext(known[1]) if known[1] else "", code) if known else None


def words(error: GraphError) -> Words:
    """Any error in plain words. They say nothing about what was or was not changed: the caller knows that."""
    what, fix = _said(error)
    return Words(what, fix, error.code, error.request_id)


def _said(error: GraphError) -> tuple[str, str]:
    if isinstance(error, TokenError):
        known = of_code(error.code, error.error)
        return (known.what, known.fix) if known else (error.explanation, "")
    if isinstance(error, TokenUnavailable):
        return (
            gettext("Microsoft's sign-in could not be asked just now."),
            gettext("If it stays so, check that this server reaches Microsoft's sign-in host over HTTPS."),
        )
    if isinstance(error, Throttled):
        return gettext("Microsoft asked us to wait."), gettext("Try again in a minute.")
    if isinstance(error, Forbidden):
        return (
            gettext("Microsoft refused: this organisation has not granted the portal the permission for it."),
            gettext("An administrator can grant it; the connection page shows how."),
        )
    if isinstance(error, Unauthorized) and "x5t" in error.message:
        # The classic mistake of sending an assertion instead of a token.
        return (
            gettext("Microsoft Graph does not know the key that signed our token (“Invalid x5t claim”)."),
            gettext("Check the tenant's cloud, and that no other program answers for Microsoft's hosts."),
        )
    if isinstance(error, Unauthorized):
        return gettext("Microsoft did not accept the portal's token."), gettext("Try again in a minute.")
    if isinstance(error, Unavailable):
        return (
            gettext("Microsoft could not be reached, or its answer could not be read."),
            gettext("Try again in a minute."),
        )
    return gettext("Microsoft refused: %(message)s") % {"message": _sentence(error.message)}, ""


def _sentence(message: str) -> str:
    message = message.strip() or gettext("no reason given")
    return message if message.endswith((".", "!", "?")) else f"{message}."
