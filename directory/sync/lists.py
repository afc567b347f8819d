"""Reading the three long lists in full, page by page: apps, people, grants.

Before the first page a link is taken that tells what changes from then on; so nothing that happens while the list is
read is missed. Rows that were not named are taken out only after the list was read to its end: one that breaks off
leaves the old copy as it was, with newer facts for what had been read, and goes on after the page it stored last.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.ids import id_or_none
from accounts.models import Tenant
from directory.models import Collection, PermissionGrant, Person, Progress, ServicePrincipal
from directory.sync import progress as going, recent, rows
from directory.sync.grant_ratings import Ratings
from directory.sync.progress import Deadline, Part
from directory.sync.report import KindReport
from graph.changes import Followed
from graph.client import GraphClient
from graph.errors import Forbidden, GraphError, Rejected, Unauthorized
from graph.types import Page

logger = logging.getLogger(__name__)
FOLLOWED = {Part.APPS: Followed.APPS, Part.PEOPLE: Followed.PEOPLE, Part.GRANTS: Followed.GRANTS}
LISTS = {Part.APPS: "service_principals", Part.PEOPLE: "users", Part.GRANTS: "grants"}  # methods of the client
# A list that grows or shrinks while it is read may miss its own count by a little; more is a broken list.
TOLERANCE = 0.01
STALE = timedelta(hours=12)  # a place in a list that old is not gone back to


class Incomplete(Exception):
    """Graph listed fewer objects than it says there are."""


Outcome = KindReport | GraphError | Incomplete | None


def read(tenant: Tenant, client: GraphClient, parts: Iterable[Progress], until: Deadline) -> dict[str, Outcome]:
    """Read these lists on from where they were left, or begin them; side by side, a page of each in turn.

    Returns:
        by part, what came of it: None where the time is up before its end, and an error where it broke off. What was
        read is stored all the same, and so is the place.
    """
    found: dict[str, Outcome] = {}
    under_way: dict[_List, Iterator[Page]] = {}
    for progress in parts:
        one = _List(tenant, client, progress)
        try:
            if not one.goes_on:
                one.begin()
            under_way[one] = one.pages(until)
        except GraphError as error:
            found[one.part] = error
    while under_way:
        for one, pages in list(under_way.items()):
            try:
                page = next(pages, None)
                if page is not None:
                    one.store(page)
                    continue
                found[one.part] = None if one.progress.next_link else one.finish()
            except (GraphError, Incomplete) as error:
                found[one.part] = error
            del under_way[one]
    return found


class _List:
    def __init__(self, tenant: Tenant, client: GraphClient, progress: Progress):
        self.tenant, self.client, self.progress, self.part = tenant, client, progress, progress.part
        self.ratings = Ratings(tenant)

    @property
    def goes_on(self) -> bool:
        began = self.progress.started_at
        return bool(began and self.progress.next_link and began > timezone.now() - STALE)

    def begin(self) -> None:
        link = ""
        try:
            link = self.client.changes_from_now(FOLLOWED[self.part])
        except (Forbidden, Unauthorized):
            raise
        except Rejected as error:  # then the list is read again and again
            logger.info("Changes of %s of %s cannot be followed: %s", self.part, self.tenant.pk, error)
            self.progress.delta_link = ""
        # Due until it is read to its end: the link of the changes so far is given up with this.
        self.progress.due = self.progress.due or "begun"
        going.begin(self.progress, delta_link=link)

    def pages(self, until: Deadline) -> Iterator[Page]:
        going.say(self.tenant, self.part, started_at=self.progress.started_at)
        start = self.progress.next_link
        listed = getattr(self.client, LISTS[self.part])(*([start] if start else []))
        return going.ahead(listed, lambda: not until.passed)

    def store(self, page: Page) -> None:
        with rows.writing(self.tenant):
            self._note(page)
            self._save(page.items)
            self.progress.next_link = page.next_link
            self.progress.save()

    def _note(self, page: Page) -> None:
        one = self.progress
        if page.restarted:
            # What only the abandoned part named is not vouched for by the list that follows.
            one.seen, one.named_since, one.unreadable, one.kept = 0, timezone.now(), 0, []
        # Rows that cannot be read are there all the same: they are counted, and not taken for deleted.
        one.seen += len(page.items) + len(page.unreadable)
        one.unreadable += len(page.unreadable)
        one.kept += [row.id[:128] for row in page.unreadable if row.id]
        one.count = page.count if page.count is not None else one.count

    def _save(self, items: Iterable) -> None:
        tenant, at = self.tenant, timezone.now()
        if self.part == Part.APPS:
            rows.save_apps(recent.corrected_apps(tenant, (rows.app(tenant, item, at) for item in items)))
        elif self.part == Part.PEOPLE:
            rows.save_people(rows.person(tenant, item, at) for item in items)
        else:
            kept = recent.corrected_grants(tenant, (rows.grant(tenant, item, at) for item in items))
            self.ratings.rate(kept)  # here, so that rating all apps finds nearly nothing to write again
            rows.save_grants(kept)

    def finish(self) -> KindReport:
        one = self.progress
        if one.count is not None and one.seen < one.count * (1 - TOLERANCE):
            one.started_at, one.next_link = None, ""
            one.save(update_fields=["started_at", "next_link"])
            raise Incomplete(
                _("Microsoft listed %(seen)d of %(count)d; the rest of the copy is older.")
                % {"seen": one.seen, "count": one.count}
            )
        began = one.started_at
        with rows.writing(self.tenant):
            removed = self._remove_unseen()
            known = Collection.objects.filter(tenant=self.tenant, kind=self.part).first()
            going.say(
                self.tenant,
                self.part,
                complete_at=began,
                # Later than every row of this walk: what was there then is no news.
                first_complete_at=(known and known.first_complete_at) or timezone.now(),
                graph_count=one.count,
                row_count=present(self.tenant, self.part).count(),
                unreadable=one.unreadable,
                error=one.doubt,
            )
            going.done(one, began)
        return KindReport(self.part, one.seen, one.count, removed, error=one.doubt, unreadable=one.unreadable)

    def _remove_unseen(self) -> int:
        """Take out what the whole list did not name, except what we ourselves just put there."""
        tenant = self.tenant
        unseen = self._without_kept(present(tenant, self.part).filter(synced_at__lt=self.progress.named_since))
        if self.part == Part.GRANTS:
            unseen = unseen.exclude(graph_id__in=recent.still_there(tenant, recent.Changed.GRANT))
            recent.remember_first_seen(tenant, unseen.filter(client__deleted_at__isnull=False), with_app=True)
        elif self.part == Part.APPS:
            unseen = self._without_binned(unseen.exclude(pk__in=recent.still_there(tenant, recent.Changed.APP)))
        return unseen.delete()[1].get(unseen.model._meta.label, 0)

    def _without_kept(self, unseen: QuerySet) -> QuerySet:
        kept = self.progress.kept
        if self.part == Part.GRANTS:
            return unseen.exclude(graph_id__in=kept)
        return unseen.exclude(pk__in=[pk for one in kept if (pk := id_or_none(one))])

    def _without_binned(self, unseen: QuerySet) -> QuerySet:
        """Apps that left the list for the recycle bin keep their row and their history."""
        gone = set(unseen.values_list("pk", flat=True))
        if not gone:
            return unseen
        try:
            binned = [app for app in self.client.deleted_service_principals() if app.id in gone]
        except GraphError:
            return unseen.none()  # the next reading decides
        rows.save_apps(rows.app(self.tenant, app, timezone.now()) for app in binned)
        return unseen.exclude(pk__in=[app.id for app in binned])


def present(tenant: Tenant, part: str) -> QuerySet:
    """The rows of the copy that a list is about."""
    if part == Part.APPS:
        return ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=True)
    return {Part.PEOPLE: Person, Part.GRANTS: PermissionGrant}[part].objects.filter(tenant=tenant)
