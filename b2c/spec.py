"""How the tenant's gate is reached, as generated policies name it: from the settings of its page."""

from django.conf import settings

from accounts.models import Tenant
from b2c import selectors
from b2c.gate import credentials
from b2c.models import GateSetting
from b2c.policies.model import PREFIX, GateSpec


def spec(tenant: Tenant) -> GateSpec:
    """What `b2c.policies.writing` and the linter take."""
    setting = selectors.setting(tenant)
    by_key = setting.authentication == GateSetting.Authentication.API_KEY
    names = ("GateKey",) if by_key else ("GateUser", "GatePassword")
    return GateSpec(
        url=f"{settings.PORTAL_URL.rstrip('/')}/b2c/{tenant.pk}",
        authentication="ApiKeyHeader" if by_key else "Basic",
        key_containers=tuple(f"{PREFIX}{setting.id_prefix}{name}" for name in names),
        header=credentials.HEADER,
        prefix=setting.id_prefix,
        fails="open" if setting.fails == GateSetting.Fails.OPEN else "closed",
        attribute=setting.country_attribute,
    )
