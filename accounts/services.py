"""What happens to accounts: somebody signs in, sessions end, a tenant's admin lets another tenant's person in."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import ended, signals, token_store
from accounts.access import Actor
from accounts.models import EndedSession, Membership, Tenant, TokenCache, User
from accounts.oidc.id_token import PERSONAL_ACCOUNTS, Identity
from accounts.refusals import Reason, Refused
from accounts.roles import Role
from accounts.tenancy import tenant_context, user_context
from graph.clouds import ANY_ORGANISATION

PROVIDER = "entra"
Someone = User | UUID | tuple[UUID, UUID]


def admit(identity: Identity) -> Tenant:
    """The tenant of somebody who proved who they are.

    Raises:
        Refused: this portal is not for them. Nothing was stored.
    """
    known = {"actor_id": str(identity.object_id), "actor_label": identity.label}
    if identity.tenant_id == PERSONAL_ACCOUNTS:
        raise Refused(Reason.PERSONAL_ACCOUNT, **known)
    if not serves(identity.tenant_id):
        raise Refused(Reason.OTHER_TENANT, **known)
    tenant = Tenant.objects.filter(pk=identity.tenant_id).first()
    if tenant is None or tenant.state == Tenant.State.OFFBOARDED:
        raise Refused(Reason.UNKNOWN_TENANT, **known)
    known["tenant_id"] = tenant.pk
    if tenant.state == Tenant.State.PENDING:
        raise Refused(Reason.PENDING_TENANT, **known)
    if not tenant.is_active:
        raise Refused(Reason.SUSPENDED_TENANT, **known)
    if identity.is_guest:
        raise Refused(Reason.GUEST, **known)
    return tenant


def serves(tenant_id: UUID) -> bool:
    """Whether people of this tenant may come at all: those of any organisation, unless ENTRA_TENANT names one."""
    return settings.ENTRA_TENANT in (ANY_ORGANISATION, str(tenant_id))


@transaction.atomic
def know(tenant: Tenant, identity: Identity, now: datetime) -> User:
    """The account of an admitted person, made on their first sign-in, with today's name and roles.

    Raises:
        Refused: the operator has switched the account off.
    """
    user, _created = User.objects.get_or_create(
        tenant=tenant,
        object_id=identity.object_id,
        defaults={"username": f"{tenant.pk}.{identity.object_id}", "password": "!"},
    )
    if not user.is_active:
        raise Refused(
            Reason.ACCOUNT_OFF,
            tenant_id=tenant.pk,
            actor_id=str(identity.object_id),
            actor_label=identity.label,
        )
    take_facts(user, identity, now)
    SocialAccount.objects.get_or_create(
        provider=PROVIDER, uid=f"{tenant.pk}.{identity.object_id}", defaults={"user": user}
    )
    return user


def take_facts(user: User, identity: Identity, now: datetime) -> None:
    """Write what Microsoft says about the person as of `now`: name and roles in their own tenant."""
    user.display_name, user.upn, user.is_guest = identity.name, identity.upn, identity.is_guest
    user.directory_roles_told = identity.directory_roles_told
    user.identity_checked_at, user.identity_lease_until = now, None
    facts = ["display_name", "upn", "is_guest", "directory_roles_told", "identity_checked_at", "identity_lease_until"]
    user.save(update_fields=facts)
    Membership.objects.update_or_create(
        tenant_id=user.tenant_id,
        user=user,
        defaults={"roles": list(identity.roles), "source": Membership.Source.ENTRA, "person_label": str(user)[:256]},
    )


def reads(user: User, language: str) -> None:
    """Remember in which language this person reads, for mails. Pages follow the browser."""
    if user.language != language:
        user.language = language
        user.save(update_fields=["language"])


def end_portal_sessions(people: Someone | Iterable[Someone], *, reason: str, actor: Actor) -> int:
    """End every portal session of these people and wipe their tokens; Entra cannot do that for us.

    Raises each account's `token_epoch`, so that a request that is refreshing tokens just now cannot write them back,
    and a session no list knows is worthless too. People without an account are passed over.

    Args:
        people: accounts, account ids, or pairs of tenant id and object id; one or many.
        actor: who asked for it. It stands in the record, and the browsers are told whether it was the person.

    Returns:
        How many sessions ended.
    """
    one = isinstance(people, User | UUID | tuple)
    count = 0
    for tenant_id, users in _by_tenant([people] if one else people).items():
        with tenant_context(tenant_id):
            count += _end_all(tenant_id, users, reason, actor)
    return count


def _by_tenant(people: Iterable[Someone]) -> dict[UUID, list[User]]:
    accounts: dict[UUID, dict[UUID, User]] = {}
    pairs: dict[UUID, set[UUID]] = {}
    for person in people:
        if isinstance(person, tuple):
            pairs.setdefault(UUID(str(person[0])), set()).add(UUID(str(person[1])))
            continue
        if isinstance(person, UUID):
            with user_context(person):
                person = User.objects.filter(pk=person).first()
        if person and person.tenant_id:
            accounts.setdefault(person.tenant_id, {})[person.pk] = person
    for tenant_id, object_ids in pairs.items():
        with tenant_context(tenant_id):
            found = User.objects.filter(tenant_id=tenant_id, object_id__in=object_ids)
            accounts.setdefault(tenant_id, {}).update({user.pk: user for user in found})
    return {tenant_id: list(found.values()) for tenant_id, found in accounts.items()}


@transaction.atomic
def _end_all(tenant_id: UUID, users: list[User], reason: str, actor: Actor) -> int:
    ids = sorted(user.pk for user in users)
    User.objects.filter(pk__in=ids, tenant_id=tenant_id).update(
        token_epoch=F("token_epoch") + 1, identity_lease_until=None
    )
    token_store.wipe(ids)
    sessions = list(UserSession.objects.filter(user_id__in=ids).values_list("session_key", "user_id"))
    Session.objects.filter(session_key__in=[key for key, _ in sessions]).delete()
    UserSession.objects.filter(user_id__in=ids).delete()
    their_own = {user.pk for user in users if str(user.object_id) == actor.id}
    for by_owner in (True, False):
        keys = [key for key, user_id in sessions if (user_id in their_own) is by_owner]
        if keys:
            ended.remember(keys, reason=reason, by_owner=by_owner)
    with_sessions = {user_id for _, user_id in sessions}
    for user in users:
        if user.pk in with_sessions:
            _announce_end(user, reason, actor)
    return len(sessions)


def end_sessions(user: User, sessions: Iterable[UserSession], *, reason: str, actor: Actor) -> int:
    """End some of a person's portal sessions. With the last one their tokens go too: nothing needs them any more."""
    keys = [session.session_key for session in sessions]
    with transaction.atomic():
        Session.objects.filter(session_key__in=keys).delete()
        UserSession.objects.filter(user_id=user.pk, session_key__in=keys).delete()
        if not UserSession.objects.filter(user_id=user.pk).exists():
            token_store.wipe([user.pk])
            User.objects.filter(pk=user.pk).update(token_epoch=F("token_epoch") + 1)
        if keys:
            ended.remember(keys, reason=reason, by_owner=str(user.object_id) == actor.id)
            _announce_end(user, reason, actor)
    return len(keys)


