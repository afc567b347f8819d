"""Heads leave the database every minute, so that at most the last minute's entries could be cut off unseen."""

from celery import shared_task

from accounts.models import Tenant
from accounts.tenancy import tenant_context
from audit import heads


@shared_task(ignore_result=True)
def export_heads() -> None:
    """Write every tenant's newest signed head to AUDIT_HEADS_DIR."""
    for tenant_id in Tenant.objects.values_list("id", flat=True):
        with tenant_context(tenant_id):
            heads.export(tenant_id)
