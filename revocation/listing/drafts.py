"""Keeps a selection between its preview and its confirmation, for the person who asked and nobody else."""

from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils.timezone import now

from accounts.access import Actor
from accounts.models import Tenant
from directory.models import Collection
from revocation.listing.selection import Selection, digest_of
from revocation.listing_models import ListDraft

KEPT = timedelta(hours=1)


def open_drafts(tenant: Tenant, actor: Actor) -> QuerySet[ListDraft]:
    """Drafts this person may still confirm, newest first."""
    drafts = ListDraft.objects.filter(tenant=tenant, actor_id=actor.id, expires_at__gt=now())
    return drafts.order_by("-created_at")


def keep(
    tenant: Tenant, actor: Actor, selection: Selection, *, recipe: str, actions: list[str], source: str, label: str = ""
) -> ListDraft:
    """Store a preview for an hour; this person's outdated ones go."""
    ListDraft.objects.filter(tenant=tenant, expires_at__lte=now(), request=None).delete()
    complete_at = (
        Collection.objects.filter(tenant=tenant, kind=Collection.Kind.PEOPLE)
        .values_list("complete_at", flat=True)
        .first()
    )
    return ListDraft.objects.create(
        tenant=tenant,
        actor_id=actor.id,
        source=source,
        source_label=label[:256],
        recipe=recipe,
        counts=selection.counts(),
        rows=selection.packed(),
        digest=digest_of(actions, (row.person_id for row in selection.rows if row.included)),
        copy_complete_at=complete_at,
        expires_at=now() + KEPT,
    )


def rows_of(draft: ListDraft) -> Selection:
    return Selection.unpacked(bytes(draft.rows))


def without(selection: Selection, person_ids: set[UUID]) -> Selection:
    """The selection with some people taken out, for rules that changed since the preview."""
    selection.rows = [row for row in selection.rows if not row.person_id or UUID(row.person_id) not in person_ids]
    return selection
