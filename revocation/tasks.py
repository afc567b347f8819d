"""Messages to workers. Losing one loses nothing, delivering one twice does nothing twice: the rows are the truth."""

from uuid import UUID

from celery import shared_task

from accounts.models import Tenant
from accounts.tenancy import no_context, tenant_context
from graph.batch import LIMIT
from revocation import claims, executor, runners, sweeper
from revocation.flights import WIDTH


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
                run.delay(tenant_id)  # more than one worker's load: wake the next, until every place is taken
            result = executor.run(key)
        if result.more_due:
            run.delay(tenant_id, held)
        else:
            runners.give_back(held)


@shared_task(ignore_result=True, name="revocation.tasks.sweep", expires=30)
def sweep() -> None:
    """Do what is due, whatever became of the messages about it."""
    with no_context():
        sweeper.sweep()
