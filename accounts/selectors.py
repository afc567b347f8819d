"""Reads about a person's own account."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Tenant, User
from accounts.user_agents import describe


@dataclass(frozen=True)
class OwnSession:
    """One portal session as its owner sees it. `ends_at` is when it ends by itself."""

    pk: int
    browser: str
    address: str
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    is_this_one: bool


@dataclass(frozen=True)
class Contact:
    """Whom a worried person may ask. Name, phone or mail may be empty, not both of the last two."""

    name: str
    phone: str
    mail: str

    @property
    def dial(self) -> str:
        """The phone number as a `tel:` address takes it."""
        return "".join(sign for sign in self.phone if sign in "+0123456789")


def security_contact(tenant: Tenant) -> Contact | None:
    """Whom the tenant's people may ask about their security; None where the tenant names nobody."""
    if not (tenant.contact_phone or tenant.contact_mail):
        return None
    return Contact(tenant.contact_name, tenant.contact_phone, tenant.contact_mail)


def directory_roles_told(tenant: Tenant) -> bool | None:
    """Whether the newest ID tokens of a tenant's people named directory roles; None before the first sign-in.

    False means that the registration does not ask for them (`groupMembershipClaims`): whoever has no role of ours is
    then no more than a user here, whatever they are in Entra.
    """
    checked = User.objects.filter(tenant=tenant).exclude(directory_roles_told=None).order_by("-identity_checked_at")
    return checked.values_list("directory_roles_told", flat=True).first()


def own_sessions(user: User) -> QuerySet[UserSession]:
    """The person's portal sessions that are alive, the one used last first."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return UserSession.objects.filter(user_id=user.pk, session_key__in=alive).order_by("-last_seen_at")


def this_session(user: User, key: str | None) -> QuerySet[UserSession]:
    """The session this browser holds, as the list of one's own knows it; empty when no list does."""
    return UserSession.objects.filter(user_id=user.pk, session_key=key)


def other_sessions(user: User, key: str | None) -> QuerySet[UserSession]:
    """The person's sessions that are alive but the one this browser holds."""
    return own_sessions(user).exclude(session_key=key)


def own_session_list(user: User, this_key: str | None) -> list[OwnSession]:
    return [
        OwnSession(
            pk=session.pk,
            browser=describe(session.user_agent),
            address=session.ip,
            began_at=session.created_at,
            seen_at=session.last_seen_at,
            ends_at=session.created_at + timedelta(seconds=settings.SESSION_COOKIE_AGE),
            is_this_one=session.session_key == this_key,
        )
        for session in own_sessions(user)
    ]
