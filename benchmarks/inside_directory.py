"""What the measurement of the directory does inside the portal, in a process with the bed's settings.

python -m benchmarks.inside_directory <command> [arguments]     answers one line of JSON
"""

import json
import os
import sys
import time

import django


def main() -> None:
    django.setup()
    command, *arguments = sys.argv[1:]
    print(json.dumps(COMMANDS[command](*arguments)))


def ask() -> dict:
    """Have a worker begin."""
    from directory.tasks import sync_tenant

    sync_tenant.delay(str(_tenant().pk))
    return {}


def work(end_after: str = "0") -> dict:
    """Turns until nothing is due. The process ends hard, as if killed, after so many answers of Graph; 0: never."""
    from directory import sync
    from graph import transport

    answers, last = 0, int(end_after)

    def count(request, response) -> None:
        nonlocal answers
        answers += "graph.microsoft.com" in request.url
        if last and answers == last:
            os._exit(9)

    tenant, began, turns = _tenant(), time.monotonic(), 0
    with transport.witnessed(count):
        while sync.work(tenant, 3):
            turns += 1
    return {"seconds": round(time.monotonic() - began, 3), "answers": answers, "turns": turns}


def empty() -> dict:
    """Forget the copy, so that the next reading is the first."""
    from django.apps import apps
    from django.db import connection

    from accounts.tenancy import tenant_context
    from directory.models import PermissionDefinition

    models = sorted(apps.get_app_config("directory").get_models(), key=lambda one: one is not PermissionDefinition)
    with tenant_context(_tenant().pk), connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
    return {}


def copy() -> dict:
    """The copy, to be compared with the directory row by row."""
    from accounts.tenancy import tenant_context
    from directory.models import AppRoleAssignment, Collection, PermissionGrant, Person, ServicePrincipal

    tenant = _tenant()
    with tenant_context(tenant.pk):
        apps = ServicePrincipal.objects.filter(deleted_at__isnull=True).values_list("pk", "account_enabled")
        people = Person.objects.values_list("pk", "account_enabled")
        grants = PermissionGrant.objects.values_list("graph_id", "scopes")
        return {
            "apps": {str(pk): enabled for pk, enabled in apps.iterator()},
            "people": {str(pk): enabled for pk, enabled in people.iterator()},
            "grants": {pk: " ".join(scopes) for pk, scopes in grants.iterator()},
            "assignments": sorted(AppRoleAssignment.objects.values_list("graph_id", flat=True)),
            "said": dict(Collection.objects.exclude(error="").values_list("kind", "error")),
        }


def places() -> dict:
    """Ids that the pages of the measurement are about: the app with most consents, somebody with many apps, Graph."""
    from django.db.models import Count

    from accounts.tenancy import tenant_context
    from directory.models import Person, ServicePrincipal

    tenant = _tenant()
    with tenant_context(tenant.pk):
        apps = ServicePrincipal.objects.filter(tenant=tenant)
        most = apps.order_by("-user_consent_count").first()
        grants = tenant_grants(tenant).filter(principal__isnull=False).values("principal_id")
        person = Person.objects.get(pk=grants.annotate(n=Count("pk")).order_by("-n")[0]["principal_id"])
        last = apps.order_by("-display_name", "-pk")[60]
        return {
            "app": str(most.pk),
            "app_name": most.display_name,
            "app_id": str(most.app_id),
            "consents": most.user_consent_count,
            "person": str(person.pk),
            "person_name": person.display_name,
            "graph": str(apps.get(app_id="00000003-0000-0000-c000-000000000000").pk),
            "late": str(last.pk),
        }


def tenant_grants(tenant):
    from directory.models import PermissionGrant

    return PermissionGrant.objects.filter(tenant=tenant)


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
            answer = client.get(address)
        found[address] = [answer.status_code, len(seen)]
    return found


def _tenant():
    from accounts.models import Tenant

    return Tenant.objects.get(slug="contoso")


COMMANDS = {one.__name__: one for one in (ask, work, empty, copy, places, queries)}

if __name__ == "__main__":
    main()