def end_sessions_of_sid(sid: str, tenant_id: UUID | None) -> int:
    """End the portal sessions that began in one browser session at Entra.

    Args:
        tenant_id: from the issuer, when Entra named one; a session of another tenant stays.
    """
    wanted = UserSession.objects.filter(data__sid=sid)
    if tenant_id is not None:
        wanted = wanted.filter(data__tid=str(tenant_id))
    count = 0
    by_user: dict[UUID, list[UserSession]] = {}
    for session in wanted:
        by_user.setdefault(session.user_id, []).append(session)
    for user_id, sessions in by_user.items():
        with user_context(user_id):
            user = User.objects.get(pk=user_id)
            with tenant_context(user.tenant_id):
                count += end_sessions(user, sessions, reason="front_channel_logout", actor=Actor.system(user.tenant_id))
    return count


def delete_dead_sessions() -> int:
    """Delete portal sessions that ran out, and what the list of sessions still says about them. Says how many."""
    count, _of_each = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    oldest = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)  # by then the browser has forgotten it
    EndedSession.objects.filter(ended_at__lt=oldest).delete()
    return count


def forget_idle_tokens(tenant_id: UUID) -> int:
    """Wipe the tokens of a tenant's people who have no portal session: nothing needs them. Says how many people."""
    kept = TokenCache.objects.filter(tenant_id=tenant_id)
    idle = kept.exclude(user_id__in=UserSession.objects.values("user_id")).values_list("user_id", flat=True)
    count = 0
    for user_id in list(idle):
        with transaction.atomic():
            # Who signs in just now waits for this row, and brings new tokens.
            user = User.objects.select_for_update().get(pk=user_id)
            if not UserSession.objects.filter(user_id=user.pk).exists():
                token_store.wipe([user.pk])
                count += 1
    return count


