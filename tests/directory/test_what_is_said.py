"""Facts behind the pages: since when we count, what is new, and what can act at all."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from directory import selectors, sync
from directory.models import Collection, PermissionGrant, Risk, ServicePrincipal
from directory.sync import rows
from graph.types import ServicePrincipal as ServicePrincipalOfGraph, User
from tests.directory.rows import a_grant, an_app, graph_api, somebody

FABRIKAM = "fabrikam.example"


@pytest.fixture
def copy(entra, inside):
    assert sync.sync_tenant(inside).complete
    return inside


def first_reading(tenant, at) -> None:
    Collection.objects.update_or_create(tenant=tenant, kind=Collection.Kind.GRANTS, defaults={"first_complete_at": at})


# --- Since when -------------------------------------------------------------------------------------------


def test_weeks_before_the_first_reading_are_unknown_and_not_nought(inside):
    first_reading(inside, timezone.now())

    numbers = selectors.overview(inside, weeks=3)

    assert [count for _week, count in numbers.new_grants] == [None, None, 0]
    assert numbers.counted_since == selectors.known_since(inside)


def test_nothing_is_new_while_the_grants_were_never_read_in_full(inside):
    a_grant(an_app(inside, "Half seen"), graph_api(inside), "Mail.Read", somebody(inside, "Adele Vance"))

    assert [count for _week, count in selectors.overview(inside, weeks=2).new_grants] == [None, None]
    assert selectors.apps(inside, consent="new").items == []


# --- What we put back -------------------------------------------------------------------------------------


def old(grant_id: str):
    """The grant, as if it had been known for a year."""
    PermissionGrant.objects.filter(graph_id=grant_id).update(first_seen_at=timezone.now() - timedelta(days=365))
    return PermissionGrant.objects.get(graph_id=grant_id)


def test_a_grant_that_we_put_back_is_no_new_one(copy):
    before = old(PermissionGrant.objects.first().graph_id)
    sync.forget_grants(copy, [before.graph_id])

    sync.put_grant(
        copy,
        before.graph_id,
        client_id=before.client_id,
        resource_id=before.resource_id,
        principal_id=before.principal_id,
        scopes=before.scopes,
    )

    assert PermissionGrant.objects.get(graph_id=before.graph_id).first_seen_at == before.first_seen_at


def test_a_grant_given_again_by_its_person_is_new(entra, copy, adele):
    before = old(PermissionGrant.objects.filter(principal_id=adele.object_id).first().graph_id)
    sync.forget_grants(copy, [before.graph_id])
    sync.recent.RecentChange.objects.filter(kind="grant").delete()  # some minutes later

    sync.refresh_person(copy, adele.object_id)

    assert PermissionGrant.objects.get(graph_id=before.graph_id).first_seen_at > before.first_seen_at


@pytest.mark.parametrize("by_us", [True, False], ids=["here", "elsewhere"])
def test_what_comes_back_with_a_restored_app_is_not_new(entra, copy, by_us):
    app = ServicePrincipal.objects.get(display_name="Mail Sidekick")
    before = [old(pk) for pk in PermissionGrant.objects.filter(client=app).values_list("graph_id", flat=True)]
    entra.graph("DELETE", f"servicePrincipals/{app.pk}")
    if by_us:
        sync.mark_deleted(copy, app.pk)
    sync.sync_tenant(copy)
    assert not PermissionGrant.objects.filter(client=app).exists()

    entra.graph("POST", f"directory/deletedItems/{app.pk}/restore", json={})
    if by_us:
        sync.mark_restored(copy, app.pk)
    sync.sync_tenant(copy)

    again = PermissionGrant.objects.filter(client=app)
    assert {one.graph_id: one.first_seen_at for one in again} == {one.graph_id: one.first_seen_at for one in before}


# --- What can act -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "off", [{"account_enabled": False}, {"is_disabled": True}, {"disabled_by_microsoft": "DisabledDueToViolation"}]
)
def test_an_app_somebody_switched_off_can_use_no_account(inside, off):
    adele, api = somebody(inside, "Adele Vance"), graph_api(inside)
    app = an_app(inside, "Stopped", risk=Risk.HIGH, **off)
    a_grant(app, api, "Mail.Read", adele)

    (mine,) = selectors.my_apps(inside, adele.pk)
    numbers = selectors.overview(inside)

    assert not mine.can_act
    assert (numbers.by_risk[Risk.HIGH], numbers.unverified, numbers.disabled) == (0, 0, 1)
    assert selectors.apps(inside, enabled="yes", publisher="third_party").items == []
    assert [one.pk for one in selectors.apps(inside, enabled="no").items] == [app.pk]


def test_microsofts_not_disabled_is_not_taken_for_disabled(inside):
    assert an_app(inside, "Fine", disabled_by_microsoft="NotDisabled").can_act


def test_the_portal_is_neither_counted_nor_taken_out_by_its_own_people(inside):
    adele, api = somebody(inside, "Adele Vance"), graph_api(inside)
    portal = an_app(inside, "Consentry", app_id=UUID(settings.ENTRA_CLIENT_ID), risk=Risk.HIGH)
    a_grant(portal, api, "User.Read", adele)

    assert selectors.overview(inside).apps == 0
    assert selectors.apps(inside, publisher="third_party").items == []
    assert not selectors.my_app(inside, adele.pk, portal.pk).removable


# --- Who is a person --------------------------------------------------------------------------------------


def test_an_agents_user_account_is_no_person(inside):
    somebody(inside, "Minutes Helper", is_agent=True)
    adele = somebody(inside, "Adele Vance")

    assert [one.pk for one in selectors.people(inside).items] == [adele.pk]


@pytest.mark.parametrize(
    ("facts", "external", "home"),
    [
        (
            {"userType": "Member", "userPrincipalName": "lynne_fabrikam.example#EXT#@contoso.example"},
            True,
            "fabrikam.example",
        ),
        (
            {"userType": "Member", "externalUserState": "Accepted", "mail": "lynne@fabrikam.example"},
            True,
            "fabrikam.example",
        ),
        ({"userType": "Guest", "userPrincipalName": "temp@contoso.example"}, False, ""),
    ],
    ids=["external member by name", "external member by state", "internal guest"],
)
def test_where_somebody_signs_in_is_not_their_user_type(inside, facts, external, home):
    """https://learn.microsoft.com/entra/external-id/user-properties"""
    item = User.read({"id": str(uuid4()), "displayName": "Lynne"} | facts)

    row = rows.person(inside, item, timezone.now())

    assert (row.is_external, row.home_domain) == (external, home)
    assert row.is_guest == (facts["userType"] == "Guest")


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"servicePrincipalType": "Application"}, "Application"),
        ({"servicePrincipalType": "ManagedIdentity"}, "ManagedIdentity"),
        ({"@odata.type": "#microsoft.graph.agentIdentity", "servicePrincipalType": "ServiceIdentity"}, "agentIdentity"),
        ({"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal"}, "agentIdentityBlueprintPrincipal"),
        ({"servicePrincipalType": "SomethingOf2027"}, "Application"),
    ],
)
def test_an_app_is_stored_as_what_it_is(inside, facts, kind):
    """https://learn.microsoft.com/graph/api/resources/agentidentity"""
    item = ServicePrincipalOfGraph.read({"id": str(uuid4()), "appId": str(uuid4()), "isDisabled": True} | facts)

    row = rows.app(inside, item, timezone.now())

    assert (row.kind, row.is_disabled, row.can_act) == (kind, True, False)
