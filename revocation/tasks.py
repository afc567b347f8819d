"""Messages to workers. Losing one loses nothing, delivering one twice does nothing twice: the rows are the truth."""

import logging
from uuid import UUID

from celery import shared_task

from accounts.models import Tenant
from accounts.tenancy import no_context, tenant_context
from revocation.spine import executor, runners, sweeper

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True, name="revocation.tasks.run")
def run(tenant_id: str) -> None:
    """Work on a tenant for a few seconds; while more is due, ask for another turn behind the other tenants."""
    key = UUID(tenant_id)
    with no_context():
        if not Tenant.objects.filter(pk=key, state=Tenant.State.ACTIVE).exists():
            return
        with runners.place(key) as mine:
            if not mine:
                return
            with tenant_context(key):
                result = executor.run(key)
        if result.more_due:
            _ask_for_another_turn(tenant_id)


def _ask_for_another_turn(tenant_id: str) -> None:
    try:
        run.apply_async(args=[tenant_id], retry=False)
    except Exception as error:  # the broker's libraries raise what they like
        logger.warning("The broker could not be reached (%s); the sweeper will go on.", type(error).__name__)


@shared_task(ignore_result=True, name="revocation.tasks.sweep", expires=30)
def sweep() -> None:
    """Do what is due, whatever became of the messages about it."""
    with no_context():
        sweeper.sweep()
