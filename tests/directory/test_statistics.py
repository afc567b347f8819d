"""Pages of a directory that was just read are planned by what is in it."""

import pytest
from django.db import connection

from accounts.tenancy import tenant_context
from directory.models import SearchWord
from directory.sync import statistics
from tests.factories import make_tenant

ROWS = 3000


def estimated() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'directory_searchword'::regclass")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_tables_are_counted_anew_when_much_of_them_changed_and_only_then():
    tenant = make_tenant("44444444-4444-4444-8444-444444444444", "Woodgrove", "woodgrove.example")
    statistics.count_anew()  # what tests before this one left
    with tenant_context(tenant.pk):
        SearchWord.objects.bulk_create(
            SearchWord(tenant=tenant, kind="app", word=f"w{n}", target_id=tenant.pk) for n in range(ROWS)
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")  # they are told of once a second at most

    first, again = statistics.count_anew(), statistics.count_anew()

    assert (first, again) == (1, 0)
    assert estimated() == ROWS
