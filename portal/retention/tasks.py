"""Celery: once a day, tenant by tenant, a few seconds at a time, in the queue of what may wait.

A message that gets lost costs a day.
"""

from celery import shared_task

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import no_context
from portal.retention import running

SECONDS = 3.0


@shared_task(ignore_result=True)
def prune_all() -> None:
    with no_context():
        running.prune_shared(Actor.system(), seconds=SECONDS)
        for tenant_id in running.tenant_ids():
            prune_tenant.delay(str(tenant_id))


@shared_task(ignore_result=True)
def prune_tenant(tenant_id: str) -> None:
    with no_context():
        tenant = Tenant.objects.filter(pk=tenant_id).first()
        if tenant and running.prune_tenant(tenant, Actor.system(tenant.pk), seconds=SECONDS)[1]:
            prune_tenant.delay(tenant_id)
