"""Tells people by e-mail that they were signed out: where their tenant wants it, at the end, once, only when proved.

Off by default. The words are the tenant's; `{name}`, `{tenant}`, `{time}` and `{reason}` stand for the facts. A mail
that the server refused is not sent again: a person told twice about a sign-out thinks there were two.
"""

import logging
import re
import smtplib
from datetime import UTC, datetime, timedelta

from celery import shared_task
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone
from django.utils.translation import gettext_lazy, override

from accounts.models import Tenant, User
from accounts.tenancy import in_tenant, no_context
from directory.models import Person
from revocation import actions
from revocation.models import Notice, RevocationRequest, RevocationStep

logger = logging.getLogger(__name__)

STILL_NEWS = timedelta(days=1)  # nobody is told about what happened longer ago, however long mail was down
BATCH = 500

SUBJECT = gettext_lazy("You were signed out of {tenant}")
BODY = gettext_lazy(
    "Hello {name},\n\nyour organisation ended all your Microsoft sessions at {time} (UTC). You will be asked to sign in"
    " again on every device. Nothing of yours was deleted.\n\nIf you have questions, ask your helpdesk. This message"
    " asks you for nothing: do not follow links in messages that do.\n"
)


@shared_task(ignore_result=True, name="revocation.notices.send", expires=60)
def send() -> None:
    """A round over all tenants that want it; beat asks for one each minute."""
    with no_context():
        for tenant in Tenant.objects.filter(state=Tenant.State.ACTIVE, notify_people=True).order_by("pk"):
            send_due(tenant)


def send_due(tenant: Tenant) -> int:
    """Tell the people of finished requests who were not told yet. Returns how many were. Safe to call at any time.

    Meant for a worker's round: it takes at most one batch, and two rounds at once tell nobody twice.
    """
    if not tenant.notify_people:
        return 0
    with in_tenant(tenant.pk):
        finished = RevocationRequest.objects.filter(
            tenant=tenant,
            state__in=[RevocationRequest.State.FINISHED, RevocationRequest.State.CANCELLED],
            finished_at__gte=timezone.now() - STILL_NEWS,
        ).exclude(kind=RevocationRequest.Kind.SIGN_OUT_SELF)
        told = 0
        for request in finished.order_by("finished_at"):
            told += _tell(tenant, request, BATCH - told)
            if told >= BATCH:
                break
        return told


def _tell(tenant: Tenant, request: RevocationRequest, limit: int) -> int:
    steps = _untold(tenant, request)[:limit]
    people = Person.objects.filter(tenant=tenant).in_bulk([step.target_id for step in steps])
    languages = dict(User.objects.filter(tenant=tenant, object_id__in=people).values_list("object_id", "language"))
    by_id = {str(pk): person for pk, person in people.items()}
    sent = 0
    with get_connection() as mails:
        for step in steps:
            person = by_id.get(step.target_id)
            if (notice := _claim(tenant, request, step)) is None:
                continue
            if person is None or not (person.mail or person.upn):
                notice.fault = "no address"
            else:
                with override(languages.get(person.pk) or settings.LANGUAGE_CODE):
                    sent += _send(mails, tenant, request, person, step, notice)
            notice.save(update_fields=["sent_at", "fault"])
    return sent


def _untold(tenant: Tenant, request: RevocationRequest):
    """Sign-outs that were proved, of people nobody has claimed yet. Unverified ones are never told."""
    claimed = Notice.objects.filter(request=request).values_list("person_id", flat=True)
    told = {str(person_id) for person_id in claimed}
    steps = RevocationStep.objects.filter(
        tenant=tenant, request=request, state=RevocationStep.State.VERIFIED, action__in=actions.named("ends_sessions")
    )
    found = steps.exclude(target_id=request.actor_id).order_by("position").only("target_id", "accepted_at", "request")
    return [step for step in found.iterator(chunk_size=2000) if step.target_id not in told]


def _claim(tenant: Tenant, request: RevocationRequest, step: RevocationStep) -> Notice | None:
    """Take the right to tell this person; None where another round has it."""
    notice, created = Notice.objects.get_or_create(tenant=tenant, request=request, person_id=step.target_id)
    return notice if created else None


def _send(
    mails, tenant: Tenant, request: RevocationRequest, person: Person, step: RevocationStep, notice: Notice
) -> int:
    facts = {
        "name": person.display_name,
        "tenant": tenant.name,
        "time": _time(step.accepted_at),
        "reason": request.reason,
    }
    subject = " ".join(_filled(tenant.notify_subject or str(SUBJECT), facts).split())[:200]
    body = _filled(tenant.notify_body or str(BODY), facts)
    message = EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [person.mail or person.upn], connection=mails)
    try:
        message.send()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        # The address may be wrong, or the server down: the kind of error is kept, never the address or the text.
        logger.warning("A notice could not be sent: %s", type(error).__name__)
        notice.fault = type(error).__name__
        return 0
    notice.sent_at = timezone.now()
    return 1


def _filled(template: str, facts: dict[str, str]) -> str:
    """The tenant's words with the facts put in. Braces that name no fact stay as they are."""
    # In one pass: what stands in a fact (a name is the directory's text) is not filled in once more.
    return re.sub(r"\{(\w+)\}", lambda found: str(facts.get(found[1], found[0])), template)


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment else ""
