"""Which roles somebody holds is known or not known, and never "none" for want of a permission.

The sandbox refuses as Microsoft does: without RoleManagement.Read.Directory no role assignments, without
GroupMember.Read.All no groups, and then groups of a person with their id alone.
https://learn.microsoft.com/graph/permissions-overview#limited-information-returned-for-inaccessible-member-objects
"""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.access import Actor
from accounts.directory_roles import DirectoryRole
from directory import sync
from directory.models import Collection, Person
from directory.roles import KnownRoles
from graph import tokens
from revocation import services
from revocation.rules import protection
from tests.revocation.spine import actor, copy_of
from tests.sandbox_client import PORTAL_CLIENT_ID

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
ROLES, GROUPS = "RoleManagement.Read.Directory", "GroupMember.Read.All"


@pytest.fixture
def without(entra, at_contoso):
    """`without(permission)`: Contoso took it back from the portal, and the portal has noticed."""

    def take_back(*permissions: str) -> None:
        for permission in permissions:
            take_back_permission(entra, permission)
        held = {"Application.ReadWrite.All", "User.Read.All", "User.RevokeSessions.All", ROLES, GROUPS}
        at_contoso.granted_permissions = sorted(held - set(permissions))
        at_contoso.save()
        tokens.forget_everything()
        Collection.objects.filter(tenant=at_contoso, kind=Collection.Kind.ROLES).delete()

    return take_back


def take_back_permission(entra, value: str) -> None:
    """Take one application permission for Graph from the portal in Contoso."""
    api = entra.get(f"servicePrincipals(appId='{GRAPH_APP_ID}')?$select=id,appRoles")
    role = next(one["id"] for one in api["appRoles"] if one["value"] == value)
    portal = entra.get(f"servicePrincipals(appId='{PORTAL_CLIENT_ID}')?$select=id")["id"]
    held = entra.all(f"servicePrincipals/{portal}/appRoleAssignments")
    (assignment,) = [one["id"] for one in held if one["appRoleId"] == role]
    entra.graph("DELETE", f"servicePrincipals/{api['id']}/appRoleAssignedTo/{assignment}").raise_for_status()


def why(tenant, person: Person, by) -> str | None:
    return protection.refusal(tenant, Person.objects.get(pk=person.pk), actor(by))


def test_without_the_permission_to_read_roles_nobody_is_taken_for_having_none(
    without, at_contoso, world, megan, henrietta
):
    without(ROLES)
    boss = copy_of(at_contoso, world, "Megan Bowen", roles_known_at=None)

    report = sync.sync_tenant(at_contoso)

    assert [kind.kind for kind in report.kinds if not kind.complete] == ["roles"]
    boss = Person.objects.get(pk=boss.pk)
    assert ROLES in why(at_contoso, boss, henrietta)
    assert ROLES in protection.refusals(at_contoso, [boss.pk], actor(henrietta))[boss.pk]
    with pytest.raises(services.Protected, match=ROLES):
        services.sign_out(at_contoso, [boss], actor=actor(henrietta), reason="Phishing")


def test_a_group_whose_members_may_not_be_read_may_give_its_role_to_anybody(without, at_contoso, world, henrietta):
    without(GROUPS)
    nestor = copy_of(at_contoso, world, "Nestor Wilke")

    report = sync.sync_tenant(at_contoso)

    (roles,) = [kind for kind in report.kinds if kind.kind == "roles"]
    assert (roles.complete, roles.unreadable) == (True, 1)
    assert GROUPS in why(at_contoso, nestor, henrietta)
    held = KnownRoles(at_contoso).of_person(Person.objects.get(pk=nestor.pk))
    assert held.possible == {DirectoryRole.USER_ADMINISTRATOR}
    # Direct roles were read all the same: an app or a group without a name throws nobody's away.
    megan = Person.objects.get(display_name="Megan Bowen")
    assert DirectoryRole.GLOBAL_ADMINISTRATOR in map(str, megan.role_template_ids)


def test_what_is_not_known_makes_no_difference_to_those_who_may_sign_out_everyone(without, at_contoso, world):
    without(GROUPS, ROLES)
    anybody = copy_of(at_contoso, world, "Nestor Wilke", roles_known_at=None)

    assert protection.refusal(at_contoso, anybody, Actor.command_line()) is None


