"""Whom a request takes something from, counted as the rule of two persons counts: people, each once.

What one person asked for within an hour counts together, unless somebody else agreed to it. Else a long list could be
cut into short ones. How many people there are is not known before the directory was read to the end: then a change
that everybody feels counts as more than any threshold.
"""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Tenant
from directory.models import AppRoleAssignment, Collection, PermissionGrant, Person
from revocation import actions
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import two_persons
from revocation.steps import StepDraft

WINDOW = timedelta(hours=1)
NOT_KNOWN = 2**31 - 1  # as many as the column holds: more than any threshold

State = RevocationRequest.State


class Hits:
    """Counts while steps pass by: memory grows with the people, a few bytes each."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.deletes = False
        self._people: set[bytes] = set()
        self._apps: set[str] = set()
        self._everyone = False
        self._count: int | None = None  # what `people` found, until more is added

    def add(self, step: StepDraft | RevocationStep) -> None:
        action = actions.get(step.action)
        hit = action.hits(step)
        self._count = None
        self.deletes |= action.deletes
        self._everyone |= hit.everyone
        if hit.app:
            self._apps.add(hit.app)
        if hit.person:
            self._people.add(_short(hit.person))

    def add_people(self, ids: Iterable[str]) -> None:
        self._people.update(map(_short, ids))
        self._count = None

    @property
    def is_wide(self) -> bool:
        """Whether it is about more than the people it names."""
        return self._everyone or bool(self._apps)

    def people(self) -> int:
        """How many people there are, those who use an app by what our copy shows at this moment."""
        if self._count is None:
            self._count = self._counted()
        return self._count

    def _counted(self) -> int:
        if self._apps and not self._everyone:
            self._add_users_of_apps()
        if not self._everyone:
            return len(self._people)
        known = Collection.objects.filter(tenant=self.tenant, kind=Collection.Kind.PEOPLE, complete_at__isnull=False)
        if not known.exists():
            return NOT_KNOWN
        return max(len(self._people), Person.objects.filter(tenant=self.tenant, is_agent=False).count())

    def _add_users_of_apps(self) -> None:
        """Whoever let it act for them or was assigned; everybody where it was let in, or may be used, by no name."""
        grants = PermissionGrant.objects.filter(tenant=self.tenant, client__in=self._apps)
        assigned = AppRoleAssignment.objects.filter(tenant=self.tenant, resource__in=self._apps)
        self._everyone = grants.filter(principal=None).exists() or assigned.filter(principal_type="Group").exists()
        if not self._everyone:
            users = assigned.filter(principal_type="User")
            for known in (grants, users):
                self.add_people(map(str, known.values_list("principal_id", flat=True).distinct().iterator()))

    def need_second_person(self, actor: Actor, *, besides: RevocationRequest | None = None) -> bool:
        """Whether somebody else has to agree, with what this actor asked for within the last hour.

        Args:
            besides: the request that is counted here, where it is stored already.
        """
        people = self.people()
        if two_persons.asked_for(self.tenant, people=people, deletes=self.deletes):
            # Nobody needs leave to sign themselves out.
            return self.deletes or self.is_wide or self._people != {_short(actor.id)}
        if self._people <= {_short(actor.id)} and not self.is_wide:
            return False
        earlier = _alone_lately(self.tenant, actor)
        if besides:
            earlier = earlier.exclude(pk=besides.pk)
        counts = dict(earlier.values_list("pk", "people_count"))
        if not two_persons.asked_for(self.tenant, people=people + sum(counts.values())):
            return False  # not even if they were all different people
        return two_persons.asked_for(self.tenant, people=self._with(counts, actor))

    def _with(self, counts: dict, actor: Actor) -> int:
        """How many people there are together with those whom these requests hit."""
        named, wide = set(), set()
        steps = RevocationStep.objects.filter(tenant=self.tenant, request__in=list(counts))
        steps = steps.exclude(state=RevocationStep.State.CANCELLED)
        for step in steps.only("request_id", "action", "target_type", "target_id", "before").iterator(chunk_size=2000):
            hit = actions.get(step.action).hits(step)
            if hit.person:
                named.add(_short(hit.person))
            if hit.everyone or hit.app:
                wide.add(step.request_id)
        named.discard(_short(actor.id))
        # Who used an app is seen no more after it is gone: what was counted then stands.
        return self.people() + len(named - self._people) + sum(counts[pk] for pk in wide)


def _alone_lately(tenant: Tenant, actor: Actor) -> QuerySet[RevocationRequest]:
    """What this person asked for within the window and nobody else agreed to."""
    asked = RevocationRequest.objects.filter(
        tenant=tenant, actor_id=actor.id, created_at__gt=timezone.now() - WINDOW, people_count__gt=0
    )
    alone = Q(needs_approval=False) | Q(overridden=True)
    return asked.filter(alone).exclude(state__in=(State.REJECTED, State.EXPIRED))


def _short(person_id: str) -> bytes:
    return hashlib.blake2b(person_id.lower().encode(), digest_size=12).digest()
