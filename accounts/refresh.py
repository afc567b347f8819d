"""Asking Microsoft again, silently, whether a signed-in person still is who we think, and which roles they have."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import services, token_store
from accounts.access import Actor
from accounts.models import User
from accounts.oidc import flow, id_token
from accounts.oidc.flow import SCOPES
from accounts.oidc.id_token import Identity, InvalidIdToken
from accounts.token_store import Stored
from graph import breaker, tokens, transport
from graph.clouds import installed
from graph.errors import GraphError, TokenError, TokenUnavailable

logger = logging.getLogger(__name__)

# Seconds one request may take to ask; nobody else asks meanwhile, nor after a failure until they are over.
LEASE = 30
# Seconds a page waits for Microsoft's word when that is due, on somebody who may be served without it for now; and at
# every other attempt. A Microsoft that answers does so within a part of that.
PATIENCE, LONG_PATIENCE = 0.7, 3.0
# Refusals that are about the portal or a passing fault, not about the person.
NOT_ABOUT_THE_PERSON = {"invalid_client", "server_error", "temporarily_unavailable"}


class Freshness(Enum):
    FRESH = auto()
    STALE = auto()  # not checked again, and young enough to be relied on for now
    TOO_OLD = auto()  # not checked again for longer than IDENTITY_HARD_LIMIT
    ENDED = auto()  # Microsoft says no; sessions and tokens are gone


@dataclass(frozen=True)
class Outcome:
    """What the check found. `reason` is why it ended, as the record has it."""

    freshness: Freshness
    reason: str = ""


class NoAnswer(Exception):
    """Microsoft could not be asked, or what it said is not about the person."""


class SaidNo(Exception):
    """Microsoft does not vouch for the person any more."""

    def __init__(self, detail: str = "", code: str = ""):
        super().__init__(code or detail)
        self.detail = detail
        self.code = code


def keep_fresh(user: User) -> Outcome:
    """Check the person again when the last check is older than IDENTITY_MAX_AGE; one request at a time asks.

    On FRESH the account and its home membership hold today's facts; the caller's objects may be older. On ENDED every
    portal session of the person is over and their tokens are gone.

    https://learn.microsoft.com/entra/identity-platform/refresh-tokens
    """
    now = timezone.now()
    age = now - user.identity_checked_at if user.identity_checked_at else timedelta.max
    if age < -timedelta(seconds=LEASE):
        age = timedelta.max  # a check that is yet to come was written by hand
    if age <= timedelta(seconds=settings.IDENTITY_MAX_AGE):
        return Outcome(Freshness.FRESH)
    within_limit = age <= timedelta(seconds=settings.IDENTITY_HARD_LIMIT)
    hangs = within_limit and breaker.doubted(installed().login_host)
    if hangs or not _claim(user, now):
        just_due = age <= timedelta(seconds=settings.IDENTITY_MAX_AGE + LEASE)
        return Outcome(Freshness.FRESH if just_due else Freshness.STALE if within_limit else Freshness.TOO_OLD)
    first = within_limit and user.identity_lease_until is None
    try:
        with transport.hurried(PATIENCE if first else LONG_PATIENCE):
            _ask_and_store(user, others_may_know_more=within_limit)
    except SaidNo as error:
        refused = f"entra_refused {error.code}".strip()
        services.end_portal_sessions(user, reason=refused, actor=Actor.system(user.tenant_id))
        return Outcome(Freshness.ENDED, refused)
    except NoAnswer:
        return Outcome(Freshness.STALE if within_limit else Freshness.TOO_OLD)
    return Outcome(Freshness.FRESH)


def still_vouched_for(user: User) -> bool:
    """Whether Microsoft accepts the tokens of the person's earlier sign-in; False also when it cannot be asked.

    Asked when the person signs in anew: otherwise a session from before a revocation would live on the new tokens.
    """
    stored = token_store.load(user)
    if stored is None:
        return False
    try:
        _ask(user, stored)
    except (SaidNo, NoAnswer):
        return False
    return True


def _claim(user: User, now: datetime) -> bool:
    """Become the one request that asks, with a single statement, so that two can never both be it."""
    free = Q(identity_lease_until=None) | Q(identity_lease_until__lt=now)
    unchanged = Q(identity_checked_at=user.identity_checked_at)
    mine = User.objects.filter(free, unchanged, pk=user.pk)
    return bool(mine.update(identity_lease_until=now + timedelta(seconds=LEASE)))


def _ask_and_store(user: User, *, others_may_know_more: bool) -> None:
    stored = token_store.load(user)
    if stored is None and others_may_know_more and token_store.is_kept(user):
        raise NoAnswer  # TOKEN_CACHE_KEYS are being changed, and this process does not have the new one yet
    if stored is None:
        raise SaidNo
    identity = _ask(user, stored)
    with transaction.atomic():
        if not token_store.save(user, stored.cache, epoch=stored.epoch):
            raise SaidNo  # signed out by somebody while we asked
        services.take_facts(user, identity, timezone.now())


def _ask(user: User, stored: Stored) -> Identity:
    """Redeem the refresh token and prove the new ID token; `stored.cache` then holds the new tokens."""
    try:
        client = flow.client(str(user.tenant_id), stored.cache)
        account = next(iter(client.get_accounts()), None)
        if account is None:
            raise SaidNo
        result = tokens.settled(
            lambda: client.acquire_token_silent_with_error(SCOPES, account=account, force_refresh=True)
        )
        if not result or "error" in result:
            raise tokens.refusal(result or {"error": "invalid_grant"})
        identity = id_token.prove(str(result.get("id_token", "")))
    except InvalidIdToken as error:
        logger.warning("A refresh for account %s brought an ID token that proves nothing: %s", user.pk, error)
        raise SaidNo from error
    except TokenUnavailable as error:
        raise NoAnswer from error
    except TokenError as error:
        if error.error in NOT_ABOUT_THE_PERSON:
            logger.error("Microsoft's token endpoint does not accept this portal: %s", error.code)
            raise NoAnswer from error
        raise SaidNo(error.explanation, error.code) from error
    except GraphError as error:
        raise NoAnswer from error
    if (identity.tenant_id, identity.object_id) != (user.tenant_id, user.object_id):
        logger.warning("A refresh for account %s was answered with somebody else's identity", user.pk)
        raise SaidNo
    if identity.is_guest:  # became one since: whoever could not sign in now may not stay
        logger.info("Account %s is a guest of its tenant now", user.pk)
        raise SaidNo
    return identity
