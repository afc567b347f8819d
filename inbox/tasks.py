"""Once a minute, for each tenant: count what waits, keep the day's figures, write to whoever wants it."""

import logging

from celery import shared_task

from accounts.models import Tenant
from accounts.tenancy import no_context
from inbox import counting, letters

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True, name="inbox.tasks.go_round", expires=60)
def go_round() -> None:
    """A round over all tenants. What one lost is found by the next: everything is derived from the rows."""
    with no_context():
        for tenant in Tenant.objects.filter(state=Tenant.State.ACTIVE).order_by("pk"):
            try:
                counting.count(tenant)
                counting.keep_figures(tenant)
                letters.send_due(tenant)
            except Exception as error:  # one tenant's trouble is not the others'
                logger.error("The inbox of tenant %s could not be looked after: %s", tenant.pk, type(error).__name__)
