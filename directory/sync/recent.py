"""What we changed and proved a moment ago outlives a read that lags behind it.

Graph answers an app from any of several replicas; one that has not heard of our change yet would bring the old state
back. For a while our own proof counts for more than a list. The index behind tenant-wide lists lags most, usually by
seconds and at times by minutes, without a bound that Microsoft states; the whole directory is read every 15 minutes.
So against those lists it spans one such reading and one begun before our change: a grant we deleted does not return
for a quarter of an hour. Its price is that a change somebody else makes to the same object within it stays unseen. A
person's or an app's own list lags by seconds: against it the while is short, so that a grant given anew shows.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Tenant
from directory.models import AppRoleAssignment, PermissionGrant, RecentChange, ServicePrincipal
from directory.upkeep_models import LISTS_LAG

PROTECTED_FOR = LISTS_LAG
FROM_ITS_OWN_LIST = timedelta(minutes=3)
UNDO_WITHIN = timedelta(days=1)  # longer than anything of ours can be undone
IN_THE_BIN = timedelta(days=31)  # Microsoft empties the recycle bin after 30
Changed = RecentChange.Kind
MOST_AT_ONCE = 200


def remember(tenant: Tenant, kind: Changed, target_ids: Iterable, state: dict | None = None) -> None:
    """Protect these objects' present state; without `state`, that they are gone."""
    until = timezone.now() + PROTECTED_FOR
    changes = {
        str(target_id): RecentChange(
            tenant=tenant, kind=kind, target_id=str(target_id), state=state or {}, expires_at=until
        )
        for target_id in target_ids
    }
    _save(changes[key] for key in sorted(changes))


def _save(changes: Iterable[RecentChange]) -> None:
    RecentChange.objects.bulk_create(
        list(changes),
        update_conflicts=True,
        unique_fields=["tenant", "kind", "target_id"],
        update_fields=["state", "expires_at", "contradicted"],
    )


def remember_first_seen(tenant: Tenant, grants: QuerySet[PermissionGrant], *, with_app: bool = False) -> None:
    """Keep since when these grants were seen, before their rows go. Put back, they are no new grants.

    Args:
        with_app: they go to the recycle bin with their app, and come back with it, by whoever restores it. Others
            are only put back by us: given again by anybody else, they are new.
    """
    until = timezone.now() + (IN_THE_BIN if with_app else UNDO_WITHIN)
    _save(
        RecentChange(
            tenant=tenant,
            kind=Changed.EARLIER_GRANT,
            target_id=graph_id,
            state={"first_seen_at": seen.isoformat(), "with_app": with_app},
            expires_at=until,
        )
        for graph_id, seen in grants.order_by("graph_id").values_list("graph_id", "first_seen_at")
    )


def first_seen(tenant: Tenant, graph_id: str) -> datetime | None:
    """Since when a grant was seen that we took out and put back; None where nothing is remembered of it."""
    state = states(tenant, Changed.EARLIER_GRANT).get(graph_id)
    return datetime.fromisoformat(state["first_seen_at"]) if state else None


def states(tenant: Tenant, kind: Changed, *, closely: bool = False) -> dict[str, dict]:
    """The protected states of a kind, by target id. Few: what was changed within the last minutes.

    Args:
        closely: against a list that lags by seconds: only what was changed a moment ago.
    """
    since = timezone.now() + (PROTECTED_FOR - FROM_ITS_OWN_LIST if closely else timedelta())
    changes = RecentChange.objects.filter(tenant=tenant, kind=kind, expires_at__gt=since)
    return dict(changes.values_list("target_id", "state"))


def is_quiet(tenant: Tenant, *kinds: Changed) -> bool:
    """Whether nothing of these kinds is known better than a list may say."""
    return not RecentChange.objects.filter(tenant=tenant, kind__in=kinds, expires_at__gt=timezone.now()).exists()


def still_there(tenant: Tenant, kind: Changed) -> list[str]:
    """What a list did not name and is kept all the same, since we changed it a moment ago. Each is noted as said
    otherwise by Microsoft."""
    known = [target for target, state in states(tenant, kind).items() if state != {} or kind == Changed.APP]
    _contradict(tenant, kind, known)
    return known


