"""When people were last active. Who was not active recently is not asked about, and stays as known, or unknown.

Microsoft answers ten requests a minute here and is itself up to a day behind, so this is read rarely, and last of all.
"""

import logging
from datetime import timedelta

from django.utils import timezone

from accounts.models import Tenant
from directory.models import RECENTLY, Collection, Progress
from directory.sync import progress as going, rows
from graph.client import GraphClient
from graph.errors import GraphError, Retryable

logger = logging.getLogger(__name__)
EVERY = timedelta(hours=6)


def read_if_due(tenant: Tenant, client: GraphClient, progress: Progress) -> None:
    """Note who was active in the last seven days; unknown without the permission or the licence.

    A list that breaks off keeps what had been read, and goes on there with the next reading of the directory.
    """
    people = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.PEOPLE)
    if not people.filter(activity_at__gt=timezone.now() - EVERY).exists():
        read_on(tenant, client, progress)


def read_on(tenant: Tenant, client: GraphClient, progress: Progress) -> None:
    """Begin the list, or go on with it.

    Raises:
        Retryable: Microsoft asks to wait, which it soon does here. The place is kept.
    """
    if not progress.next_link:
        going.begin(progress)
    try:
        for page in client.person_activities(progress.started_at - RECENTLY, progress.next_link):
            with rows.writing(tenant):
                rows.save_people_activity(tenant, page.items)
                progress.next_link = page.next_link
                progress.save()
    except Retryable:
        raise
    except GraphError as error:
        logger.info("Last activity of people of %s cannot be read: %s", tenant.pk, error.code or error.status)
        going.done(progress)
        return
    Collection.objects.filter(tenant=tenant, kind=Collection.Kind.PEOPLE).update(activity_at=progress.started_at)
    going.done(progress)
