"""Who is told of what by mail: at once, once a day, or never, as each person chose. See `mailing` for how.

Nobody is told twice: a row is claimed first, then the mail is sent, and what the server refused is not sent again.
Nobody is told about themselves: not of their own request or report, and of nothing that ends their own sessions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Self
from uuid import UUID

from django.conf import settings
from django.core.mail import get_connection
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import ngettext

from accounts.access import Actor
from accounts.models import Membership, Tenant, User
from accounts.roles import Role
from accounts.tenancy import in_tenant, user_context
from inbox import mailing, news, selectors
from inbox.mailing import Mail
from inbox.models import Letter, MailChoice, Standing
from inbox.news import News
from revocation.models import RevocationStep

When = MailChoice.When
DAY = timedelta(days=1)  # what is older is no news, however long mail was down
BATCH = 200  # mails, at the most, in one round


@dataclass(frozen=True)
class Reader:
    """Somebody who may be told, and what they chose."""

    user: User
    membership: Membership
    choice: MailChoice

    @cached_property
    def id(self) -> str:
        return Actor.of(self.membership).id

    @cached_property
    def approvals(self) -> frozenset[UUID]:
        """The requests that wait for this person's word."""
        return frozenset(one.pk for one in selectors.approvals(self.membership))


@dataclass(frozen=True)
class Edition:
    """The news in one language: for who is told at once, and the day's for who is told once a day."""

    at_once: list[News]
    daily: list[News]

    @classmethod
    def of(cls, tenant: Tenant, now: datetime, day_from: datetime | None) -> Self:
        """`day_from`: since when there was no digest; None where none is due."""
        daily = list(news.since(tenant, day_from)) if day_from else []
        return cls(list(news.since(tenant, now - DAY)), daily)


def send_due(tenant: Tenant, now: datetime | None = None) -> int:
    """Tell whoever was not told yet. Returns how many mails went out. Safe to call at any time, and twice at once."""
    if not mailing.goes_out():
        return 0
    now = now or timezone.now()
    with in_tenant(tenant.pk):
        day_from = _digest_from(tenant, now)
        editions = {"": _edition("", tenant, now, day_from)}
        told = [*editions[""].at_once, *editions[""].daily]
        sent = _send_all(tenant, now, day_from, editions) if told else 0
        if day_from and sent < BATCH:
            Standing.objects.filter(tenant=tenant).update(digested_at=now)
        return sent


def _send_all(tenant: Tenant, now: datetime, day_from: datetime | None, editions: dict[str, Edition]) -> int:
    lately = Letter.objects.filter(tenant=tenant, claimed_at__gt=now - 3 * DAY)
    known = set(lately.values_list("user_id", "kind", "key"))
    named = [one.to_user for one in (*editions[""].at_once, *editions[""].daily) if one.to_user]
    sent = 0
    with get_connection() as post:
        for reader in _readers(tenant, named):
            language = reader.user.language
            if language not in editions:
                editions[language] = _edition(language, tenant, now, day_from)
            with translation.override(language or settings.LANGUAGE_CODE):
                for mail in _due(reader, editions[language], now):
                    if (reader.user.pk, mail.kind, mail.key) not in known:
                        sent += mailing.send(post, tenant, reader.user, mail)
            if sent >= BATCH:
                break
    return sent


def _edition(language: str, tenant: Tenant, now: datetime, day_from: datetime | None) -> Edition:
    with translation.override(language or settings.LANGUAGE_CODE):
        return Edition.of(tenant, now, day_from)


def _digest_from(tenant: Tenant, now: datetime) -> datetime | None:
    """Since when the day's news are due; None where they are not."""
    last = Standing.objects.filter(tenant=tenant).values_list("digested_at", flat=True).first()
    if now.hour < settings.MAIL_DIGEST_HOUR or (last and last.date() >= now.date()):
        return None
    return max(last or now - DAY, now - 3 * DAY)


def _due(reader: Reader, edition: Edition, now: datetime) -> Iterator[Mail]:
    """What this person is to be told now."""
    for one in edition.at_once:
        if getattr(reader.choice, one.sort) == When.AT_ONCE and _is_for(reader, one):
            yield Mail(one.kind, one.key, one.sort, one.subject, [one])
    daily = [one for one in edition.daily if getattr(reader.choice, one.sort) == When.DAILY and _is_for(reader, one)]
    if daily:
        subject = ngettext("%(tenant)s: one thing today", "%(tenant)s: %(n)d things today", len(daily))
        words = subject % {"tenant": reader.membership.tenant.name, "n": len(daily)}
        yield Mail(Letter.Kind.DIGEST, now.date().isoformat(), "", words, daily)


def _is_for(reader: Reader, one: News) -> bool:
    if one.to_user is not None:
        return one.to_user == reader.user.pk
    if one.by == reader.id or one.needs.isdisjoint(reader.membership.capabilities):
        return False
    if one.kind == Letter.Kind.APPROVAL and one.request not in reader.approvals:
        return False
    if one.request is None:
        return True
    hit = RevocationStep.objects.filter(request_id=one.request, target_type="user", target_id=reader.id)
    return not hit.exists()


def _readers(tenant: Tenant, named: Iterable[UUID]) -> Iterator[Reader]:
    """Members with a role, and these."""
    for member in Membership.objects.filter(~Q(roles=[Role.USER]) | Q(user_id__in=list(named)), tenant=tenant):
        with user_context(member.user_id):  # a provider's account belongs to another tenant
            user = User.objects.filter(pk=member.user_id, is_active=True).select_related("tenant").first()
            choice = selectors.mail_choice(member.user_id)
        if user and user.tenant and user.tenant.is_active and member.holds(user.tenant_id):
            member.user, member.tenant = user, tenant
            yield Reader(user, member, choice)
