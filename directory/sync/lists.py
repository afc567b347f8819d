"""Reading the three long lists in full, page by page: apps, people, grants.

Before the first page a link is taken that tells what changes from then on; so nothing that happens while the list is
read is missed. Rows that were not named are taken out only after the list was read to its end: one that breaks off
leaves the old copy as it was, with newer facts for what had been read, and goes on after the page it stored last.
"""

import logging
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.ids import id_or_none
from accounts.models import Tenant
from directory.models import Collection, PermissionGrant, Person, Progress, ServicePrincipal
from directory.sync import ahead, own_lists, progress as going, recent, rows, withdrawn
from directory.sync.grant_ratings import Ratings
from directory.sync.progress import Deadline, Part
from directory.sync.report import KindReport
from directory.sync.rows import Ready
from graph.changes import Followed
from graph.client import GraphClient
from graph.errors import Forbidden, GraphError, Rejected, Unauthorized
from graph.paging import read_all
from graph.types import Grant, Page

logger = logging.getLogger(__name__)
FOLLOWED = {Part.APPS: Followed.APPS, Part.PEOPLE: Followed.PEOPLE, Part.GRANTS: Followed.GRANTS}
LISTS = {Part.APPS: "service_principals", Part.PEOPLE: "users"}  # methods of the client
MADE_BY = {Part.APPS: rows.app, Part.PEOPLE: rows.person, Part.GRANTS: rows.grant}
READY = {Part.APPS: Ready.of_apps, Part.PEOPLE: Ready.of_people, Part.GRANTS: Ready.of_grants}
# A list that grows or shrinks while it is read may miss its own count by a little; more is a broken list.
TOLERANCE = 0.01
AT_ONCE = 4  # pages in one transaction, where they lie ready
MOST_AHEAD = 3  # pages of a list that are asked for before those before them are stored
STALE = timedelta(hours=12)  # a place in a list that old is not gone back to


class Incomplete(Exception):
    """Graph listed fewer objects than it says there are."""


@dataclass(frozen=True)
class _Read:
    """A page, and its rows ready to be stored."""

    page: Page
    at: datetime
    ready: Ready


Outcome = KindReport | GraphError | Incomplete | None


def read(tenant: Tenant, client: GraphClient, parts: Iterable[Progress], until: Deadline) -> dict[str, Outcome]:
    """Read these lists on from where they were left, or begin them; side by side, whichever page has come.

    Returns:
        by part, what came of it: None where the time is up before its end, and an error where it broke off. What was
        read is stored all the same, and so is the place.
    """
    found: dict[str, Outcome] = {}
    under_way: dict[_List, ahead.Ahead[_Read]] = {}
    every = [_List(tenant, client, progress) for progress in parts]
    links = _asked_side_by_side(one for one in every if not one.goes_on)
    for one in every:
        try:
            if one in links:
                one.begin(links[one].result())
            under_way[one] = one.pages(until)
        except GraphError as error:
            found[one.part] = error
    while under_way:
        # A list's pages can only be asked for one after the other: the longest is never kept waiting.
        one = max(ahead.first_to_come(under_way), key=lambda one: one.left)
        try:
            if pages := under_way[one].some(AT_ONCE):
                one.store(pages)
                if not (until.passed and one.keep(under_way[one])):
                    continue
            found[one.part] = None if one.progress.next_link else one.finish()
        except (GraphError, Incomplete) as error:
            found[one.part] = error
        del under_way[one]
    return found


def _asked_side_by_side(begun: Iterable["_List"]) -> dict["_List", Future[str]]:
    """The links of changes of lists that are about to be read: as long as one of them takes, whatever their number."""
    with ThreadPoolExecutor(len(FOLLOWED), thread_name_prefix="links") as pool:
        return {one: pool.submit(one.link_of_changes) for one in begun}


