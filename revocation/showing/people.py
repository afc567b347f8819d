"""What the People pages read: finding somebody, in our copy and in Graph, and what is known about them."""

import logging
from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Tenant
from directory import risk, sync, wording
from directory.models import PermissionGrant, Person
from graph.client import GraphClient
from graph.errors import GraphError
from revocation import actions
from revocation.models import RevocationRequest, RevocationStep

logger = logging.getLogger(__name__)

NEW_FROM_GRAPH = 10  # people taken into the copy per search; a search is no way to copy a directory


def ask_graph(tenant: Tenant, q: str) -> str:
    """Look for people the copy does not know yet and take them in. Returns in words why that failed, or nothing."""
    try:
        found = GraphClient(str(tenant.pk), priority="high").find_users(q)
        known = set(
            Person.objects.filter(tenant=tenant, pk__in=[user.id for user in found]).values_list("pk", flat=True)
        )
        for user in [user for user in found if user.id not in known][:NEW_FROM_GRAPH]:
            sync.refresh_person(tenant, user.id)
    except GraphError as error:
        logger.warning("Could not ask Graph for people: %s", type(error).__name__)
        return _("Microsoft Graph could not be asked, so only our copy was searched: %(why)s") % {"why": error}
    return ""


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
