"""Celery: what the gate leaves behind is put away. Nothing depends on it but how much there is to look through."""

from celery import shared_task
from django.db.models import F
from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import no_context, tenant_context
from b2c.models import RefreshRule


@shared_task(ignore_result=True)
def tidy() -> None:
    """Mark rules that ran out as ended, so that the gate's index holds what refuses and no more."""
    now = timezone.now()
    with no_context():
        for tenant_id in Tenant.objects.values_list("pk", flat=True):
            with tenant_context(tenant_id):
                over = RefreshRule.objects.filter(tenant_id=tenant_id, ended_at=None, expires_at__lte=now)
                over.update(ended_at=F("expires_at"))
