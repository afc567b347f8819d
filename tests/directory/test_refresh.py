"""One person, or one app, read again."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from directory import selectors, sync
from directory.models import PermissionGrant, Person, ServicePrincipal
from directory.sync import recent
from graph.errors import GraphError
from graph.requesting import Requester


@pytest.fixture
def copy(entra, inside):
    assert sync.sync_tenant(inside).complete
    return inside


@pytest.fixture
def forgotten():
    """`RecentChange` as it is a few minutes later."""
    return lambda: recent.RecentChange.objects.all().delete()


def graph_requests(entra, do) -> list[str]:
    before = len(entra.requests())
    do()
    asked = [one for one in entra.requests()[before:] if not one["in_batch"]]
    return [one["path"] for one in asked if "/v2.0" not in one["path"]]


def mine(tenant, person) -> set[str]:
    return {one.app.display_name for one in selectors.my_apps(tenant, person.object_id) if one.removable}


def test_a_person_is_read_in_one_request_however_many_apps_they_have(entra, copy, adele, nestor):
    with CaptureQueriesContext(connection) as few:
        asked = graph_requests(entra, lambda: sync.refresh_person(copy, nestor.object_id))
    with CaptureQueriesContext(connection) as many:
        asked += graph_requests(entra, lambda: sync.refresh_person(copy, adele.object_id))
    assert len(mine(copy, nestor)) < len(mine(copy, adele))
    assert asked == ["/v1.0/$batch"] * 2
    assert len(few) == len(many) < 50


def test_a_person_who_was_never_read_comes_with_their_apps(entra, inside, adele):
    asked = graph_requests(entra, lambda: sync.refresh_person(inside, adele.object_id))
    assert asked == ["/v1.0/$batch"] * 2  # their own, and the apps and APIs it names
    assert "Mail Sidekick" in mine(inside, adele)
    (mail,) = [one for one in selectors.my_apps(inside, adele.object_id) if one.app.display_name == "Mail Sidekick"]
    assert any(sentence.text for group in mail.permissions for sentence in group.sentences)
    assert mail.risk == 3


def test_a_consent_given_or_withdrawn_elsewhere_shows(entra, copy, adele):
    app = next(one for one in selectors.my_apps(copy, adele.object_id) if one.app.display_name == "Mail Sidekick")
    image = entra.grants()[app.own_grants[0].graph_id]
    entra.graph("DELETE", f"oauth2PermissionGrants/{image['id']}")
    sync.refresh_person(copy, adele.object_id)
    assert "Mail Sidekick" not in mine(copy, adele)
    body = {key: image[key] for key in ("clientId", "resourceId", "principalId", "consentType", "scope")}
    assert entra.graph("POST", "oauth2PermissionGrants", json=body).status_code == 201
    sync.refresh_person(copy, adele.object_id)
    assert "Mail Sidekick" in mine(copy, adele)


@pytest.mark.parametrize("read_again", ["person", "app"])
def test_an_answer_takes_nothing_out_that_came_after_it_was_asked_for(entra, copy, adele, monkeypatch, read_again):
    """Somebody consents while the answer is on its way, and the changes that are followed tell of it first."""
    app = next(one for one in selectors.my_apps(copy, adele.object_id) if one.app.display_name == "Mail Sidekick")
    grant = app.own_grants[0]
    entra.graph("DELETE", f"oauth2PermissionGrants/{grant.graph_id}")
    ask = Requester._send

    def ask_and_be_overtaken(*args, **kwargs):
        answer = ask(*args, **kwargs)
        PermissionGrant.objects.filter(pk=grant.pk).update(synced_at=timezone.now())
        return answer

    monkeypatch.setattr(Requester, "_send", ask_and_be_overtaken)
    if read_again == "person":
        sync.refresh_person(copy, adele.object_id)
    else:
        sync.refresh_app(copy, app.app.pk)
    assert PermissionGrant.objects.filter(pk=grant.pk).exists()


def test_what_we_just_removed_does_not_come_back(entra, copy, adele, forgotten):
    app = next(one for one in selectors.my_apps(copy, adele.object_id) if one.app.display_name == "Mail Sidekick")
    sync.forget_grants(copy, [grant.graph_id for grant in app.own_grants])  # proved, but below a replica lags
    sync.refresh_person(copy, adele.object_id)
    assert "Mail Sidekick" not in mine(copy, adele)
    forgotten()
    sync.refresh_person(copy, adele.object_id)
    assert "Mail Sidekick" in mine(copy, adele)


def test_others_grants_are_left_alone(entra, copy, adele):
    others = PermissionGrant.objects.exclude(principal_id=adele.object_id)
    before = set(others.values_list("graph_id", flat=True))
    sync.refresh_person(copy, adele.object_id)
    assert set(others.values_list("graph_id", flat=True)) == before


def test_a_stranger_changes_nothing(entra, copy):
    assert sync.refresh_person(copy, uuid4()) is False


def test_roles_are_read_with_the_person(entra, inside, megan):
    sync.refresh_person(inside, megan.object_id)
    assert Person.objects.get(pk=megan.object_id).role_template_ids


def test_graph_out_of_reach_changes_nothing(entra, copy, adele):
    before = mine(copy, adele)
    entra.faults({"path": r"\$batch$", "status": 503})
    with pytest.raises(GraphError):
        sync.refresh_person(copy, adele.object_id)
    assert mine(copy, adele) == before


def test_a_failing_item_is_asked_again_by_itself(entra, copy, adele):
    before = mine(copy, adele)
    entra.faults({"path": "AllPrincipals|oauth2PermissionGrants$", "status": 503, "where": "item"})
    sync.refresh_person(copy, adele.object_id)
    assert mine(copy, adele) == before


def test_an_app_is_read_with_all_it_may_do(entra, copy):
    app = ServicePrincipal.objects.get(display_name="Mail Sidekick")
    PermissionGrant.objects.filter(client=app).delete()
    entra.graph("PATCH", f"servicePrincipals/{app.pk}", json={"accountEnabled": False})
    assert sync.refresh_app(copy, app.pk) is True
    app.refresh_from_db()
    assert not app.account_enabled
    assert app.user_consent_count == PermissionGrant.objects.filter(client=app).count() > 0


def test_an_app_deleted_elsewhere_is_found_in_the_recycle_bin(entra, copy):
    app = ServicePrincipal.objects.get(display_name="Wingtip Notes")
    entra.graph("DELETE", f"servicePrincipals/{app.pk}")
    assert sync.refresh_app(copy, app.pk) is True
    app.refresh_from_db()
    assert app.deleted_at
    entra.graph("DELETE", f"directory/deletedItems/{app.pk}")
    assert sync.refresh_app(copy, app.pk) is False
    assert not ServicePrincipal.objects.filter(pk=app.pk).exists()
