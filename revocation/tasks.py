"""Messages to workers. Losing one loses nothing, delivering one twice does nothing twice: the rows are the truth."""

import logging
from uuid import UUID

from celery import shared_task

from accounts.models import Tenant
from accounts.tenancy import no_context, tenant_context
from graph.batch import LIMIT
from revocation.spine import claims, executor, runners, sweeper
from revocation.spine.flights import WIDTH

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True, name="revocation.tasks.run")
def run(tenant_id: str, place: str = "") -> None:
    """Work on a tenant for a few seconds; while more is due, ask for another turn behind the other tenants."""
    key = UUID(tenant_id)
    with no_context():
        if not Tenant.objects.filter(pk=key, state=Tenant.State.ACTIVE).exists():
            return
        held = runners.take(key, place)
        if held is None:
            return
        with tenant_context(key):
            if not place and claims.plenty(key, LIMIT * WIDTH):
                _ask_for_another(tenant_id)  # more than one worker's load: wake the next, until every place is taken
            result = executor.run(key)
        if not (result.more_due and _ask_for_another(tenant_id, held)):
            runners.give_back(held)


def _ask_for_another(tenant_id: str, place: str = "") -> bool:
    """Whether the broker took it; a broker that went away must not keep this worker from its work."""
    try:
        run.apply_async(args=[tenant_id, place], retry=False)
    except Exception as error:  # the broker's libraries raise what they like
        logger.warning("The broker could not be reached (%s); the sweeper will go on.", type(error).__name__)
        return False
    return True


@shared_task(ignore_result=True, name="revocation.tasks.sweep", expires=30)
def sweep() -> None:
    """Do what is due, whatever became of the messages about it."""
    with no_context():
        sweeper.sweep()
