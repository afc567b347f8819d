"""When people were last active. Who was not active recently is not asked about, and stays as known, or unknown.

Microsoft answers ten requests a minute here and is itself up to a day behind, so this is read rarely, and last of all.
"""

import logging
from datetime import timedelta

from django.utils import timezone

from accounts.models import Tenant
from directory.models import RECENTLY, Collection
from directory.sync import rows
from graph.client import GraphClient
from graph.errors import GraphError

logger = logging.getLogger(__name__)
EVERY = timedelta(hours=6)


def read_if_due(tenant: Tenant, client: GraphClient) -> None:
    """Note who was active in the last seven days; unknown without the permission or the licence.

    A list that breaks off keeps what had been read, and is asked for again with the next reading of the directory.
    """
    started = timezone.now()
    people = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.PEOPLE)
    if people.filter(activity_at__gt=started - EVERY).exists():
        return
    try:
        for page in client.person_activities(started - RECENTLY):
            with rows.writing(tenant):
                rows.save_people_activity(tenant, page.items)
    except GraphError as error:
        logger.info("Last activity of people of %s cannot be read: %s", tenant.pk, error.code or error.status)
        return
    people.update(activity_at=started)
