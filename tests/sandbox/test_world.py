"""The pretend directory itself: the cast, its rules, and that it is the same in every run."""

import time

import pytest

from sandbox import seed
from sandbox.b2c.catalogue import POLICY_PERMISSIONS
from sandbox.catalogue import (
    AGENT_PERMISSIONS,
    CONTOSO,
    CONTOSO_CUSTOMERS,
    FABRIKAM,
    PORTAL_APP_ID,
    PORTAL_PERMISSIONS,
    TAILSPIN,
    WOODGROVE,
    app_id,
)
from sandbox.objects import GRAPH_APP_ID, ROLE_IDS, grant_id


@pytest.fixture(scope="module")
def _built():
    return seed.world()


@pytest.fixture
def world(_built):
    _built.reset()
    return _built


@pytest.fixture
def contoso(world):
    return world.tenants[CONTOSO]


def principal(tenant, name):
    return tenant.service_principal_for(app_id(name))


@pytest.fixture
def api(contoso):
    return contoso.service_principal_for(GRAPH_APP_ID)


# --- the beginning ---------------------------------------------------------------------------------


def test_ids_are_the_same_in_every_run(world):
    again = seed.world()

    for tenant_id, tenant in world.tenants.items():
        other = again.tenants[tenant_id]
        for kind in ("users", "groups", "service_principals", "grants", "assignments"):
            assert list(getattr(tenant, kind)) == list(getattr(other, kind))


def test_a_tenant_is_found_by_id_and_by_domain(world, contoso):
    assert (
        world.tenant("CONTOSO.example") is world.tenant("contoso.onmicrosoft.com") is world.tenant(CONTOSO) is contoso
    )
    assert world.tenant("nobody.example") is None


@pytest.mark.parametrize(
    ("name", "directory_role", "portal_role"),
    [
        ("adele", [], []),
        ("megan", ["Global Administrator"], ["Portal.TenantAdmin"]),
        ("isaiah", ["Application Administrator"], ["Portal.TenantAdmin"]),
        ("henrietta", [], ["Portal.Helpdesk"]),
        ("nestor", [], ["Portal.Auditor"]),
        ("miriam", ["Global Reader"], []),
    ],
)
def test_the_cast_holds_its_roles(contoso, name, directory_role, portal_role):
    user = contoso.user(f"{name}@contoso.example")
    portal = contoso.service_principal_for(PORTAL_APP_ID)

    assert contoso.directory_roles_of(user.id) == [ROLE_IDS[role] for role in directory_role]
    assert contoso.roles_of(user.id, portal.id) == portal_role


def test_the_portal_is_connected_everywhere_but_at_tailspin(world):
    connected = {}
    for tenant in world.tenants.values():
        portal, api = tenant.service_principal_for(PORTAL_APP_ID), tenant.service_principal_for(GRAPH_APP_ID)
        connected[tenant.id] = set(tenant.roles_of(portal.id, api.id)) if portal else None

    wanted = set(PORTAL_PERMISSIONS)
    older = wanted - set(AGENT_PERMISSIONS)
    customers = older | set(POLICY_PERMISSIONS)
    assert connected == {
        CONTOSO: wanted,
        FABRIKAM: wanted,
        TAILSPIN: None,
        WOODGROVE: older,
        CONTOSO_CUSTOMERS: customers,
    }


def test_a_guest_lives_elsewhere(world, contoso):
    guest = next(user for user in contoso.users.values() if user.guest)
    at_home = world.tenants[FABRIKAM].user("lynne@fabrikam.example")

    assert (guest.home_tenant_id, guest.home_user_id) == (FABRIKAM, at_home.id)
    assert guest.id != at_home.id


def test_a_reset_brings_everything_back(world, contoso):
    for user_id in list(contoso.users):
        contoso.delete_user(user_id)
    world.clock.advance(1000)
    world.faults.set([{"status": 503}])
    world.log.add("GET", "/v1.0/users", 200)
    world.quota.configure({"enabled": False})
    world.lag_seconds, world.latency_ms = 9, 9

    world.reset()

    assert len(world.tenants[CONTOSO].users) == 12
    assert world.clock.offset.total_seconds() == 0
    assert (world.faults.rules, list(world.log.entries), world.quota.enabled) == ([], [], True)
    assert (world.lag_seconds, world.latency_ms) == (0, 0)


def test_durations_go_on_when_the_clock_is_put_back(world):
    world.clock.advance(1000)
    before = world.clock.elapsed()

    world.clock.reset()

    assert world.clock.elapsed() >= before


def test_a_large_world_holds_as_many_as_asked(contoso):
    few = len(contoso.users), len(contoso.service_principals), len(contoso.grants)
    started = time.monotonic()

    world = seed.world(users=20_000, apps=500, grants=30_000)
    tenant = world.tenants[CONTOSO]

    assert time.monotonic() - started < 30
    assert (len(tenant.users), len(tenant.service_principals), len(tenant.grants)) == (
        few[0] + 20_000,
        few[1] + 500,
        few[2] + 30_000,
    )
    everybody = next(group for group in tenant.groups.values() if group.display_name == "Everybody")
    assert len(tenant.members_of(everybody.id)) == 20_000


def test_only_known_profiles_are_built():
    with pytest.raises(ValueError, match="profile must be one of"):
        seed.world("huge")


# --- grants and consent ----------------------------------------------------------------------------


