"""One person's MSAL token cache, encrypted at rest. Nothing else reads or writes `TokenCache`.

TOKEN_CACHE_KEYS are Fernet keys, newest first: the first encrypts, all decrypt. A blob moved to another person's row is
of no use: whoever refreshes with it checks that the answer is about the person who asked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import msal
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from accounts.models import TokenCache, User


@dataclass(frozen=True)
class Stored:
    """A cache as it was read. `epoch` must still be the account's when it is written back."""

    cache: msal.SerializableTokenCache
    epoch: int


def load(user: User) -> Stored | None:
    """The person's cache; None when there is none, or none that our keys open."""
    row = TokenCache.objects.filter(user_id=user.pk, tenant_id=user.tenant_id)
    found = row.values_list("blob", "user__token_epoch").first()
    if found is None:
        return None
    try:
        text = _box().decrypt(bytes(found[0]))
    except InvalidToken:
        return None
    cache = msal.SerializableTokenCache()
    cache.deserialize(text.decode())
    return Stored(cache, found[1])


def is_kept(user: User) -> bool:
    """Whether there is a cache, although it may be under a key that is not known here."""
    return TokenCache.objects.filter(user_id=user.pk, tenant_id=user.tenant_id).exists()


def save(user: User, cache: msal.SerializableTokenCache, *, epoch: int) -> bool:
    """Keep the cache, unless the person's tokens were wiped since `epoch` was read; says whether it was kept."""
    blob = _box().encrypt(cache.serialize().encode())
    with transaction.atomic():
        if not still_at(user, epoch):
            return False
        TokenCache.objects.update_or_create(user_id=user.pk, defaults={"tenant_id": user.tenant_id, "blob": blob})
    return True


def still_at(user: User, epoch: int) -> bool:
    """Whether the account's tokens have not been wiped since `epoch`; holds that still until the transaction ends."""
    return User.objects.select_for_update().filter(pk=user.pk, token_epoch=epoch).exists()


def wipe(user_ids: Collection[UUID]) -> None:
    TokenCache.objects.filter(user_id__in=user_ids).delete()


def renew_encryption(tenant_id: UUID) -> int:
    """Encrypt a tenant's caches with the newest key, so that older keys can be retired. Says how many.

    Caches that none of the keys opens are deleted: their people sign in again.
    """
    count, box = 0, _box()
    for pk in list(TokenCache.objects.filter(tenant_id=tenant_id).values_list("pk", flat=True)):
        with transaction.atomic():
            row = TokenCache.objects.select_for_update().filter(pk=pk).first()
            if row is None:
                continue
            try:
                row.blob = box.rotate(bytes(row.blob))
            except InvalidToken:
                row.delete()
                continue
            row.save(update_fields=["blob"])
            count += 1
    return count


def encrypted(secret: bytes) -> bytes:
    """For the other secret that is kept: the operator's second factor."""
    return _box().encrypt(secret)


def decrypted(blob: bytes) -> bytes:
    """
    Raises:
        InvalidToken: none of our keys opens it.
    """
    return _box().decrypt(blob)


def _box() -> MultiFernet:
    if not settings.TOKEN_CACHE_KEYS:
        raise ImproperlyConfigured("Set TOKEN_CACHE_KEYS: tokens are kept encrypted or not at all.")
    return MultiFernet([Fernet(key) for key in settings.TOKEN_CACHE_KEYS])
