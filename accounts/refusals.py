"""Why somebody was not let in, and what helps: one table for sign-in, step-up and ended sessions."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(TextChoices):
    """Codes are written into the audit record: add, never rename."""

    PERSONAL_ACCOUNT = "personal_account"
    UNKNOWN_TENANT = "unknown_tenant"
    OTHER_TENANT = "other_tenant"
    PENDING_TENANT = "pending_tenant"
    SUSPENDED_TENANT = "suspended_tenant"
    GUEST = "guest"
    ACCOUNT_OFF = "account_off"
    WRONG_PERSON = "wrong_person"
    STEP_UP_TOO_OLD = "step_up_too_old"
    ROLE_GONE = "role_gone"
    CANCELLED = "cancelled"
    CONSENT_NEEDED = "consent_needed"
    EXPIRED_FLOW = "expired_flow"
    UNPROVED = "unproved"
    MICROSOFT_REFUSED = "microsoft_refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Words:
    """What the page says.

    Attributes:
        again: the word on the button that starts over; empty where starting over cannot help.
        choose: whether starting over should ask which account to use.
    """

    title: str | Promise
    what: str | Promise
    next: str | Promise
    again: str | Promise = ""
    choose: bool = False
    status: int = 403


_SIGN_IN = _("Sign in again")
_OTHER = _("Sign in with another account")

WORDS: dict[str, Words] = {
    Reason.PERSONAL_ACCOUNT: Words(
        _("This is a personal Microsoft account"),
        _("Consentry works with accounts that an organisation manages. A personal account has no organisation."),
        _("Sign in with your work or school account. You can review apps of a personal account at Microsoft itself."),
        _OTHER,
        choose=True,
    ),
    Reason.UNKNOWN_TENANT: Words(
        _("Your organisation does not use Consentry yet"),
        _("Microsoft confirmed who you are, but your organisation is not connected. Nothing about you was stored."),
        _("An administrator of your organisation can connect it. If you have another work account, use that one."),
        _OTHER,
        choose=True,
    ),
    Reason.OTHER_TENANT: Words(
        _("This portal serves one organisation only"),
        _("Microsoft confirmed who you are, but your organisation is another one. Nothing about you was stored."),
        _("If you also have an account of the organisation that runs this portal, use that one."),
        _OTHER,
        choose=True,
    ),
    Reason.PENDING_TENANT: Words(
        _("Your organisation is not connected yet"),
        _("Somebody began to connect your organisation, and an administrator's consent is still missing."),
        _("Ask an administrator to finish connecting it, then sign in again."),
        _SIGN_IN,
    ),
    Reason.SUSPENDED_TENANT: Words(
        _("Your organisation is suspended here"),
        _("Whoever runs this portal has suspended it for your organisation. Your Microsoft account is not affected."),
        _("Ask your administrator, who knows whom to contact."),
    ),
    Reason.GUEST: Words(
        _("You are a guest in this organisation"),
        _("Apps and sessions of your account belong to your home organisation, and only there can they be removed."),
        _("Sign in with the account as your home organisation knows it."),
        _OTHER,
        choose=True,
    ),
    Reason.ACCOUNT_OFF: Words(
        _("Your account is switched off here"),
        _("Microsoft confirmed who you are, but whoever runs this portal has switched your account off in it."),
        _("Ask your administrator."),
    ),
    Reason.WRONG_PERSON: Words(
        _("That was another account"),
        _("You confirmed with a different account from the one you are signed in with. Nothing was changed."),
        _("Confirm with the account you are working as, or sign out first."),
    ),
    Reason.STEP_UP_TOO_OLD: Words(
        _("Microsoft did not ask you again"),
        _("The confirmation was not fresh: your password or security key was last checked too long ago."),
        _("Try once more. If Microsoft does not ask you, sign out there and in again. Nothing was changed."),
    ),
    Reason.ROLE_GONE: Words(
        _("Your role has changed"),
        _("Microsoft confirmed who you are, and no longer gives you a role you had. So this session was ended."),
        _("Sign in again to go on with the roles you have now. Nothing was changed."),
        _SIGN_IN,
    ),
    Reason.CANCELLED: Words(
        _("Sign-in was cancelled"),
        _("You, or a page on the way, stopped before signing in. Nothing was changed."),
        _("Start again whenever you like."),
        _SIGN_IN,
        status=400,
    ),
    Reason.CONSENT_NEEDED: Words(
        _("Your organisation has to agree first"),
        _("Microsoft did not let you in, because your organisation has not allowed this portal to know who you are."),
        _("An administrator of your organisation can allow it for everybody by connecting the organisation."),
        _OTHER,
        choose=True,
    ),
    Reason.EXPIRED_FLOW: Words(
        _("This sign-in cannot be continued"),
        _("It took longer than ten minutes, was used before, or was not started in this browser. Nothing was changed."),
        _("Start again; it takes a few seconds when you are signed in at Microsoft."),
        _SIGN_IN,
        status=400,
    ),
    Reason.UNPROVED: Words(
        _("Microsoft's answer could not be verified"),
        _("What came back does not prove who you are, so nobody was signed in and nothing was changed."),
        _("Start again. If it happens twice, tell whoever runs this portal."),
        _SIGN_IN,
        status=400,
    ),
    Reason.MICROSOFT_REFUSED: Words(
        _("Microsoft did not sign you in"),
        _("Microsoft refused, and nothing was changed here."),
        _("What it says below tells why. Your administrator can look it up by the number."),
        _SIGN_IN,
    ),
    Reason.UNREACHABLE: Words(
        _("Microsoft's sign-in cannot be reached"),
        _("This portal got no usable answer from Microsoft. Nothing was changed."),
        _("Wait a minute and start again."),
        _SIGN_IN,
        status=503,
    ),
}


class Refused(Exception):
    """Nobody was let in. Caught in the view, which shows the reason's page.

    Attributes:
        detail: Microsoft's reason in plain words, where there is one.
        code: Microsoft's number for it, such as `AADSTS50105`.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        tenant_id: UUID | None = None,
        actor_id: str = "",
        actor_label: str = "",
        detail: str = "",
        code: str = "",
        request_id: str = "",
    ):
        super().__init__(reason.value)
        self.reason = reason
        self.tenant_id = tenant_id
        self.actor_id = actor_id
        self.actor_label = actor_label
        self.detail = detail
        self.code = code
        self.request_id = request_id

    @property
    def words(self) -> Words:
        return WORDS[self.reason]


# Why a session of the portal ended, where the code is not one of the reasons above.
_ENDED = {
    "signed_out": _("Signed out."),
    "ended_by_owner": _("Ended from the list of one's own sessions."),
    "ended_by_operator": _("Ended by whoever runs this portal."),
    "switched_off": _("The account was switched off here."),
    "front_channel_logout": _("Signed out at Microsoft."),
    "another_signed_in": _("Another account signed in, in the same browser."),
    "earlier_sign_in_disowned": _("Microsoft no longer accepts the earlier sign-in."),
    "entra_refused": _("Microsoft no longer lets this person in."),
    "idle": _("Left alone for too long."),
}


def known_code(recorded: str) -> str:
    """A recorded reason that is a code of ours; empty for a text that somebody wrote."""
    code = recorded.partition(" ")[0]
    return recorded if code in WORDS or code in _ENDED else ""


def in_words(recorded: str) -> str:
    """A recorded reason of a session's end or of a refusal, for people; unchanged where it is no code of ours."""
    code, _blank, detail = recorded.partition(" ")
    if code in WORDS:
        words = f"{WORDS[code].title}."
    elif code in _ENDED:
        words = str(_ENDED[code])
    else:
        return recorded
    return f"{words} ({detail})" if detail else words