def test_an_admin_of_the_portal_is_refused_only_where_the_highest_roles_are_possible(
    without, at_contoso, world, isaiah
):
    without(GROUPS)
    sync.sync_tenant(at_contoso)
    anybody = Person.objects.get(display_name="Nestor Wilke")
    assert why(at_contoso, anybody, isaiah) is None

    rows = Collection.objects.filter(tenant=at_contoso, kind=Collection.Kind.ROLES)
    rows.update(possible_roles=[DirectoryRole.GLOBAL_ADMINISTRATOR])
    assert GROUPS in why(at_contoso, anybody, isaiah)


def test_what_was_known_a_day_ago_is_not_known_any_more(entra, at_contoso, henrietta):
    sync.sync_tenant(at_contoso)
    anybody = Person.objects.get(display_name="Nestor Wilke")
    assert why(at_contoso, anybody, henrietta) is None

    long_ago = timezone.now() - timedelta(days=2)
    Collection.objects.filter(tenant=at_contoso, kind="roles").update(complete_at=long_ago)
    Person.objects.filter(pk=anybody.pk).update(roles_known_at=long_ago)
    at_contoso.granted_permissions = [ROLES]

    assert "read the directory again" in why(at_contoso, anybody, henrietta)


def test_whoever_came_after_the_reading_is_not_vouched_for_by_it(entra, at_contoso, henrietta):
    sync.sync_tenant(at_contoso)
    new = Person.objects.create(
        tenant=at_contoso, id=uuid.uuid4(), display_name="New", upn="new@contoso.example", synced_at=timezone.now()
    )

    assert why(at_contoso, new, henrietta)
    assert not KnownRoles(at_contoso).of_person(new).known


# --- Microsoft's table in full ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Diego Siciliani", "Megan Bowen"], ids=["member", "owner"])
def test_members_and_owners_of_a_role_assignable_group_are_out_of_helpdesks_reach(
    entra, at_contoso, name, henrietta, isaiah
):
    """The group holds no role here: that it may hold one is enough."""
    sync.sync_tenant(at_contoso)
    person = Person.objects.get(display_name=name)
    Person.objects.filter(pk=person.pk).update(role_template_ids=[])

    assert "group that can hold directory roles" in why(at_contoso, person, henrietta)
    assert why(at_contoso, person, isaiah) is None


def test_a_role_in_an_administrative_unit_is_out_of_helpdesks_reach(at_contoso, world, henrietta, isaiah):
    """Whether the unit is a restricted one the portal may not see."""
    person = copy_of(
        at_contoso,
        world,
        "Nestor Wilke",
        role_template_ids=[DirectoryRole.HELPDESK_ADMINISTRATOR],
        has_scoped_role=True,
    )

    assert "administrative unit" in why(at_contoso, person, henrietta)
    assert why(at_contoso, person, isaiah) is None


# --- Read again just before -------------------------------------------------------------------------------


def test_a_narrow_reading_never_replaces_a_wider_one(entra, at_contoso, world, henrietta):
    """A custom role is no directoryRole, and the fresh reading cannot be finished: what was known stays known."""
    custom = uuid.UUID("0c0c0c0c-0000-4000-8000-000000000000")
    sync.sync_tenant(at_contoso)
    person = Person.objects.get(display_name="Nestor Wilke")
    person.role_template_ids, person.roles_known_at = [custom], timezone.now() - timedelta(hours=1)
    person.save()
    entra.faults({"path": "transitiveMemberOf", "status": 403, "where": "item"})

    with pytest.raises(services.Protected, match=str(custom)):
        services.sign_out(at_contoso, [person], actor=actor(henrietta), reason="Phishing")

    assert Person.objects.get(pk=person.pk).role_template_ids == [custom]


def test_somebody_who_became_an_administrator_a_moment_ago_is_noticed(entra, at_contoso, henrietta):
    sync.sync_tenant(at_contoso)
    person = Person.objects.get(display_name="Nestor Wilke")
    person.roles_known_at = timezone.now() - timedelta(hours=1)
    person.save()
    change = {"tenant": str(at_contoso.pk), "do": "set_roles", "user": person.upn, "roles": ["Global Administrator"]}
    entra.control("POST", "world", json=change)

    with pytest.raises(services.Protected, match="Global Administrator"):
        services.sign_out(at_contoso, [person], actor=actor(henrietta), reason="Phishing")
