"""What the measurement of pages asks inside the portal, in a process with the bed's settings.

python -m benchmarks.inside_pages <command> [arguments]     answers one line of JSON
"""

from benchmarks.answering import answer, contoso


def places() -> dict:
    """What the pages are about: the app with most consents, somebody with many apps, Graph, the end of the list."""
    from django.db.models import Count

    from accounts.tenancy import tenant_context
    from directory import paging
    from directory.app_filters import SORTS
    from directory.models import PermissionGrant, Person, ServicePrincipal

    tenant = contoso()
    with tenant_context(tenant.pk):
        apps = ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=True)
        most = apps.order_by("-user_consent_count").first()
        grants = PermissionGrant.objects.filter(tenant=tenant, principal__isnull=False).values("principal_id")
        person = Person.objects.get(pk=grants.annotate(n=Count("pk")).order_by("-n")[0]["principal_id"])
        last = list(apps.order_by("-display_name", "-id")[:29])[-1]
        return {
            "app": str(most.pk),
            "app_id": str(most.app_id),
            "consents": most.user_consent_count,
            "person": str(person.pk),
            "person_name": person.display_name,
            "graph": str(apps.get(app_id="00000003-0000-0000-c000-000000000000").pk),
            "late": paging.cursor(last, SORTS["name"]),
        }


def queries(cookie: str, *addresses: str) -> dict:
    """How many statements each page takes."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="127.0.0.1")
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    found = {}
    for address in addresses:
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            client.get(address)
        found[address] = len(seen)
    return found


if __name__ == "__main__":
    answer(places, queries)