class _List:
    def __init__(self, tenant: Tenant, client: GraphClient, progress: Progress):
        self.tenant, self.client, self.progress, self.part = tenant, client, progress, progress.part
        self.ratings = Ratings(tenant)
        # Between two turns no second is lost. What is asked for inside a transaction ends with it.
        self.keeps = not connection.in_atomic_block

    @property
    def goes_on(self) -> bool:
        began = self.progress.started_at
        return bool(began and self.progress.next_link and began > timezone.now() - STALE)

    def link_of_changes(self) -> str:
        """The link that tells what changes from now on; empty where they cannot be followed."""
        try:
            return self.client.changes_from_now(FOLLOWED[self.part])
        except (Forbidden, Unauthorized):
            raise
        except Rejected as error:  # then the list is read again and again
            logger.info("Changes of %s of %s cannot be followed: %s", self.part, self.tenant.pk, error)
            return ""

    def begin(self, link: str) -> None:
        if not link:
            self.progress.delta_link = ""
        # Due until it is read to its end: the link of the changes so far is given up with this.
        self.progress.due = self.progress.due or "begun"
        going.begin(self.progress, delta_link=link)

    @property
    def left(self) -> float:
        """How much of it is to come; nobody knows how long a list is before its first page was stored."""
        return inf if self.progress.count is None else self.progress.count - self.progress.seen

    def pages(self, until: Deadline) -> ahead.Ahead[_Read]:
        going.say(self.tenant, self.part, started_at=self.progress.started_at)
        start = self.progress.next_link
        if kept := ahead.kept(self.tenant.pk, self.part, start):
            self.ratings = kept.more
            return kept.pages
        more = (lambda: True) if self.keeps else (lambda: not until.passed)
        if self.part != Part.GRANTS:
            listed = getattr(self.client, LISTS[self.part])(*([start] if start else []))
            # Where what lies ready is stored after the time is up, too, it is one page of these.
            return ahead.Ahead(map(self._read, listed), more, most=MOST_AHEAD if self.keeps else 1)
        # One thread asks for pages, another makes rows of them: the next is asked for as soon as its link is known.
        pages = ahead.Ahead(self.client.grants(start, read=dict), more)
        return ahead.Ahead(map(self._read, map(_of_grants, pages)), lambda: True)

    def keep(self, pages: ahead.Ahead[_Read]) -> bool:
        """Leave a list at its place, with the pages that are under way, for this process to go on with soon."""
        if not (self.keeps and self.progress.next_link):
            return False
        ahead.keep(self.tenant.pk, self.part, ahead.Kept(self.progress.next_link, pages, self.ratings))
        return True

    def _read(self, page: Page) -> _Read:
        """Whatever can be done without the database, while that is busy with another page."""
        at = timezone.now()
        made = [MADE_BY[self.part](self.tenant, item, at) for item in page.items]
        if self.part == Part.GRANTS:
            self.ratings.rate(made)  # here, so that rating all apps finds nearly nothing to write again
        return _Read(page, at, READY[self.part](made))

    def store(self, pages: list[_Read]) -> None:
        """Pages that came one after the other, and with them the place in the list."""
        with rows.storing(self.tenant, shared=True):  # each list is about rows of its own
            for one in pages:
                self._note(one.page, one.at)
                self._save(one.ready)
            if self.part == Part.PEOPLE:
                rows.save_words_of_people(self.tenant, [one.ready for one in pages])
            self.progress.next_link = pages[-1].page.next_link
            self.progress.save()
        if self.part == Part.GRANTS:
            self.ratings.learn({row.resource_id for one in pages for row in one.ready.rows})

    def _note(self, page: Page, at: datetime) -> None:
        one = self.progress
        if page.restarted:
            # What only the abandoned part named is not vouched for by the list that follows.
            one.seen, one.named_since, one.unreadable, one.kept = 0, at, 0, []
        # Rows that cannot be read are there all the same: they are counted, and not taken for deleted.
        one.seen += len(page.items) + len(page.unreadable)
        one.unreadable += len(page.unreadable)
        one.kept += [row.id[:128] for row in page.unreadable if row.id]
        one.count = page.count if page.count is not None else one.count

    def _save(self, ready: Ready) -> None:
        tenant, kinds = self.tenant, recent.Changed
        if self.part == Part.APPS:
            quiet = recent.is_quiet(tenant, kinds.APP)
            rows.save_apps(ready if quiet else recent.corrected_apps(tenant, ready.rows))
        elif self.part == Part.PEOPLE:
            rows.save_people(ready, with_words=False)
        else:
            quiet = recent.is_quiet(tenant, kinds.GRANT, kinds.EARLIER_GRANT)
            rows.save_grants(ready if quiet else self._rated_anew(recent.corrected_grants(tenant, ready.rows)))

    def _rated_anew(self, corrected: list) -> list:
        self.ratings.rate(corrected)
        return corrected

    def finish(self) -> KindReport:
        one = self.progress
        left_out = own_lists.only_there(self.tenant) if self.part == Part.GRANTS else 0
        if one.count is not None and one.seen + left_out < one.count * (1 - TOLERANCE):
            if self.part == Part.GRANTS:
                own_lists.ask_for_all(self.tenant)
            one.started_at, one.next_link = None, ""
            one.save(update_fields=["started_at", "next_link"])
            raise Incomplete(
                _("Microsoft listed %(seen)d of %(count)d; the rest of the copy is older.")
                % {"seen": one.seen, "count": one.count}
            )
        began = one.started_at
        if left_out:
            own_lists.confirm(self.tenant, self.client, set(self._unseen().values_list("client_id", flat=True)))
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
        tenant, unseen = self.tenant, self._unseen()
        if self.part == Part.GRANTS:
            unseen = unseen.exclude(graph_id__in=recent.still_there(tenant, recent.Changed.GRANT))
            recent.remember_first_seen(tenant, unseen.filter(client__deleted_at__isnull=False), with_app=True)
            return withdrawn.take_out(tenant, unseen)
        if self.part == Part.APPS:
            unseen = self._without_binned(unseen.exclude(pk__in=recent.still_there(tenant, recent.Changed.APP)))
        return unseen.delete()[1].get(unseen.model._meta.label, 0)

    def _unseen(self) -> QuerySet:
        return self._without_kept(present(self.tenant, self.part).filter(synced_at__lt=self.progress.named_since))

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


def _of_grants(page: Page[dict]) -> Page[Grant]:
    """A page of rows as they came."""
    items = read_all({"value": page.items}, Grant.read)
    return replace(page, items=items, unreadable=items.unreadable)


def present(tenant: Tenant, part: str) -> QuerySet:
    """The rows of the copy that a list is about."""
    if part == Part.APPS:
        return ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=True)
    return {Part.PEOPLE: Person, Part.GRANTS: PermissionGrant}[part].objects.filter(tenant=tenant)
