"""Whether mail goes out at all, where to, and the signed link in each that stops more of its sort."""

import logging
import smtplib
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy

from accounts.models import Tenant, User
from accounts.tenancy import in_tenant, user_context
from directory.models import Person
from inbox import services
from inbox.models import Letter, MailChoice

logger = logging.getLogger(__name__)

CONSOLE = "django.core.mail.backends.console.EmailBackend"
SORT_WORDS = {"approvals": gettext_lazy("About approvals"), "others": gettext_lazy("About everything else")}
SORTS = tuple(SORT_WORDS)
_SALT = "inbox.mail.off"
OFF_FOR = 90 * 24 * 3600  # seconds for which the link in a mail works


class Piece(Protocol):
    """Something that a mail tells."""

    lines: list[str]
    address: str


@dataclass(frozen=True)
class Mail:
    """A mail to be written.

    Attributes:
        sort: which choice of the reader's it falls under; empty for the day's news, of both.
    """

    kind: str
    key: str
    sort: str
    subject: str
    pieces: list[Piece]


def goes_out() -> bool:
    """Whether this installation has a mail server. Without one nothing is sent, and nobody is promised a mail."""
    return settings.EMAIL_BACKEND != CONSOLE


def address_of(user: User) -> str:
    """Where a person of the directory gets mail; empty where that is not known."""
    if not user.tenant_id or not user.object_id:
        return ""
    with in_tenant(user.tenant_id):
        person = Person.objects.filter(tenant_id=user.tenant_id, pk=user.object_id).first()
    return (person.mail or ("" if person.is_external else person.upn)) if person else ""


def send(post, tenant: Tenant, user: User, mail: Mail) -> int:
    """Claim a mail, then send it: 1, or 0 where somebody else has it, there is no address, or the server refused."""
    letter, claimed = Letter.objects.get_or_create(tenant=tenant, user_id=user.pk, kind=mail.kind, key=mail.key)
    if not claimed:
        return 0
    address = address_of(user)
    if not address:
        letter.fault = "no address"
    else:
        letter.fault = _post(post, _message(tenant, user, mail, address))
        letter.sent_at = None if letter.fault else timezone.now()
    letter.save(update_fields=["sent_at", "fault"])
    return int(letter.sent_at is not None)


def _post(post, message: EmailMessage) -> str:
    """Hand it to the server. Returns what kind of error there was: never the address or the text."""
    message.connection = post
    try:
        message.send()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        logger.warning("A mail could not be sent: %s", type(error).__name__)
        return type(error).__name__
    return ""


def _message(tenant: Tenant, user: User, mail: Mail, address: str) -> EmailMessage:
    sorts = [mail.sort] if mail.sort else list(SORTS)
    parts = ["\n".join([*map(_one_line, filter(None, piece.lines)), piece.address]) for piece in mail.pieces]
    stop = [f"{SORT_WORDS[sort]}: {off_address(user, sort)}" for sort in sorts]
    choose = page_address("inbox:mail")
    foot = [
        _("Consentry at %(tenant)s. You can choose when you are written to: %(address)s")
        % {"tenant": tenant.name, "address": choose},
        _("Or stop such mail without signing in:"),
        *map(str, stop),
    ]
    headers = {"Auto-Submitted": "auto-generated"}
    if mail.sort:  # what a mail program's own button does: https://www.rfc-editor.org/rfc/rfc8058
        headers |= {
            "List-Unsubscribe": f"<{off_address(user, mail.sort)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    subject = _one_line(mail.subject)[:200]
    body = "\n\n".join([*parts, "-- \n" + "\n".join(foot)]) + "\n"
    return EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [address], headers=headers)


def _one_line(text: str) -> str:
    """What stands in a directory is somebody else's text: it makes no line, and no header, of its own."""
    return " ".join(text.split())


def off_address(user: User, sort: str) -> str:
    """The address that stops this sort of mail to this person, without signing in."""
    token = signing.dumps([str(user.pk), sort], salt=_SALT)
    return page_address("inbox:mail-off", token)


def page_address(name: str, *args: object) -> str:
    """The whole address of one of our pages, for who reads it outside of the portal."""
    return settings.PORTAL_URL.rstrip("/") + reverse(name, args=args)


def read_off(token: str) -> tuple[UUID, str] | None:
    """Whose mail of which sort a link is about; None where it is not ours, or too old."""
    try:
        user_id, sort = signing.loads(token, salt=_SALT, max_age=OFF_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return (UUID(user_id), sort) if sort in SORTS else None


def switch_off(user_id: UUID, sort: str) -> None:
    """Do as the link says. Nothing where the account is gone."""
    with user_context(user_id):
        user = User.objects.filter(pk=user_id).select_related("tenant").first()
        if user and user.tenant_id:
            services.choose_mail(user, {sort: MailChoice.When.NEVER})
