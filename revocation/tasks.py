"""Messages to workers. Losing one loses nothing, delivering one twice does nothing twice: the rows are the truth."""

from uuid import UUID

from celery import shared_task

from accounts.models import Tenant
from accounts.tenancy import no_context, tenant_context
from revocation.lists import reading
from revocation.nudges import nudge
from revocation.spine import executor, sweeper, turns


@shared_task(ignore_result=True, name="revocation.tasks.run")
def run(tenant_id: str) -> None:
    """Work on a tenant for a few seconds; while more is due, ask for another turn behind the other tenants."""
    key = UUID(tenant_id)
    with no_context():
        if not Tenant.objects.filter(pk=key, state=Tenant.State.ACTIVE).exists():
            return
        with turns.place(key) as mine:
            if not mine:
                return
            with tenant_context(key):
                result = executor.turn(key)
        if result.is_due_within(executor.LINGER):
            nudge(key)


@shared_task(ignore_result=True, name="revocation.tasks.read_list")
def read_list(tenant_id: str, upload_id: str) -> None:
    """Read a long list. One that is lost with its worker is read by another."""
    with no_context(), tenant_context(UUID(tenant_id)):
        tenant = Tenant.objects.filter(pk=tenant_id, state=Tenant.State.ACTIVE).first()
        if tenant:
            reading.read(tenant, UUID(upload_id))


@shared_task(ignore_result=True, name="revocation.tasks.sweep", expires=30)
def sweep() -> None:
    """Do what is due, whatever became of the messages about it."""
    with no_context():
        sweeper.sweep()