def _contradict(tenant: Tenant, kind: Changed, target_ids: list[str]) -> None:
    """Changes are told once. What Microsoft says against us is asked for when ours does not count any more."""
    if target_ids:
        RecentChange.objects.filter(tenant=tenant, kind=kind, target_id__in=target_ids).update(contradicted=True)


def is_gone(tenant: Tenant, kind: Changed, target_ids: Iterable[str]) -> set[str]:
    """Those of some objects that Microsoft says are gone, and are not known to be there by our own doing."""
    known = states(tenant, kind)
    told = {str(one) for one in target_ids}
    ours = [one for one in told if known.get(one)]
    if kind == Changed.APP:
        ours = [one for one in ours if "deleted_at" in known[one] and known[one]["deleted_at"] is None]
    _contradict(tenant, kind, ours)
    return told - set(ours)


def contradicted(tenant: Tenant) -> dict[str, list[str]]:
    """What Microsoft said otherwise about, and our word counts for no more: target ids by kind."""
    old = RecentChange.objects.filter(tenant=tenant, expires_at__lte=timezone.now(), contradicted=True)
    found: dict[str, list[str]] = {}
    for kind, target in old.values_list("kind", "target_id")[:MOST_AT_ONCE]:
        found.setdefault(kind, []).append(target)
    return found


def forget_old(tenant: Tenant, asked: dict[str, list[str]] | None = None) -> None:
    """Let go of what means nothing any more; what Microsoft contradicted, once it was `asked` about."""
    old = RecentChange.objects.filter(tenant=tenant, expires_at__lte=timezone.now())
    old.filter(contradicted=False).delete()
    for kind, targets in (asked or {}).items():
        old.filter(kind=kind, target_id__in=targets).delete()


def remember_people(tenant: Tenant, people_ids: Iterable) -> None:
    """These people are in the recycle bin, and what they granted with them."""
    until = timezone.now() + IN_THE_BIN
    _save(
        RecentChange(tenant=tenant, kind=Changed.EARLIER_PERSON, target_id=one, expires_at=until)
        for one in sorted(map(str, people_ids))
    )


def returned_people(tenant: Tenant, people_ids: Iterable) -> set[str]:
    """Those of some people new to the copy who were in the bin."""
    return {str(one) for one in people_ids} & set(states(tenant, Changed.EARLIER_PERSON))


def corrected_grants(
    tenant: Tenant, grants: Iterable[PermissionGrant], *, closely: bool = False
) -> list[PermissionGrant]:
    """The grants a list gave, without those we deleted, and with the permissions we left others.

    Args:
        closely: people's grants come from their own, or the app's own, list. Those for everyone never do.
    """
    known, kept, against = states(tenant, Changed.GRANT), [], []
    fresh = states(tenant, Changed.GRANT, closely=True) if closely else known
    earlier = {key: state for key, state in states(tenant, Changed.EARLIER_GRANT).items() if state["with_app"]}
    for grant in grants:
        if state := earlier.get(grant.graph_id):
            grant.first_seen_at = datetime.fromisoformat(state["first_seen_at"])
        state = (fresh if grant.principal_id else known).get(grant.graph_id)
        if state == {}:
            against.append(grant.graph_id)
            continue
        if state and grant.scopes != state["scopes"]:
            against.append(grant.graph_id)
            grant.scopes = state["scopes"]
        kept.append(grant)
    _contradict(tenant, Changed.GRANT, against)
    return kept


def corrected_assignments(tenant: Tenant, rows: Iterable[AppRoleAssignment]) -> list[AppRoleAssignment]:
    known = states(tenant, Changed.ASSIGNMENT)
    return [row for row in rows if known.get(row.graph_id) != {}]


def corrected_apps(tenant: Tenant, apps: Iterable[ServicePrincipal]) -> list[ServicePrincipal]:
    """The apps a list gave, without those we purged, enabled and deleted as we left them."""
    known, kept, against = states(tenant, Changed.APP), [], []
    for app in apps:
        state = known.get(str(app.id))
        if state is not None:
            against.append(str(app.id))
        if state == {}:
            continue
        if state:
            if "account_enabled" in state:
                app.account_enabled = state["account_enabled"]
            if "deleted_at" in state:
                deleted_at = state["deleted_at"]
                app.deleted_at = datetime.fromisoformat(deleted_at) if deleted_at else None
        kept.append(app)
    _contradict(tenant, Changed.APP, against)
    return kept
