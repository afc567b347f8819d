"""Keeps a selection between its preview and its confirmation, for the person who asked and nobody else."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from accounts.access import Actor
from accounts.models import Tenant
from b2c.terms import Terms
from directory.models import Collection
from graph.sentences import ngettext
from revocation import services
from revocation.lists import recipes
from revocation.lists.selection import Selection, digest_of
from revocation.models import ListDraft, RevocationRequest
from revocation.rules import protection, reach

KEPT = timedelta(hours=1)


def open_drafts(tenant: Tenant, actor: Actor) -> QuerySet[ListDraft]:
    """Drafts this person may still confirm, and those they did, newest first."""
    drafts = ListDraft.objects.filter(tenant=tenant, actor_id=actor.id).filter(
        Q(expires_at__gt=now()) | Q(request__isnull=False)
    )
    return drafts.order_by("-created_at")


def keep(
    tenant: Tenant,
    actor: Actor,
    selection: Selection,
    *,
    recipe: str,
    actions: list[str],
    source: str,
    label: str = "",
    source_id: str = "",
    options: dict | None = None,
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
        source_id=source_id,
        recipe=recipe,
        options=options or {},
        counts=selection.counts(),
        rows=selection.packed(),
        digest=digest_of(actions, (row.person_id for row in selection.rows if row.included)),
        copy_complete_at=complete_at,
        expires_at=now() + KEPT,
    )


def rows_of(draft: ListDraft) -> Selection:
    return Selection.unpacked(bytes(draft.rows))


def behind(tenant: Tenant) -> QuerySet[ListDraft]:
    """The lists that became requests: part of the record, for everyone who may see the request."""
    return ListDraft.objects.filter(tenant=tenant, request__isnull=False).select_related("request")


def made_from_list(request: RevocationRequest) -> bool:
    """Whether a list that can be shown is behind this request."""
    return behind(request.tenant).filter(request=request).exists()


class SelectionChanged(Exception):
    """Rules or settings changed since the preview; nothing was created. The list has to be looked at again."""


def confirm(
    tenant: Tenant,
    draft_id: UUID,
    actor: Actor,
    *,
    digest: str,
    reason: str,
    ticket: str = "",
    high_priority: bool = False,
) -> RevocationRequest:
    """Turn a preview into a request: one transaction, so that a second click finds the first one's request.

    Raises:
        ListDraft.DoesNotExist: not this person's, gone, or too old.
        SelectionChanged: what would be done is no longer what was shown.
        Unreachable: who holds which directory role could not be read just now.
    """
    reach.roles_now(tenant)
    with transaction.atomic():
        draft = open_drafts(tenant, actor).select_for_update(of=("self",)).get(pk=draft_id)
        if draft.request_id:
            return draft.request
        people = rows_of(draft).people()
        actions = recipes.actions_of(tenant, draft.recipe, draft.options)
        if not people or digest != draft.digest or digest_of(actions, (row.person_id for row in people)) != digest:
            raise SelectionChanged
        if _now_protected(tenant, people, actor):
            raise SelectionChanged
        draft.request = services.submit(
            tenant=tenant,
            actor=actor,
            kind=draft.recipe,
            title=title_of(draft, len(people)),
            steps=recipes.for_people(tenant, draft.recipe, people, draft.options),
            reason=reason,
            ticket=ticket,
            interactive=False,
            high_priority=high_priority,
            run_inline=False,
        )
        draft.save(update_fields=["request"])
        return draft.request


def title_of(draft: ListDraft, count: int) -> str:
    """The request's title: what, and how many."""
    if draft.recipe == recipes.Recipe.CONTAIN_PEOPLE:
        return ngettext("Secure the account of %(n)s person", "Secure the accounts of %(n)s people", count) % {
            "n": count
        }
    if draft.recipe == recipes.Recipe.REFUSE_REFRESH:
        words = {"n": count, "where": Terms.of(draft.options).where()}
        text = ngettext(
            "Refuse the refresh of %(n)s person %(where)s", "Refuse the refresh of %(n)s people %(where)s", count
        )
        return text % words
    return ngettext("Sign out %(n)s person everywhere", "Sign out %(n)s people everywhere", count) % {"n": count}


def _now_protected(tenant: Tenant, people: list, actor: Actor) -> bool:
    ids = [UUID(row.person_id) for row in people]
    return any(protection.refusals(tenant, ids[start : start + 20_000], actor) for start in range(0, len(ids), 20_000))
