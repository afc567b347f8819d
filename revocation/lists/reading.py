"""Long lists: a worker reads them, while whoever sent one looks on. The page is not held up, nor anybody else's.

The row is the truth: what a worker that died had in hand lapses, and the sweeper sends another.
"""

import zlib
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Membership, Tenant, User
from accounts.roles import Capability
from accounts.tenancy import user_context
from graph.sentences import gettext as _
from revocation import nudges
from revocation.lists import kept, parser, resolver, sources
from revocation.lists.parser import Entry, Tally, UnusableList
from revocation.models import ListDraft, ListUpload

LONG = 1024 * 1024  # bytes: shorter lists are read while their page waits
SECONDS = 240.0  # for reading one list
LEASE = timedelta(minutes=2)  # renewed with each sign of progress
SIGN = 1.0  # seconds between two of them


def is_long(chosen: dict[str, Any]) -> bool:
    """Whether what a `ListForm` holds is for a worker."""
    if chosen["source"] == ListDraft.Source.PASTE:
        return len(chosen["text"]) > LONG
    return chosen["source"] == ListDraft.Source.FILE and chosen["file"].size > LONG


def put_aside(tenant: Tenant, membership: Membership, chosen: dict[str, Any]) -> ListUpload:
    """Keep a long list until a worker has read it, and ask one to.

    Raises:
        UnusableList: it is too large, or no text.
    """
    if chosen["source"] == ListDraft.Source.PASTE:
        content, label = chosen["text"].encode("utf-8", "replace"), ""
        if len(content) > parser.MAX_BYTES:
            raise UnusableList(_("This list is larger than 64 MB. Split it and ask for each part."))
    else:
        parser.detect_encoding(chosen["file"])
        chosen["file"].seek(0)
        content, label = chosen["file"].read(), chosen["file"].name
    ListUpload.objects.filter(tenant=tenant, expires_at__lte=timezone.now()).delete()
    actor = Actor.of(membership)
    upload = ListUpload.objects.create(
        tenant=tenant,
        actor_id=actor.id,
        user_id=actor.user_id,
        source=chosen["source"],
        source_label=label[:256],
        recipe=chosen["recipe"],
        options=chosen["terms"].params() if chosen.get("terms") else {},
        content=zlib.compress(content, 1),
        lines=content.count(b"\n") + 1,
        expires_at=timezone.now() + kept.KEPT,
    )
    nudges.read(tenant.pk, upload.pk)
    return upload


def of(tenant: Tenant, actor: Actor) -> QuerySet[ListUpload]:
    """What this person sent lately."""
    return ListUpload.objects.filter(tenant=tenant, actor_id=actor.id, expires_at__gt=timezone.now())


def read(tenant: Tenant, upload_id: UUID) -> None:
    """Read one, unless somebody else does: it becomes a draft, or says why it cannot. Must be in the tenant's scope."""
    mine = ListUpload.objects.lost().filter(tenant=tenant, pk=upload_id)
    if not mine.update(taken_until=timezone.now() + LEASE, attempts=F("attempts") + 1):
        return
    upload = ListUpload.objects.get(pk=upload_id)
    try:
        _become_draft(tenant, upload)
    except UnusableList as unusable:
        _note(upload, trouble=str(unusable), content=b"")


def _become_draft(tenant: Tenant, upload: ListUpload) -> None:
    actor, tally = _sender(upload), Tally()
    content = zlib.decompress(bytes(upload.content))
    if upload.source == ListDraft.Source.PASTE:
        entries = parser.parse_text(content.decode(), tally, seconds=SECONDS)
    else:
        entries = parser.parse_file(BytesIO(content), tally, seconds=SECONDS)
    selection = resolver.resolve(tenant, _watched(entries, tally, upload), actor, tally)
    _note(upload, taken_until=timezone.now() + LEASE, read=upload.lines)
    with transaction.atomic():
        chosen = {"recipe": upload.recipe, "source": upload.source}
        draft = sources.keep(tenant, actor, selection, upload.source_label, chosen, upload.options)
        _note(upload, draft=draft, content=b"")


def _watched(entries: Iterator[Entry], tally: Tally, upload: ListUpload) -> Iterator[Entry]:
    told = monotonic()
    for entry in entries:
        yield entry
        if monotonic() - told > SIGN:
            told = monotonic()
            _note(upload, read=tally.lines, taken_until=timezone.now() + LEASE)


def _note(upload: ListUpload, **fields) -> None:
    ListUpload.objects.filter(pk=upload.pk).update(**fields)


def _sender(upload: ListUpload) -> Actor:
    """Whoever sent it, with the roles they have now.

    Raises:
        UnusableList: they may sign nobody out any more.
    """
    member = Membership.objects.filter(tenant_id=upload.tenant_id, user_id=upload.user_id).first()
    with user_context(upload.user_id):
        user = User.objects.filter(pk=upload.user_id).first()
    if not (member and user and member.can(Capability.SIGN_OUT_PEOPLE) and member.holds(user.tenant_id)):
        raise UnusableList(_("Your role does not let you sign people out any more. Nothing was kept."))
    member.user = user
    return Actor.of(member)
