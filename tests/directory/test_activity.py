"""When people were last active: known where the tenant lets us know, and never in the way where it does not."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from directory import sync
from directory.models import RECENTLY, Collection, Person

# The list of people comes first and passes.
ACTIVITY = {"method": "GET", "path": "/users$", "where": "request", "skip": 1}


def known() -> dict[str, datetime]:
    found = Person.objects.filter(last_active_at__isnull=False)
    return {str(pk): when for pk, when in found.values_list("pk", "last_active_at")}


def test_who_was_active_recently_is_known_and_the_others_stay_unknown(entra, inside):
    assert sync.sync_tenant(inside).complete

    listed = entra.get("users?$select=id,signInActivity&$top=500")["value"]
    last = {one["id"]: datetime.fromisoformat(one["signInActivity"]["lastSuccessfulSignInDateTime"]) for one in listed}
    recent = {person: when for person, when in last.items() if when > timezone.now() - RECENTLY}
    assert known() == recent
    assert 0 < len(recent) < len(last)


def test_the_list_of_people_does_not_forget_it(entra, inside):
    sync.sync_tenant(inside)
    before = known()

    sync.sync_tenant(inside, [Collection.Kind.PEOPLE])
    sync.refresh_person(inside, next(iter(before)))

    assert known() == before


def test_no_moment_goes_back(entra, inside):
    sync.sync_tenant(inside)
    now = timezone.now()
    Person.objects.update(last_active_at=now)
    Collection.objects.update(activity_at=None)

    sync.sync_tenant(inside, [Collection.Kind.PEOPLE])

    assert set(known().values()) == {now}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "Authorization_RequestDenied"),
        (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"),
        (400, "Request_UnsupportedQuery"),
        (429, "TooManyRequests"),
    ],
)
def test_a_refusal_breaks_nothing_and_is_asked_again_next_time(entra, inside, status, code):
    entra.faults(ACTIVITY | {"status": status, "code": code, "retry_after": 600})

    assert sync.sync_tenant(inside).complete
    assert known() == {}
    assert Person.objects.exists()

    entra.faults()
    sync.sync_tenant(inside, [Collection.Kind.PEOPLE])
    assert known()


def test_it_is_asked_rarely_and_only_with_the_people(entra, inside):
    sync.sync_tenant(inside, [Collection.Kind.GRANTS])
    assert Collection.objects.filter(activity_at__isnull=False).count() == 0

    sync.sync_tenant(inside, [Collection.Kind.PEOPLE])
    read = Collection.objects.get(kind="people").activity_at
    sync.sync_tenant(inside, [Collection.Kind.PEOPLE])
    assert Collection.objects.get(kind="people").activity_at == read

    Collection.objects.update(activity_at=read - timedelta(days=1))
    sync.sync_tenant(inside, [Collection.Kind.PEOPLE])
    assert Collection.objects.get(kind="people").activity_at > read
