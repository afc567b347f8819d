"""Who may sign out whom: Microsoft's table, guests, emergency accounts, oneself; and apps that nobody may touch."""

import uuid

import pytest
from django.utils import timezone

from accounts.access import Actor
from accounts.directory_roles import PLAIN_USER, DirectoryRole
from audit.models import AuditEntry, AuditEvent
from directory.models import Person, ServicePrincipal
from revocation import services
from revocation.models import RevocationRequest
from revocation.rules import protection as rules
from tests.revocation.spine import actor

USER_ADMIN = DirectoryRole.USER_ADMINISTRATOR
APP_ADMIN = DirectoryRole.APPLICATION_ADMINISTRATOR
CUSTOM = "0c0c0c0c-0000-4000-8000-000000000000"
READER = DirectoryRole.DIRECTORY_READERS


@pytest.fixture
def somebody(at_contoso):
    def make(*roles: str, pk=None, **fields) -> Person:
        return Person.objects.create(
            tenant=at_contoso,
            id=pk or uuid.uuid4(),
            display_name="Somebody",
            upn="somebody@contoso.example",
            role_template_ids=list(roles),
            synced_at=timezone.now(),
            **({"roles_known_at": timezone.now()} | fields),
        )

    return make


APPS = frozenset({"user", "app_admin"})
HELPDESK, ADMIN = frozenset({"user", "helpdesk"}), frozenset({"user", "tenant_admin"})


@pytest.mark.parametrize(
    ("portal_roles", "own_roles", "target_roles", "allowed"),
    [
        (APPS, [APP_ADMIN], [], False),
        (HELPDESK, [], [], True),
        (HELPDESK, [], [READER], True),
        (HELPDESK, [], [PLAIN_USER], True),
        (HELPDESK, [], [DirectoryRole.HELPDESK_ADMINISTRATOR, READER], True),
        (HELPDESK, [], [USER_ADMIN], False),
        (HELPDESK, [], [APP_ADMIN], False),
        (HELPDESK, [], [CUSTOM], False),
        (HELPDESK, [], [READER, DirectoryRole.GLOBAL_ADMINISTRATOR], False),
        (HELPDESK, [USER_ADMIN], [USER_ADMIN], True),
        (HELPDESK, [DirectoryRole.AUTHENTICATION_ADMINISTRATOR], [DirectoryRole.AUTHENTICATION_ADMINISTRATOR], True),
        (HELPDESK, [DirectoryRole.GLOBAL_ADMINISTRATOR], [DirectoryRole.GLOBAL_ADMINISTRATOR], True),
        (ADMIN, [], [APP_ADMIN], True),
        (ADMIN, [], [CUSTOM], True),
        (ADMIN, [], [DirectoryRole.GLOBAL_ADMINISTRATOR], False),
        (ADMIN, [APP_ADMIN], [DirectoryRole.PRIVILEGED_ROLE_ADMINISTRATOR], False),
        (ADMIN, [DirectoryRole.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR], [DirectoryRole.GLOBAL_ADMINISTRATOR], True),
    ],
)
def test_the_role_table_decides(at_contoso, somebody, portal_roles, own_roles, target_roles, allowed):
    me, target = somebody(*own_roles), somebody(*target_roles)
    acting = Actor(str(me.pk), "Me", roles=portal_roles, tenant_id=at_contoso.id, user_id=uuid.uuid4())

    assert (rules.refusal(at_contoso, target, acting) is None) is allowed
    assert (rules.refusals(at_contoso, [target.pk], acting) == {}) is allowed


def test_the_operators_shell_reaches_everybody(at_contoso, somebody):
    assert rules.refusal(at_contoso, somebody(DirectoryRole.GLOBAL_ADMINISTRATOR), Actor.command_line()) is None


def test_nobody_can_pass_for_the_shell(at_contoso, somebody):
    forged = Actor("command-line", "x", roles=HELPDESK, user_id=uuid.uuid4())

    assert rules.refusal(at_contoso, somebody(DirectoryRole.GLOBAL_ADMINISTRATOR), forged)


def test_a_guest_is_refused_with_the_home_organisation(at_contoso, somebody):
    guest = somebody(is_external=True, home_domain="fabrikam.example")

    assert "fabrikam.example" in rules.refusal(at_contoso, guest, Actor.command_line())
    assert "fabrikam.example" in rules.refusals(at_contoso, [guest.pk], Actor.command_line())[guest.pk]


def test_a_mass_action_leaves_its_author_and_emergency_accounts_out(at_contoso, somebody, megan):
    me, emergency, other = somebody(pk=megan.object_id), somebody(), somebody()
    at_contoso.break_glass_ids = [emergency.pk]

    found = rules.refusals(at_contoso, [me.pk, emergency.pk, other.pk], actor(megan))

    assert set(found) == {me.pk, emergency.pk}


def test_a_list_costs_a_fixed_number_of_queries(at_contoso, somebody, megan, django_assert_num_queries):
    people = [somebody().pk for _ in range(30)]

    for size in (3, 30):
        with django_assert_num_queries(3):
            rules.refusals(at_contoso, people[:size], actor(megan))


def test_another_tenants_people_are_unknown(at_contoso, fabrikam, somebody, megan):
    assert rules.refusals(fabrikam, [somebody().pk], actor(megan)) == {}


def test_a_refused_sign_out_is_recorded_and_nothing_is_begun(at_contoso, somebody, henrietta):
    boss = somebody(DirectoryRole.GLOBAL_ADMINISTRATOR)

    with pytest.raises(services.Protected, match="Global Administrator"):
        services.sign_out(at_contoso, [boss], actor=actor(henrietta), reason="Curious")

    assert AuditEntry.objects.get().event == AuditEvent.REVOCATION_REFUSED
    assert not RevocationRequest.objects.exists()


@pytest.mark.parametrize(
    ("fields", "protected"),
    [
        ({"owner_tenant_id": "f8cdef31-a31e-4b4a-93e4-5f571e91255a"}, True),
        ({"app_id": "c0c0c0c0-0000-4000-8000-000000000001"}, True),
        ({}, False),
    ],
)
def test_apps_of_microsoft_and_the_portal_itself_are_protected(at_contoso, fields, protected):
    values = {"id": uuid.uuid4(), "app_id": uuid.uuid4(), "display_name": "An app", "synced_at": timezone.now()}
    app = ServicePrincipal.objects.create(tenant=at_contoso, **(values | fields))
    app.refresh_from_db()

    assert bool(rules.app_refusal(at_contoso, app)) is protected