def _announce_end(user: User, reason: str, actor: Actor) -> None:
    signals.session_ended.send(
        User,
        tenant_id=user.tenant_id,
        actor_id=actor.id,
        actor_label=actor.label,
        target_id=str(user.object_id),
        target_label=str(user),
        reason=reason,
    )


def find_person(tenant_id: UUID, object_id: UUID) -> User | None:
    """The account of a person of any tenant, who must have signed in before; for `grant_membership`."""
    with tenant_context(tenant_id):
        return User.objects.filter(tenant_id=tenant_id, object_id=object_id).first()


def grant_membership(tenant: Tenant, person: User, roles: Iterable[str], *, actor: Actor) -> Membership:
    """Let somebody from another tenant (a provider's person) work in this one.

    Raises:
        ValueError: the person belongs to this tenant, whose roles come from Entra, or a role is unknown.
    """
    wanted = sorted({Role(role).value for role in roles})
    if person.tenant_id is None or person.tenant_id == tenant.pk:
        raise ValueError("Roles in a person's own tenant come from Entra.")
    with transaction.atomic(), tenant_context(tenant.pk):
        before = Membership.objects.select_for_update().filter(tenant=tenant, user_id=person.pk).first()
        granter = Membership.objects.filter(tenant=tenant, user_id=actor.user_id).first()
        wider = before is None or not set(wanted) <= set(before.roles) or not before.holds(person.tenant_id)
        membership = before or Membership(tenant=tenant, user_id=person.pk)
        membership.roles, membership.source = wanted, Membership.Source.GRANTED
        membership.granted_by = actor.label[:256]
        membership.let_in_by = [actor.id, *(granter.let_in_by if granter else ())]
        membership.granted_at = timezone.now() if wider else before.granted_at
        membership.person_label = f"{person} ({person.upn})"[:256]
        membership.seal = membership.sealed()
        membership.save()
        _announce_membership(signals.membership_granted, membership, actor, ", ".join(wanted))
    return membership


def revoke_membership(membership: Membership, *, actor: Actor) -> None:
    """Take back what `grant_membership` gave, and what this person passed on. It counts from their next request.

    Raises:
        ValueError: it is a person's membership in their own tenant.
    """
    if membership.source != Membership.Source.GRANTED:
        raise ValueError("A membership in one's own tenant comes from Entra.")
    with user_context(membership.user_id):
        person = User.objects.get(pk=membership.user_id)
    with transaction.atomic(), tenant_context(membership.tenant_id):
        passed_on = Membership.objects.filter(
            tenant_id=membership.tenant_id,
            source=Membership.Source.GRANTED,
            let_in_by__contains=[str(person.object_id)],
        )
        for one in [membership, *passed_on.exclude(pk=membership.pk)]:
            _announce_membership(signals.membership_revoked, one, actor, "")
            one.delete()


def _announce_membership(signal, membership: Membership, actor: Actor, reason: str) -> None:
    signal.send(
        Membership,
        tenant_id=membership.tenant_id,
        actor_id=actor.id,
        actor_label=actor.label,
        target_id=str(membership.user_id),
        target_label=membership.person_label,
        reason=reason,
    )
