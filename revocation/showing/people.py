"""What the People pages say of somebody: which apps may act for them, and what is under way."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import Tenant
from directory import risk, wording
from directory.models import PermissionGrant, Person
from revocation import actions
from revocation.models import RevocationRequest, RevocationStep


def apps_of(tenant: Tenant, person: Person, size: int = 100) -> list[dict]:
    """The apps that may act for this person because they said so, worst first: one query."""
    grants = (
        PermissionGrant.objects.filter(tenant=tenant, principal=person)
        .select_related("client")
        .order_by("-risk", "client_id")[: size * 3]
    )
    apps: dict[UUID, dict] = {}
    for grant in grants:
        app = apps.setdefault(grant.client_id, {"app": grant.client, "scopes": [], "risk": 1, "since": None})
        app["scopes"] += [scope for scope in grant.scopes if scope not in app["scopes"]]
        app["risk"] = max(app["risk"], grant.client.risk)
        app["since"] = min(filter(None, (app["since"], grant.first_seen_at)), default=None)
    for app in apps.values():
        app["summary"] = wording.summary(app["scopes"], "admin")
        app["scopes"].sort(key=lambda value: risk.power(value, risk.permission_rule(value)))
    return sorted(apps.values(), key=lambda app: (-app["risk"], app["app"].display_name.casefold()))[:size]


def under_way(tenant: Tenant, person: Person) -> RevocationRequest | None:
    """A sign-out of this person that has not been proved yet: asking again would only sign them out twice."""
    step = (
        RevocationStep.objects.unsettled()
        .filter(
            tenant=tenant,
            target_id=str(person.pk),
            action__in=actions.named("ends_sessions"),
            request__state__in=RevocationRequest.UNDER_WAY,
            request__created_at__gte=timezone.now() - timedelta(hours=1),
        )
        .select_related("request")
        .order_by("-id")
        .first()
    )
    return step.request if step else None
