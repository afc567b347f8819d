"""Keeping one tenant's copy true: what is due, one part after the other, for a few seconds at a time.

A part that fails waits by itself, longer each time, and neither another part nor another tenant waits with it. Only one
process works on a tenant at a time; a second one is told that it is busy.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import locks, permissions
from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import in_tenant
from audit import services as audit
from audit.models import AuditEvent
from directory.models import Collection, Progress, ServicePrincipal
from directory.sync import (
    activity,
    agents,
    assignments,
    checking,
    consents,
    following,
    garbage,
    own_lists,
    progress as going,
    recent,
    rows,
    small,
    statistics,
    walking,
)
from directory.sync.beside import Lane
from directory.sync.derive import Whole, derive, derive_next, due_for_rating, finish_rating
from directory.sync.lists import FOLLOWED, Incomplete
from directory.sync.progress import Deadline, Part
from directory.sync.report import KindReport, SyncReport, explain
from directory.sync.unknown import fetch_all_unknown
from graph.client import GraphClient
from graph.errors import Expired, Forbidden, GraphError, Retryable, TokenError

logger = logging.getLogger(__name__)
Kind = Collection.Kind

# The recycle bin comes right after the apps: what left one list is looked for in the other before it is taken out.
# Roles come after both: whoever is neither an app nor a person and holds one may be a group.
ORDER = [Kind.SERVICE_PRINCIPALS, Kind.DELETED_APPS, Kind.PEOPLE, Kind.ROLES, Kind.GRANTS, Kind.ASSIGNMENTS]
LONG = (*FOLLOWED, Part.ASSIGNMENTS, Part.DERIVED, Part.OWN_LISTS)  # parts that one slice may not see the end of
EVERY = {
    Part.PERMISSIONS: timedelta(minutes=15),
    Part.DELETED_APPS: timedelta(minutes=15),
    Part.ROLES: timedelta(minutes=15),
    Part.AGENTS: timedelta(minutes=15),
    Part.USE: timedelta(hours=6),
    Part.ACTIVITY: activity.EVERY,
    Part.WORDS: timedelta(days=1),
    Part.CONSENTS: timedelta(minutes=15),
    Part.RECOVERY: timedelta(minutes=5),
    Part.COUNTS: timedelta(hours=1),
}
LOOKED_JUST_NOW = timedelta(seconds=15)
PATIENCE = 2.0  # seconds a slice waits for Microsoft where it is told to wait; what takes longer is left for later


def sync_tenant(
    tenant: Tenant, kinds: Iterable[str] | None = None, *, actor: Actor | None = None, full: bool = False
) -> SyncReport:
    """Bring these kinds (all of them by default) up to date now, and record what came of it.

    A kind that fails does not stop the next: the reasons are in the report, on the `Collection` rows and in the audit
    record. Raises no `GraphError`.

    Args:
        full: read the lists from their beginning, also where it could be asked what changed.
    """
    wanted = [str(kind) for kind in ORDER if kinds is None or kind in set(kinds)]
    with in_tenant(tenant.pk), garbage.of_this_work_only(), locks.first_free([_lock(tenant)]) as free, Lane() as lane:
        if not free:
            return SyncReport(tenant.pk, busy=True)
        turn = _Turn(tenant, GraphClient(str(tenant.pk), priority="low"), Deadline(), lane)
        turn.permissions()
        if full:
            turn.forget(wanted)
        turn.walk_together(wanted)
        for kind in wanted:
            turn.kind(kind)
        turn.finish(wanted)
        turn.record(actor or Actor.system())
    return turn.report


def work(tenant: Tenant, seconds: float) -> bool:
    """Do what is due for this tenant, for about so long. Raises no `GraphError`.

    Returns:
        whether more is due by now; False where another process is at it.
    """
    with in_tenant(tenant.pk), garbage.of_this_work_only(), locks.first_free([_lock(tenant)]) as free, Lane() as lane:
        if not free:
            return False
        client = GraphClient(str(tenant.pk), priority="low", patience=PATIENCE)
        turn = _Turn(tenant, client, Deadline(seconds), lane)
        try:
            return turn.do_what_is_due()
        except _Enough:
            return False
        finally:
            turn.rounds.end()
            turn.record_news()


def refresh_roles(tenant: Tenant, *, older_than: timedelta, insist: bool = True) -> str:
    """Read who holds which directory role, unless that was done lately.

    Args:
        insist: a click waits for it. Else it is a worker's, and not tried again soon after it failed.

    Returns:
        why it could not be read, in words; empty where what the copy holds is as young as that.
    """
    with in_tenant(tenant.pk):
        known = Collection.objects.filter(tenant=tenant, kind=Kind.ROLES)
        if known.filter(complete_at__gt=timezone.now() - older_than).exists():
            return ""
        client = GraphClient(str(tenant.pk), priority="high" if insist else "normal")
        turn = _Turn(tenant, client, Deadline(), Lane())
        if not insist and going.waits(going.of(tenant, Kind.ROLES)):
            return ""
        turn.kind(Kind.ROLES)
        return turn.report.kinds[0].error


def _lock(tenant: Tenant) -> str:
    return f"directory.sync:{tenant.pk}"


class _Enough(Exception):
    """Microsoft cannot be asked for this tenant just now: whatever else is due would meet the same."""


class _Turn:
    def __init__(self, tenant: Tenant, client: GraphClient, until: Deadline, lane: Lane):
        self.tenant, self.client, self.until, self.lane = tenant, client, until, lane
        self.report = SyncReport(tenant.pk)
        self.walk = walking.Walk(tenant, client, until, lane)
        self.rounds = following.Rounds(client)
        self.news: list[KindReport] = []  # of parts that were read in full, or fail since now
        self.in_slices = False
        self.enough = False  # Microsoft cannot be asked just now: what came of lists that are read is still taken in

    # --- All at once --------------------------------------------------------------------------------

    def forget(self, kinds: list[str]) -> None:
        """Where these lists were left off, and where their changes go on."""
        Progress.objects.filter(tenant=self.tenant, part__in=kinds).update(next_link="", started_at=None, delta_link="")

    def kind(self, kind: str) -> None:
        """Bring one kind up to date, whatever it takes."""
        found = self._try(kind, lambda one: self._read(kind, one))
        if kind == Kind.SERVICE_PRINCIPALS and self._apps_are_read():
            agents.read(self.tenant, self.client)
            self._try(Part.USE, lambda one: small.use_of_apps(self.tenant, self.client, one))
        self.report.kinds.append(found or KindReport(kind))

    def finish(self, kinds: list[str]) -> None:
        """What follows from what was read."""
        if kinds == [str(kind) for kind in ORDER]:
            self._try(Part.WORDS, lambda one: small.words(self.tenant, self.client, one))
            self._try(Part.COUNTS, lambda one: checking.agree(self.tenant, self.client, one))
            consents.read(self.tenant, self.client)
        self._try(Part.DERIVED, lambda one: checking.contradicted(self.tenant, self.client))
        with rows.writing(self.tenant):
            recent.forget_old(self.tenant)
            derive(self.tenant)
        going.done(going.of(self.tenant, Part.DERIVED))
        statistics.count_anew()
        if Kind.PEOPLE in kinds:
            self._try(Part.ACTIVITY, lambda one: activity.read_if_due(self.tenant, self.client, one))

    # --- In slices ----------------------------------------------------------------------------------

    def do_what_is_due(self) -> bool:
        self.in_slices = True
        acted = more = False  # something is done in every turn, however short it is
        for part, action in self._parts():
            if acted and (self.until.passed or self.enough) and part not in self.walk:
                more = True
                continue
            if part == ORDER[0]:
                self.walk_together(FOLLOWED)
                self._ask_together(FOLLOWED)
            one = going.of(self.tenant, part)
            if part not in self.walk and (going.waits(one) or not self._is_due(one)):
                continue
            acted = True
            if self._try(part, action) is None and part in LONG:  # the time was up before its end
                more = True
                if not self.walk:
                    return True
        if self.enough:
            raise _Enough
        return more

    def _ask_together(self, kinds: Iterable[str]) -> None:
        """Ask what changed in those of these lists that are due, before the first of the answers is stored."""
        for one in [going.of(self.tenant, kind) for kind in kinds if kind not in self.walk]:
            if walking.can_follow(one) and self._is_due(one) and not going.waits(one):
                self.rounds.ask(one)

    def _parts(self) -> list[tuple[str, Callable[[Progress], KindReport | None]]]:
        tenant, client = self.tenant, self.client
        kinds = [(str(kind), lambda one, kind=kind: self._read(str(kind), one)) for kind in ORDER]
        return [
            (Part.PERMISSIONS, lambda one: self._renew(one)),
            *((kind, action) for kind, action in kinds if kind in (Part.APPS, Part.PEOPLE)),
            *((kind, action) for kind, action in kinds if kind not in FOLLOWED),
            (Part.AGENTS, lambda one: self._agents(one)),
            # Here they are waited for, where they are read in full: nothing before this follows from them.
            (str(Part.GRANTS), lambda one: self._read(Part.GRANTS, one)),
            (Part.DERIVED, self._derive),  # once, when all it is derived from is read
            (Part.CONSENTS, lambda one: self._consents(one)),
            (Part.RECOVERY, lambda one: checking.recovered(tenant, client, one)),
            (Part.USE, lambda one: small.use_of_apps(tenant, client, one)),
            (Part.WORDS, lambda one: small.words(tenant, client, one)),
            (Part.ACTIVITY, lambda one: activity.read_on(tenant, client, one)),
            (Part.OWN_LISTS, lambda one: own_lists.read_all(tenant, client, one, self.until)),
            (Part.COUNTS, lambda one: checking.agree(tenant, client, one)),
        ]

    def _is_due(self, one: Progress) -> bool:
        """Lists that are followed are due at every turn but the next slices of a long one: a look costs a request."""
        part, now = one.part, timezone.now()
        if one.due:
            return True
        if part in FOLLOWED:
            looked = walking.can_follow(one) and one.delta_at and one.delta_at > now - LOOKED_JUST_NOW
            return not looked
        if part == Part.OWN_LISTS:
            return False
        if part == Part.DERIVED:
            begun = bool(one.next_link) or one.done_at is None
            return begun or due_for_rating(self.tenant) or bool(recent.contradicted(self.tenant))
        if part not in (Part.PERMISSIONS, Part.RECOVERY) and not self._apps_are_read():
            return False
        if part == Part.ASSIGNMENTS:
            return bool(one.next_link) or one.done_at is None or one.done_at < now - assignments.interval(self.tenant)
        return one.done_at is None or one.done_at < now - EVERY[part]

    def _apps_are_read(self) -> bool:
        return going.of(self.tenant, Part.APPS).done_at is not None

    def _renew(self, one: Progress) -> None:
        permissions.renew(self.tenant, self.client)
        going.done(one)

    def _agents(self, one: Progress) -> None:
        agents.read(self.tenant, self.client)
        if not self._is_due(going.of(self.tenant, Part.DERIVED)):  # else they are rated with all others
            of_agents = ServicePrincipal.objects.filter(tenant=self.tenant, kind=ServicePrincipal.Kind.AGENT)
            with rows.writing(self.tenant):  # what they inherit is rated with what they hold
                derive(self.tenant, set(of_agents.values_list("pk", flat=True)))
        going.done(one)

    def _consents(self, one: Progress) -> None:
        consents.read(self.tenant, self.client)
        going.done(one)

    def _derive(self, one: Progress) -> KindReport | None:
        """Go on rating all apps, some thousands at a time; None where the time is up before the last."""
        checking.contradicted(self.tenant, self.client)
        if not (one.next_link or one.done_at is None or one.due or due_for_rating(self.tenant)):
            return KindReport(Part.DERIVED)
        if any(going.of(self.tenant, part).done_at is None for part in FOLLOWED):
            return KindReport(Part.DERIVED)  # rated once, when there is something to rate
        whole, place = Whole.of(self.tenant), UUID(one.next_link) if one.next_link else None
        while (place := derive_next(self.tenant, place, whole, self.lane)) is not None:
            one.next_link = str(place)
            one.save(update_fields=["next_link"])
            if self.until.passed:
                return None
        with rows.writing(self.tenant):
            finish_rating(self.tenant)
            going.done(one)
        statistics.count_anew()
        return KindReport(Part.DERIVED)

    # --- One part -----------------------------------------------------------------------------------

    def permissions(self) -> None:
        """What an administrator granted or took back meanwhile switches features on or off."""
        self._try(Part.PERMISSIONS, self._renew)

    def _read(self, kind: str, one: Progress) -> KindReport | None:
        if kind == Part.DELETED_APPS:
            return small.deleted_apps(self.tenant, self.client, one)
        if kind == Part.ROLES:
            return small.directory_roles(self.tenant, self.client, one)
        if kind == Part.ASSIGNMENTS:
            return self._assignments(one)
        if kind not in self.walk and walking.can_follow(one):
            try:
                return self._counted(following.follow(self.tenant, self.rounds, self.client, one))
            except Expired:
                logger.info("The changes of %s of %s are not kept any more; all is read.", kind, self.tenant.pk)
        elif one.delta_link and one.done_at and not one.next_link:
            logger.info("All %s of %s are read: %s.", kind, self.tenant.pk, one.due or "they were not for a while")
        if self.in_slices and not one.delta_link and walking.is_fresh(one):
            return KindReport(kind)
        if kind not in self.walk:
            self.walk.begin([one])
        found = self.walk.take(kind)
        if found is None:
            return None
        one.refresh_from_db()
        if not walking.under_way(self.tenant):  # what another list is about to name is not asked for one by one
            fetch_all_unknown(self.tenant, self.client)
        if one.delta_link:  # what changed while the list was read
            following.follow(self.tenant, self.rounds, self.client, one)
        if self.in_slices:
            self.news.append(found)
            going.ask_for(self.tenant, [Part.DERIVED], "read")
        return found

    def walk_together(self, kinds: Iterable[str]) -> None:
        """Read those of these lists that are to be read in full side by side."""
        parts = [going.of(self.tenant, kind) for kind in kinds if kind in FOLLOWED]
        may = [one for one in parts if not self.in_slices or walking.may_begin(one)]
        full = [one for one in may if not walking.can_follow(one)]
        if full:
            self.walk.begin(full)

    def _counted(self, found: KindReport) -> KindReport:
        """For people and the record: how many there are, not only how many changed."""
        row = Collection.objects.get(tenant=self.tenant, kind=found.kind)
        count = row.row_count + row.unreadable
        return KindReport(found.kind, count, row.graph_count, found.removed, found.error, found.unreadable)

    def _assignments(self, one: Progress) -> KindReport | None:
        known = Collection.objects.filter(tenant=self.tenant, kind=Kind.SERVICE_PRINCIPALS).first()
        if known is None or known.complete_at is None or (known.error and not going.of(self.tenant, Part.APPS).doubt):
            raise Incomplete(_("Apps could not be listed in full, and assignments are read app by app."))
        first = one.done_at is None
        found = assignments.read(self.tenant, self.client, one, self.until)
        if found is not None and first and self.in_slices:
            going.ask_for(self.tenant, [Part.DERIVED], "read")
        return found

    def _try(self, part: str, action: Callable[[Progress], KindReport | None]) -> KindReport | None:
        """Carry out; what goes wrong is noted on the part.

        Raises:
            _Enough: in a slice, where Microsoft asks to wait or cannot be reached.
        """
        one = going.of(self.tenant, part)
        try:
            return action(one)
        except (GraphError, Incomplete) as error:
            problem = explain(error) if isinstance(error, GraphError) else str(error)
            known = isinstance(error, Forbidden | TokenError)
            logger.log(
                logging.INFO if known else logging.WARNING, "Reading %s of %s: %s", part, self.tenant.pk, problem
            )
            going.failed(one, error)
            failed = KindReport(part, one.seen, one.count, error=problem)
            if part in Kind.values:
                going.say(self.tenant, part, error=problem, started_at=one.started_at or timezone.now())
                if one.failures == 1:
                    self.news.append(failed)
            if self.in_slices and isinstance(error, Retryable | TokenError):
                if not self.walk:
                    raise _Enough from error
                self.enough |= part not in FOLLOWED
            return failed

    # --- The record ---------------------------------------------------------------------------------

    def record(self, actor: Actor) -> None:
        event = AuditEvent.DIRECTORY_SYNCED if self.report.complete else AuditEvent.DIRECTORY_SYNC_FAILED
        audit.record_on_tenant(
            event,
            self.tenant.pk,
            self.tenant.name,
            actor=actor,
            outcome="complete" if self.report.complete else "incomplete",
            after=self.report.facts(),
        )

    def record_news(self) -> None:
        """A look for changes is no event; a list read in full is one, and one that fails since now."""
        if self.news:
            self.report = SyncReport(self.tenant.pk, self.news)
            self.record(Actor.system())
