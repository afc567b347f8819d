"""What one person does of what costs the whole organisation is bounded, and clicks leave something to a mass action."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import pace
from accounts.models import Bucket
from accounts.tenancy import tenant_context
from revocation.models import RevocationRequest
from revocation.spine import budget
from tests.copied import read_directory
from tests.revocation.conftest import *  # noqa: F403
from tests.revocation.spine import calls, sign_out_many


@pytest.fixture
def signed_in(client, sign_in, adele, entra):
    read_directory(adele.tenant)
    return sign_in(client, adele)


def earlier(seconds: int) -> None:
    for bucket in Bucket.objects.all():
        Bucket.objects.filter(pk=bucket.pk).update(at=bucket.at - timedelta(seconds=seconds))


def test_own_changes_are_bounded_and_refill(signed_in, adele, settings):
    settings.OWN_CHANGES_PER_MINUTE = 3
    address = reverse("consent:remove-app", args=["7a7a7a7a-0000-4000-8000-000000000001"])

    assert [signed_in.post(address).status_code for _ in range(5)] == [404, 404, 404, 429, 429]
    refused = signed_in.post(reverse("consent:sign-out-everywhere"))
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 20
    assert "was changed by this one" in " ".join(refused.text.split())
    with tenant_context(adele.tenant.pk):
        assert not RevocationRequest.objects.exists()

    earlier(20)

    assert [signed_in.post(address).status_code for _ in range(2)] == [404, 429]
    assert signed_in.get(reverse("consent:my-apps")).status_code == 200


def test_anothers_bucket_is_their_own(adele, megan, settings):
    settings.OWN_CHANGES_PER_MINUTE = 1

    assert [pace.take(one.user.pk, pace.CHANGES) > 0 for one in (adele, adele, megan)] == [False, True, False]
    settings.OWN_CHANGES_PER_MINUTE = 0
    assert pace.take(adele.user.pk, pace.CHANGES) == 0


def test_what_was_read_a_moment_ago_is_the_answer(signed_in, adele, entra):
    def read() -> int:
        page = signed_in.post(reverse("consent:refresh-my-apps"), headers={"HX-Request": "true"})
        assert page.status_code == 200
        return len(calls(entra, "GET", f"/users/{adele.object_id}/oauth2PermissionGrants"))

    assert [read() for _ in range(4)] == [1, 1, 1, 1]
    earlier(21)
    assert read() == 2


def test_readings_that_fail_are_bounded_too(signed_in, adele, entra, settings):
    settings.OWN_READINGS_PER_MINUTE = 2
    entra.faults({"path": f"/users/{adele.object_id}", "status": 400})

    pages = [signed_in.post(reverse("consent:refresh-my-apps"), headers={"HX-Request": "true"}) for _ in range(4)]

    assert ["You asked often" in page.text for page in pages] == [False, False, True, True]
    assert len(calls(entra, "GET", f"/users/{adele.object_id}/oauth2PermissionGrants")) == 2


def test_clicks_leave_a_part_of_the_quota_to_a_mass_action_that_waits(at_contoso, world, megan, settings):
    settings.GRAPH_TENANT_WRITES = 100

    def click(wanted: int) -> int:
        with transaction.atomic():
            return budget.take(at_contoso, wanted, interactive=True).granted

    assert click(80) == 80
    assert click(40) == 40  # nobody waits: clicks go on beyond the quota, and a 429 tells
    sign_out_many(at_contoso, megan, world["tenants"][0]["users"][:1])

    with transaction.atomic():
        waits = budget.take(at_contoso, 1, interactive=True)

    assert waits.granted == 0
    assert timezone.now() < waits.again_at < timezone.now() + timedelta(minutes=5)
