"""What the measurement of the directory does inside the portal, in a process with the bed's settings.

python -m benchmarks.inside_directory <command> [arguments]     answers one line of JSON
"""

import os
import time

from benchmarks.answering import answer, contoso


def ask() -> dict:
    """Have a worker begin."""
    from directory.tasks import sync_tenant

    tenant, at = contoso(), time.time()
    sync_tenant.delay(str(tenant.pk))
    return {"at": at}


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

    tenant, began, turns = contoso(), time.monotonic(), 0
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
    with tenant_context(contoso().pk), connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
    return {}


def copy() -> dict:
    """The copy, to be compared with the directory row by row."""
    from accounts.tenancy import tenant_context
    from directory.models import AppRoleAssignment, Collection, PermissionGrant, Person, ServicePrincipal

    tenant = contoso()
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


if __name__ == "__main__":
    answer(ask, work, empty, copy)
