"""What somebody took back at Microsoft is told, and nothing else is taken for it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from directory import selectors, sync
from directory.models import PermissionGrant, Progress, ServicePrincipal, WithdrawnGrant
from tests.sandbox_client import CONTOSO


@pytest.fixture
def copy(entra, inside):
    assert sync.sync_tenant(inside).complete
    return inside


@pytest.fixture
def grant(copy, adele) -> PermissionGrant:
    return PermissionGrant.objects.select_related("client").get(
        tenant=copy, principal_id=adele.object_id, client__display_name="Mail Sidekick"
    )


def change(entra, do: str, **given) -> None:
    entra.control("POST", "world", json={"tenant": CONTOSO, "do": do, **given})


def follow(tenant) -> None:
    Progress.objects.update(not_before=None)
    for one in Progress.objects.filter(delta_at__isnull=False):
        one.delta_at -= timedelta(minutes=1)
        one.save()
    while sync.work(tenant, 30):
        pass


def walk(tenant) -> None:
    assert sync.sync_tenant(tenant, full=True).complete


def told(tenant) -> list[WithdrawnGrant]:
    changes = selectors.changes_since(tenant, timezone.now() - timedelta(days=1))
    assert changes.withdrawn_count == len(changes.withdrawn)
    return [one for one, _person in changes.withdrawn]


@pytest.mark.parametrize("found_by", ["the changes", "the whole list", "the person's list", "the app's list"])
def test_a_consent_taken_back_at_microsoft_is_told_once(entra, copy, adele, grant, found_by):
    entra.graph("DELETE", f"oauth2PermissionGrants/{grant.graph_id}")
    {
        "the changes": lambda: follow(copy),
        "the whole list": lambda: walk(copy),
        "the person's list": lambda: sync.refresh_person(copy, adele.object_id),
        "the app's list": lambda: sync.refresh_app(copy, grant.client_id),
    }[found_by]()
    follow(copy)
    walk(copy)

    (one,) = told(copy)
    assert (one.graph_id, one.client_id, one.app_name) == (grant.graph_id, grant.client_id, "Mail Sidekick")
    assert (one.principal_id, one.scopes) == (grant.principal_id, grant.scopes)


def test_given_again_it_is_told_with_the_new_one(entra, copy, grant):
    image = entra.grants()[grant.graph_id]
    entra.graph("DELETE", f"oauth2PermissionGrants/{grant.graph_id}")
    follow(copy)
    WithdrawnGrant.objects.update(gone_at=timezone.now() - timedelta(hours=1))
    body = {key: image[key] for key in ("clientId", "resourceId", "principalId", "consentType", "scope")}
    assert entra.graph("POST", "oauth2PermissionGrants", json=body).status_code == 201
    follow(copy)

    assert [one.graph_id for one in told(copy)] == [grant.graph_id]


def test_what_a_lagging_list_left_out_for_a_moment_was_there_all_the_time(entra, copy, grant):
    image = entra.grants()[grant.graph_id]
    entra.graph("DELETE", f"oauth2PermissionGrants/{grant.graph_id}")
    follow(copy)
    body = {key: image[key] for key in ("clientId", "resourceId", "principalId", "consentType", "scope")}
    entra.graph("POST", "oauth2PermissionGrants", json=body)
    follow(copy)

    assert PermissionGrant.objects.filter(graph_id=grant.graph_id).exists()
    assert told(copy) == []


@pytest.mark.parametrize("do", ["delete_app", "delete_user"])
def test_what_goes_with_its_app_or_its_person_is_told_of_those(entra, copy, adele, grant, do):
    change(entra, do, **({"app": str(grant.client_id)} if do == "delete_app" else {"user": str(adele.object_id)}))
    follow(copy)

    assert not PermissionGrant.objects.filter(graph_id=grant.graph_id).exists()
    assert told(copy) == []


@pytest.mark.parametrize("microsoft_tells_first", [True, False])
def test_what_we_took_back_is_ours(entra, copy, grant, microsoft_tells_first):
    entra.graph("DELETE", f"oauth2PermissionGrants/{grant.graph_id}")
    if microsoft_tells_first:
        follow(copy)
    sync.forget_grants(copy, [grant.graph_id])
    follow(copy)
    walk(copy)

    assert told(copy) == []


def test_an_app_that_goes_later_takes_what_was_told_with_it(entra, copy, grant):
    entra.graph("DELETE", f"oauth2PermissionGrants/{grant.graph_id}")
    follow(copy)
    assert told(copy)
    ServicePrincipal.objects.filter(pk=grant.client_id).update(deleted_at=timezone.now())

    assert told(copy) == []