def test_consenting_to_more_widens_the_grant_that_is_there(contoso, api):
    adele, notes = contoso.user("adele@contoso.example"), principal(contoso, "Wingtip Notes")
    before = contoso.grant_for(notes.id, api.id, adele.id)
    had = before.scopes

    after = contoso.add_scopes(notes.id, api.id, adele.id, ["User.Read", "Mail.Read"])

    assert after.id == before.id == grant_id(notes.id, api.id, adele.id)
    assert after.scopes == [*had, "Mail.Read"]


def test_consenting_to_nothing_new_changes_nothing(contoso, api):
    adele, notes = contoso.user("adele@contoso.example"), principal(contoso, "Wingtip Notes")
    before = contoso.sequence

    contoso.add_scopes(notes.id, api.id, adele.id, ["User.Read"])

    assert contoso.sequence == before


def test_a_persons_scopes_are_their_own_and_everybodys(contoso, api):
    adele, travel = contoso.user("adele@contoso.example"), principal(contoso, "Contoso Travel")
    contoso.add_scopes(travel.id, api.id, adele.id, ["Mail.Read"])

    scopes = contoso.scopes_for(travel.id, api.id, adele.id)

    assert {"Mail.Read", "Calendars.Read"} <= scopes
    assert "Mail.Read" not in contoso.scopes_for(travel.id, api.id, contoso.user("alex@contoso.example").id)


def test_roles_come_through_groups_too(contoso):
    portal = contoso.service_principal_for(PORTAL_APP_ID)
    adele, sales = (
        contoso.user("adele@contoso.example"),
        next(g for g in contoso.groups.values() if g.display_name == "Sales"),
    )

    contoso.assign(sales.id, "Group", portal.id, portal.app_role("Portal.Auditor").id)

    assert contoso.roles_of(adele.id, portal.id) == ["Portal.Auditor"]
    contoso.remove_member(sales.id, adele.id)
    assert contoso.roles_of(adele.id, portal.id) == []


def test_the_same_assignment_twice_is_one(contoso):
    portal, adele = contoso.service_principal_for(PORTAL_APP_ID), contoso.user("adele@contoso.example")
    role = portal.app_role("Portal.Helpdesk").id

    assert contoso.assign(adele.id, "User", portal.id, role) is contoso.assign(adele.id, "User", portal.id, role)


# --- deleting and restoring ------------------------------------------------------------------------


def test_an_app_that_comes_back_by_consent_is_another_object(world, contoso):
    sidekick = principal(contoso, "Mail Sidekick")
    contoso.delete_service_principal(sidekick.id)

    anew = contoso.instantiate(world.applications[sidekick.app_id])

    assert anew.id != sidekick.id
    assert contoso.grants_of_client(anew.id) == []


def test_what_joins_two_deleted_objects_waits_for_both(contoso, api):
    adele, sidekick = contoso.user("adele@contoso.example"), principal(contoso, "Mail Sidekick")
    grant = contoso.grant_for(sidekick.id, api.id, adele.id)
    contoso.delete_user(adele.id)
    contoso.delete_service_principal(sidekick.id)

    contoso.restore_user(adele.id)
    assert grant.id not in contoso.grants
    contoso.restore_service_principal(sidekick.id)

    assert contoso.grants[grant.id].scopes == grant.scopes


def test_purging_an_app_forgets_its_grants(contoso, api):
    sidekick = principal(contoso, "Mail Sidekick")
    contoso.delete_service_principal(sidekick.id)

    contoso.purge_service_principal(sidekick.id)

    assert sidekick.id not in {grant.client_id for grant in contoso.grants.values()}
    assert sidekick.id not in contoso.deleted_service_principals


def test_a_renamed_person_is_found_by_the_new_name_only(contoso):
    adele = contoso.user("adele@contoso.example")

    contoso.update_user(adele.id, upn="adele.vance@contoso.example")

    assert contoso.user("Adele.Vance@contoso.example") is adele
    assert contoso.user("adele@contoso.example") is None


def test_revoking_moves_a_members_moment_and_no_guests(contoso):
    adele, guest = contoso.user("adele@contoso.example"), next(u for u in contoso.users.values() if u.guest)
    before = adele.valid_from, guest.valid_from

    assert contoso.revoke_sessions(adele.id) is True
    assert contoso.revoke_sessions(guest.id) is False

    assert adele.valid_from > before[0]
    assert guest.valid_from == before[1]


def test_the_indexes_agree_with_the_records_whatever_happens(world, contoso, api):
    for name in ("Mail Sidekick", "Wingtip Notes", "Northwind Expenses"):
        contoso.delete_service_principal(principal(contoso, name).id)
    for first_name in ("adele", "pradeep"):
        contoso.delete_user(contoso.user(f"{first_name}@contoso.example").id)
    for deleted in list(contoso.deleted_users):
        contoso.restore_user(deleted)
    for deleted in list(contoso.deleted_service_principals)[:2]:
        contoso.restore_service_principal(deleted)

    alive = contoso.users.keys() | contoso.service_principals.keys() | contoso.groups.keys()
    for grant in contoso.grants.values():
        assert {grant.client_id, grant.resource_id, grant.principal_id} - {None} <= alive
        assert grant in contoso.grants_of_client(grant.client_id)
        assert grant in contoso.grants_of_principal(grant.principal_id)
    for one in contoso.assignments.values():
        assert {one.principal_id, one.resource_id} <= alive
        assert one in contoso.assignments_of(one.principal_id)
        assert one in contoso.assigned_to(one.resource_id)
    indexed = sum(len(found) for found in contoso.grants_by_client.values())
    assert indexed == len(contoso.grants)
