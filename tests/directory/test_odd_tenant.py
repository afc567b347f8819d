"""Woodgrove, read by the portal: custom and scoped roles, members and owners, external members, agents.

The sandbox's tenant of exceptions that Microsoft's documents know; the portal has to read each for what it is.
"""

from uuid import UUID

import pytest

from accounts.access import Actor
from accounts.directory_roles import DirectoryRole
from accounts.tenancy import tenant_context
from directory import selectors, sync
from directory.models import Person, ServicePrincipal
from directory.roles import KnownRoles
from revocation.rules import protection
from sandbox.odd_cases import SESSION_KEEPER
from tests.factories import make_tenant

WOODGROVE = "44444444-4444-4444-8444-444444444444"
Kind = ServicePrincipal.Kind


@pytest.fixture
def woodgrove(entra, db):
    tenant = make_tenant(WOODGROVE, "Woodgrove", "woodgrove.example")
    with tenant_context(tenant.pk):
        report = sync.sync_tenant(tenant)
        assert report.complete, report.facts()
        yield tenant


@pytest.fixture
def helpdesk(woodgrove):
    oscar = person("Oscar")
    return Actor(str(oscar.pk), "Oscar", frozenset({"user", "helpdesk"}), woodgrove.pk, oscar.pk)


def person(name: str) -> Person:
    return Person.objects.get(display_name__startswith=name)


def test_roles_of_every_make_are_read(woodgrove):
    known = KnownRoles(woodgrove)
    paula, ines, karl, greta = (known.of_person(person(name)) for name in ("Paula", "Ines", "Karl", "Greta"))

    assert paula.held == {SESSION_KEEPER}
    assert (ines.held, ines.scoped) == ({DirectoryRole.USER_ADMINISTRATOR}, True)
    assert (karl.held, karl.in_role_group) == ({DirectoryRole.PRIVILEGED_ROLE_ADMINISTRATOR}, True)
    assert (greta.held, greta.in_role_group) == (frozenset(), True)
    assert known.of_person(person("Hugo")).in_role_group is False


@pytest.mark.parametrize("name", ["Paula", "Ines", "Karl", "Greta", "Bea", "Wilma", "Allan", "Minutes"])
def test_helpdesk_may_not_sign_them_out(woodgrove, helpdesk, name):
    target = person(name)

    assert protection.refusal(woodgrove, target, helpdesk)
    assert target.pk in protection.refusals(woodgrove, [target.pk], helpdesk)


@pytest.mark.parametrize("name", ["Hugo", "Iris"], ids=["a plain member", "an internal guest"])
def test_helpdesk_may_sign_them_out(woodgrove, helpdesk, name):
    assert protection.refusal(woodgrove, person(name), helpdesk) is None


@pytest.mark.parametrize("name", ["Paula", "Ines", "Karl"])
def test_one_person_read_again_is_read_as_widely_as_in_the_list(woodgrove, name):
    before = person(name)

    sync.refresh_person(woodgrove, before.pk)

    after = person(name)
    assert (after.role_template_ids, after.has_scoped_role) == (before.role_template_ids, before.has_scoped_role)
    assert after.roles_known_at > before.roles_known_at


def test_kinds_and_what_goes_with_a_blueprint_are_known(woodgrove):
    kinds = dict(ServicePrincipal.objects.values_list("display_name", "kind"))

    assert kinds["backup-vm"] == Kind.MANAGED_IDENTITY
    assert kinds["Minutes Helper (Oslo)"] == Kind.AGENT
    blueprint = ServicePrincipal.objects.get(kind=Kind.BLUEPRINT)
    assert selectors.what_deleting_hits(blueprint).agents == 2


def test_an_agents_account_is_nobody_in_the_list_of_people(woodgrove):
    names = {one.display_name for one in selectors.people(woodgrove).items}

    assert "Iris Falk" in names
    assert not [name for name in names if name.startswith("Minutes")]
    assert isinstance(person("Minutes").pk, UUID)
