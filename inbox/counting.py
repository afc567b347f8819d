"""What is dear to count, counted once a minute: the badge reads one row, on every page."""

from datetime import date

from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import in_tenant
from directory import selectors as directory
from directory.models import Collection, Risk
from inbox import selectors
from inbox.models import DayFigures, Standing


def count(tenant: Tenant) -> Standing:
    """Count what waits now. The first time, that also says from when on the tenant has an inbox."""
    with in_tenant(tenant.pk):
        now = timezone.now()
        standing, _made = Standing.objects.get_or_create(
            tenant=tenant, defaults={"since": now - selectors.FIRST_LOOK, "counted_at": now}
        )
        standing.failed = len(selectors.failed(tenant))
        standing.risky = selectors.how_many(selectors.risky(tenant))
        standing.counted_at = now
        standing.save(update_fields=["failed", "risky", "counted_at"])
        return standing


def keep_figures(tenant: Tenant, day: date | None = None) -> None:
    """Keep the overview's figures of today, once; nothing before the directory was read."""
    day = day or timezone.now().date()
    with in_tenant(tenant.pk):
        if DayFigures.objects.filter(tenant=tenant, day=day).exists():
            return
        if not directory.is_read(tenant, Collection.Kind.SERVICE_PRINCIPALS, Collection.Kind.GRANTS):
            return
        numbers = directory.overview(tenant, weeks=1)
        DayFigures.objects.get_or_create(
            tenant=tenant,
            day=day,
            defaults={
                "high_risk": numbers.by_risk[Risk.HIGH],
                "unverified": numbers.unverified,
                "unused": numbers.unused,
                "disabled": numbers.disabled,
            },
        )
