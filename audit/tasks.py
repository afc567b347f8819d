"""Heads leave the database every minute, so that at most the last minute's entries could be cut off unseen."""

import logging

from celery import shared_task

from accounts.ids import OPERATOR
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from audit import heads

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def export_heads() -> None:
    """Write every tenant's newest signed head to AUDIT_HEADS_DIR. What fails for one is logged, and stops no other."""
    failed = 0
    for tenant_id in [OPERATOR, *Tenant.objects.values_list("id", flat=True)]:
        try:
            with tenant_context(tenant_id):
                heads.export(tenant_id)
        except Exception:  # whatever it is, the other tenants' heads must be written
            logger.exception("The signed head of tenant %s could not be written.", tenant_id)
            failed += 1
    if not failed:
        heads.round_done()
