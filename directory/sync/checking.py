"""Whether the copy is the directory: its numbers against Microsoft's, and some apps' own lists against that of all.

Microsoft's list of all grants has been seen to leave rows out for good, and a recovery job of Entra Backup and Recovery
changes the directory without a word in any delta. What does not agree twice in a row is read again in full, and where
the list of all grants lacks some, every app is asked for its own; what does not agree after that either is shown as not
complete.

https://learn.microsoft.com/entra/backup/overview
"""

import logging
from datetime import UTC, datetime, timedelta
from random import SystemRandom

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from accounts import permissions
from accounts.models import Tenant
from directory.features import LAST_USED
from directory.models import Collection, PermissionGrant, Progress, ServicePrincipal
from directory.sync import own_lists, progress as going, recent, rows, withdrawn
from directory.sync.derive import derive
from directory.sync.lists import present
from directory.sync.progress import Part
from graph.client import GraphClient
from graph.errors import Forbidden

logger = logging.getLogger(__name__)
PATHS = {Part.APPS: "/servicePrincipals", Part.PEOPLE: "/users", Part.GRANTS: "/oauth2PermissionGrants"}
EVERYTHING = [*PATHS, Part.ASSIGNMENTS]
SAMPLE = 10  # apps whose own lists are read with each check: one batch
LONG = 2000  # grants of an app that is left out of the sample
AGAIN_SOON = timedelta(minutes=2)
READ_LATELY = timedelta(hours=3)  # a list read since then is not read again over a number
_chance = SystemRandom()


def agree(tenant: Tenant, client: GraphClient, progress: Progress) -> None:
    """Compare numbers and a sample. Call after the changes were followed. Raises `GraphError`."""
    if missing := _sample(tenant, client):
        own_lists.ask_for_all(tenant)
    unsure = False
    for part, path in PATHS.items():
        one = going.of(tenant, part)
        if one.done_at is None:
            continue
        told, have = client.count(path), present(tenant, part).count() + one.unreadable
        # What apps' own lists name is there, even where Microsoft's number leaves it out.
        more = own_lists.only_there(tenant) if part == Part.GRANTS else 0
        doubt = "" if told is None or told <= have <= told + more else _differ(told, have)
        if part == Part.GRANTS and missing:
            doubt = _sample_says(missing)
        unsure |= _settle(tenant, one, told, doubt)
    going.done(progress)
    if unsure:  # it may be lag: asked again before anything is made of it
        progress.not_before = timezone.now() + AGAIN_SOON
        progress.done_at = None
        progress.save(update_fields=["not_before", "done_at"])


def _settle(tenant: Tenant, one: Progress, told: int | None, doubt: str) -> bool:
    """Note whether a list agrees. Returns whether it does not for the first time."""
    collection = Collection.objects.filter(tenant=tenant, kind=one.part)
    if told is not None:
        collection.update(graph_count=told)
    first = bool(doubt) and not one.doubt
    if doubt and not first and one.done_at < timezone.now() - READ_LATELY:
        logger.warning("%s of %s are read again: %s", one.part, tenant.pk, doubt)
        one.due = "differs"
    if one.doubt or not doubt or first:
        collection.update(error=doubt)
    one.doubt = doubt
    one.save(update_fields=["doubt", "due"])
    return first


def _differ(told: int, have: int) -> str:
    return _("Microsoft counts %(told)d and the copy holds %(have)d.") % {"told": told, "have": have}


def _sample_says(missing: int) -> str:
    text = ngettext(
        "Microsoft's list of all grants lacks %(number)d that an app's own list has, in a sample of few apps.",
        "Microsoft's list of all grants lacks %(number)d that apps' own lists have, in a sample of few apps.",
        missing,
    )
    return text % {"number": missing}


def _sample(tenant: Tenant, client: GraphClient) -> int:
    """Read the grants of some apps from their own lists. Returns how many the copy lacked."""
    apps = ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=True, user_consent_count__lt=LONG)
    used = list(apps.filter(user_consent_count__gt=0).values_list("pk", flat=True))
    ids = _chance.sample(used, min(SAMPLE, len(used)))
    return own_lists.read(tenant, client, ids) if ids else 0


def recovered(tenant: Tenant, client: GraphClient, progress: Progress) -> None:
    """Whether a recovery job ended since the last look; then everything is read again.

    Microsoft's audit log names them by their category. Without the permission to read it, numbers and sample tell.
    Raises `GraphError`.
    """
    if permissions.standing(tenant, LAST_USED.any_of) == permissions.Standing.GRANTED:
        # An entry may come minutes after what it tells of.
        since = (progress.done_at or datetime.now(UTC)) - timedelta(minutes=15)
        try:
            ended = [
                one for one in client.recoveries(since) if progress.named_since is None or one > progress.named_since
            ]
        except Forbidden as error:
            logger.info("Recovery jobs of %s cannot be read: %s", tenant.pk, error.code or error.status)
            ended = []
        if ended:
            logger.warning("A recovery job changed %s: everything is read again.", tenant.pk)
            going.ask_for(tenant, EVERYTHING, "recovery")
            progress.named_since = max(ended)
    going.done(progress)


def contradicted(tenant: Tenant, client: GraphClient) -> None:
    """Ask for what Microsoft said otherwise while our own change counted for more: it says each change once.

    Raises `GraphError`.
    """
    asked = recent.contradicted(tenant)
    touched: set = set()
    if ids := asked.get(recent.Changed.GRANT):
        found, at = client.grants_by_ids(ids), timezone.now()
        grants = PermissionGrant.objects.filter(tenant=tenant, graph_id__in=ids)
        with rows.writing(tenant):
            touched |= set(grants.values_list("client_id", flat=True)) | {one.client_id for one in found}
            rows.save_grants(rows.grant(tenant, one, at) for one in found)
            there = [one.id for one in (*found, *found.unreadable)]
            withdrawn.take_out(tenant, grants.exclude(graph_id__in=there))
    if ids := asked.get(recent.Changed.APP):
        found, at = client.service_principals_by_ids(ids), timezone.now()
        with rows.writing(tenant):
            rows.save_apps(rows.app(tenant, one, at) for one in found)
            there = {str(one.id) for one in found}
            gone = ServicePrincipal.objects.filter(tenant=tenant, pk__in=[one for one in ids if one not in there])
            if gone.filter(deleted_at__isnull=True).update(deleted_at=F("synced_at")):
                going.ask_for(tenant, [Part.DELETED_APPS], "contradicted")
        touched |= {one.id for one in found}
    with rows.writing(tenant):
        recent.forget_old(tenant, asked)
        derive(tenant, touched)
