"""The door for reads: what waits for whom, and who reported what. What waits is derived from the truth each time."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, DateTimeField, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Membership, Tenant
from accounts.roles import Capability
from directory.app_filters import alive, can_act
from directory.models import Collection, PermissionGrant, Risk, ServicePrincipal
from inbox.models import DayFigures, Dealt, MailChoice, Report, Standing
from revocation import selectors as revocations
from revocation.models import RevocationRequest
from revocation.rules import two_persons

Kind = Dealt.Kind
State = RevocationRequest.State

SHOWN = 20  # of each kind, on the page
MOST_APPROVALS = 100
FIRST_LOOK = timedelta(days=30)  # how far back the inbox of a tenant begins
STILL_NEWS = timedelta(days=14)  # for so long the author is shown what came of a report

# Who is shown a kind, and who may say that it is dealt with: one of these is enough.
MAY_SEE = {
    Kind.REPORTED: {Capability.VIEW_APPS},
    Kind.FAILED: {Capability.VIEW_REVOCATIONS},
    Kind.RISKY: {Capability.VIEW_APPS},
}
MAY_ACT = {
    Kind.REPORTED: {Capability.CHANGE_APPS},
    Kind.FAILED: {Capability.CHANGE_APPS, Capability.SIGN_OUT_PEOPLE},
    Kind.RISKY: {Capability.CHANGE_APPS},
}

FEW = 500  # of what is told one by one


def may_see(membership: Membership, kind: str) -> bool:
    return bool(MAY_SEE[Kind(kind)] & membership.capabilities)


def may_act(membership: Membership, kind: str) -> bool:
    return bool(MAY_ACT[Kind(kind)] & membership.capabilities)


def has_inbox(membership: Membership) -> bool:
    """Whether anything may ever wait for this person."""
    return membership.can(Capability.APPROVE) or any(may_act(membership, kind) for kind in Kind.values)


# --- The badge ----------------------------------------------------------------------------------------


def waiting_count(membership: Membership) -> int:
    """How many things wait for this person in this tenant: one indexed query, whatever the tenant's size.

    Approvals and reports are counted as they are; failed steps and risky apps as counted last, a minute ago at most.
    Where an approval waits, which of them are this person's to give costs three queries more.
    """
    if not has_inbox(membership):
        return 0
    tenant_id = membership.tenant_id
    awaiting = RevocationRequest.objects.filter(tenant_id=tenant_id, state=State.AWAITING_APPROVAL)
    reported = Report.objects.filter(Report.OPEN, tenant_id=tenant_id)
    standing = Standing.objects.filter(tenant_id=tenant_id)
    counts = (
        Tenant.objects.filter(pk=tenant_id)
        .values_list(
            _how_many(awaiting.exclude(actor_id=Actor.of(membership).id), "pk"),
            _how_many(reported, "app_id"),
            Coalesce(Subquery(standing.values("failed")), 0),
            Coalesce(Subquery(standing.values("risky")), 0),
        )
        .first()
    )
    if counts is None:
        return 0
    approve, *others = counts
    mine = sum(
        count
        for kind, count in zip((Kind.REPORTED, Kind.FAILED, Kind.RISKY), others, strict=True)
        if may_act(membership, kind)
    )
    if approve and membership.can(Capability.APPROVE):
        mine += len(approvals(membership))
    return mine


def _how_many(rows: QuerySet, what: str) -> Coalesce:
    count = rows.order_by().values("tenant_id").annotate(count=Count(what, distinct=True)).values("count")
    return Coalesce(Subquery(count, output_field=IntegerField()), 0)


# --- What waits ---------------------------------------------------------------------------------------


def approvals(membership: Membership) -> list[RevocationRequest]:
    """Requests that wait for somebody's word and may have this person's: not their own; the next to expire first."""
    if not membership.can(Capability.APPROVE):
        return []
    in_time = Q(approval_expires_at=None) | Q(approval_expires_at__gt=timezone.now())
    waiting = revocations.requests(membership.tenant, state=State.AWAITING_APPROVAL).filter(in_time)
    waiting = waiting.exclude(actor_id=Actor.of(membership).id).order_by("approval_expires_at", "pk")
    found = list(waiting[:MOST_APPROVALS])
    kept_from = two_persons.askers_apart_from(membership) if found else None
    return [one for one in found if kept_from is not None and one.actor_id not in kept_from]


def failed(tenant: Tenant) -> list[RevocationRequest]:
    """Requests with steps that failed or were not confirmed, and nobody dealt with; each has `attention`."""
    dealt = Dealt.objects.filter(tenant=tenant, kind=Kind.FAILED)
    return revocations.unresolved(tenant, since=begins(tenant), apart_from=dealt.values("subject_id"))


def risky(tenant: Tenant) -> QuerySet[ServicePrincipal]:
    """Apps of high risk that came since the tenant's inbox began, can act, and nobody looked at; newest first.

    What the first reading of the directory found is no news; while it is not complete, nothing is.
    """
    looked_at = Dealt.objects.filter(tenant=tenant, kind=Kind.RISKY, subject_id=OuterRef("pk"))
    apps = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.SERVICE_PRINCIPALS)
    since_read = Q(first_seen_at__gt=Subquery(apps.values("first_complete_at")))
    found = alive(tenant).filter(since_read, can_act(), risk=Risk.HIGH, rank__gt=0, first_seen_at__gt=begins(tenant))
    return found.exclude(Exists(looked_at)).order_by("-first_seen_at", "pk")


def how_many(found: QuerySet) -> int:
    """The number of what is ordered by an index and mostly few: up to some hundred are told one by one.

    Counted as a whole, PostgreSQL expects a third of a tenant's apps, and reads all of them to find none.
    """
    first = len(found.values_list("pk", flat=True)[:FEW])
    return first if first < FEW else found.count()


def begins(tenant: Tenant) -> Coalesce:
    """From when on things wait for somebody, within a query: an inbox does not begin full of what is long past."""
    since = Standing.objects.filter(tenant=tenant).values("since")
    return Coalesce(Subquery(since), Value(timezone.now() - FIRST_LOOK, output_field=DateTimeField()))


def subject(tenant: Tenant, kind: str, subject_id: UUID) -> ServicePrincipal | RevocationRequest | None:
    """What a kind and an id name in this tenant."""
    model = RevocationRequest if kind == Kind.FAILED else ServicePrincipal
    return model.objects.filter(tenant=tenant, pk=subject_id).first()


@dataclass(frozen=True)
class Reported:
    """An app, and everybody who does not recognise it.

    Attributes:
        app: None where the copy does not hold it any more.
        others: how many people besides them let it act for them.
    """

    app_id: UUID
    label: str
    app: ServicePrincipal | None
    reports: list[Report]
    others: int


def reported(tenant: Tenant, limit: int = SHOWN) -> list[Reported]:
    """The apps that people reported and nobody dealt with, the one reported last first. Three queries."""
    by_app: dict[UUID, list[Report]] = defaultdict(list)
    for report in Report.objects.filter(Report.OPEN, tenant=tenant).order_by("-created_at")[:1000]:
        by_app[report.app_id].append(report)
    ids = list(by_app)[:limit]
    apps = ServicePrincipal.objects.filter(tenant=tenant).in_bulk(ids)
    authors = {report.actor_id for app_id in ids for report in by_app[app_id]}
    theirs = PermissionGrant.objects.filter(
        tenant=tenant, client_id__in=ids, consent_type=PermissionGrant.ConsentType.ONE, principal_id__in=_ids(authors)
    )
    still = set(theirs.values_list("client_id", "principal_id").distinct())
    return [
        Reported(
            app_id=app_id,
            label=app.display_name if (app := apps.get(app_id)) else reports[0].app_label,
            app=app,
            reports=reports,
            others=_others(app, reports, still),
        )
        for app_id in ids
        if (reports := by_app[app_id])
    ]


def _others(app: ServicePrincipal | None, reports: list[Report], still: set) -> int:
    if app is None:
        return 0
    of_authors = sum(1 for app_id, person in still if app_id == app.pk and str(person) in {r.actor_id for r in reports})
    return max(0, app.user_consent_count - of_authors)


def _ids(texts: Iterable[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


# --- Reports --------------------------------------------------------------------------------------------


def reports_of_app(tenant: Tenant, app_id: UUID, size: int = 20) -> list[Report]:
    """Who reported an app, newest first, with what was said to it (`dealt`). Withdrawn ones are left out."""
    found = Report.objects.filter(tenant=tenant, app_id=app_id, withdrawn_at=None).select_related("dealt")
    return list(found.order_by("-created_at")[:size])


@dataclass(frozen=True)
class OwnReports:
    """What one person reported.

    Attributes:
        open: nobody has dealt with it yet; by the app's object id.
        answers: what came of the others in the last days, newest first, each with its `dealt`.
    """

    open: dict[UUID, Report]
    answers: list[Report]


def own_reports(membership: Membership) -> OwnReports:
    """One query: My apps shows both."""
    news = Q(withdrawn_at=None, dealt__at__gt=timezone.now() - STILL_NEWS)
    found = Report.objects.filter(Report.OPEN | news, tenant_id=membership.tenant_id, actor_id=Actor.of(membership).id)
    rows = list(found.select_related("dealt").order_by("-created_at")[:1000])
    answered = sorted((report for report in rows if report.dealt), key=lambda report: report.dealt.at, reverse=True)
    return OwnReports({report.app_id: report for report in rows if not report.dealt}, answered[:5])


def own_report(membership: Membership, report_id: UUID) -> Report | None:
    found = Report.objects.filter(tenant_id=membership.tenant_id, actor_id=Actor.of(membership).id)
    return found.filter(pk=report_id).first()


# --- What was dealt with --------------------------------------------------------------------------------


def dealt_with(tenant: Tenant, size: int = 20) -> list[Dealt]:
    """What was dealt with last."""
    return list(Dealt.objects.filter(tenant=tenant).order_by("-at")[:size])


def one_dealt(tenant: Tenant, dealt_id: UUID) -> Dealt | None:
    return Dealt.objects.filter(tenant=tenant, pk=dealt_id).first()


def kept(tenant: Tenant) -> QuerySet[Dealt]:
    """Why high-risk apps are not shown for a while: by whom, since when, until when."""
    return Dealt.objects.filter(tenant=tenant, kind=Kind.RISKY, until__gt=timezone.now()).order_by("-at")


def figures_before(tenant: Tenant, days: int = 7) -> DayFigures | None:
    """The figures of so many days ago, or of the nearest of the days before; None where none were kept."""
    day = timezone.now().date() - timedelta(days=days)
    found = DayFigures.objects.filter(tenant=tenant, day__lte=day, day__gte=day - timedelta(days=days))
    return found.order_by("-day").first()


def mail_choice(user_id: UUID) -> MailChoice:
    """When somebody wants to be told by mail: the usual where they never said."""
    return MailChoice.objects.filter(user_id=user_id).first() or MailChoice(user_id=user_id)
