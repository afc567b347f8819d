"""Agents on people's own pages: which act in one's name, by whose word, and what ends them."""

import pytest
from django.urls import reverse

from accounts.tenancy import tenant_context
from directory import agents, sync
from directory.models import ServicePrincipal
from sandbox.catalogue import WOODGROVE
from tests.factories import make_person, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def woodgrove(entra, db):
    tenant = make_tenant(WOODGROVE, "Woodgrove", "woodgrove.example")
    assert sync.sync_tenant(tenant).complete
    return tenant


@pytest.fixture
def somebody(world, woodgrove):
    """`somebody("Greta Ohm")`: one of Woodgrove's people, who may sign in here."""

    def find(name, *roles):
        people = next(one["users"] for one in world["tenants"] if one["id"] == WOODGROVE)
        return make_person(woodgrove, next(one["id"] for one in people if one["displayName"] == name), name, *roles)

    return find


@pytest.fixture
def seen_by(client, sign_in, somebody):
    """`seen_by("Greta Ohm")(address)`: what they see there, its blanks made single."""

    def as_person(name, *roles):
        sign_in(client, somebody(name, *roles))
        return lambda address: " ".join(client.get(address, follow=True).content.decode().split())

    return as_person


@pytest.fixture
def named(woodgrove):
    def find(name):
        with tenant_context(woodgrove.pk):
            return ServicePrincipal.objects.get(display_name=name)

    return find


def test_agents_that_act_in_ones_name_are_listed_with_whose_word_that_is(seen_by):
    greta = seen_by("Greta Ohm")("/")

    assert "Minutes Helper (Berlin)" in greta
    assert "AI agent" in greta
    assert "Granted by you, and inherited from its blueprint" in greta
    assert "2 agents made from it act with this: Read your mail" in greta
    assert "AI agents you answer for" in greta


def test_agents_that_act_for_everyone_are_one_entry_for_their_blueprint(seen_by):
    paula = seen_by("Paula Reyes")("/")

    assert "Minutes Helper (Berlin)" not in paula
    assert "2 agents made from it act with this: Read your mail" in paula
    assert "AI agents you answer for" not in paula


def test_a_blueprints_own_permission_that_no_agent_acts_with_is_nobodys(seen_by, named):
    """Directory.ReadWrite.All was granted to the blueprint, and no agent can have it."""
    page = seen_by("Paula Reyes")(reverse("consent:my-app", args=[named("Minutes Helper").pk]))

    assert "<code>Mail.Read</code>" in page
    assert "<code>Directory.ReadWrite.All</code>" not in page  # among the reasons, not among what agents may do
    assert "an administrator ends that by taking them from the blueprint or by disabling it" in page


def test_it_is_said_before_that_removing_ones_grant_does_not_end_what_is_inherited(seen_by, named, client, entra):
    berlin, look = named("Minutes Helper (Berlin)"), seen_by("Greta Ohm")
    page, remove = (reverse(f"consent:{name}", args=[berlin.pk]) for name in ("my-app", "remove-app"))

    assert "Removing it does not end what it inherits" in look(page)
    assert "Sponsors</dt> <dd> Greta Ohm" in look(page)
    goes_on = "It goes on with what it inherits from its blueprint (Minutes Helper): Mail.Read, User.Read."
    assert goes_on in look(remove)
    after = " ".join(client.post(remove, follow=True).content.decode().split())

    assert "It goes on with what it inherits from its blueprint." in after
    held = entra.get(f"/beta/servicePrincipals/{berlin.pk}/inheritedOauth2PermissionGrants".lstrip("/"), WOODGROVE)
    assert held["value"][0]["scope"] == "User.Read Mail.Read"


def test_one_permission_that_is_inherited_too_is_kept_all_the_same(seen_by, named):
    berlin, graph = named("Minutes Helper (Berlin)"), named("Microsoft Graph")
    look = seen_by("Greta Ohm")

    both = look(reverse("consent:remove-permission", args=[berlin.pk, graph.pk, "User.Read"]))
    own = look(reverse("consent:remove-permission", args=[berlin.pk, graph.pk, "Calendars.Read"]))

    assert "inherits the same permission from its blueprint" in both
    assert "inherits the same permission" not in own


def test_a_sponsor_sees_what_the_agent_may_do_and_a_stranger_nothing(seen_by, named, client):
    address = reverse("consent:my-agent", args=[named("Minutes Helper (Berlin)").pk])

    page = seen_by("Greta Ohm")(address)
    assert "What it inherits" in page
    assert "By itself, with nobody signed in" in page
    seen_by("Paula Reyes")
    assert client.get(address).status_code == 404


def test_an_agent_nobody_sponsors_is_an_orphan_once_that_is_known(woodgrove, named):
    with tenant_context(woodgrove.pk):
        found = [one.display_name for one in agents.orphans(woodgrove)]
        ServicePrincipal.objects.update(ties_read_at=None)
        unknown = agents.orphans(woodgrove).count()

    assert found == ["Minutes Helper (Oslo)"]
    assert unknown == 0


def test_an_agent_stops_with_its_blueprint(woodgrove, named, seen_by):
    blueprint = named("Minutes Helper")
    with tenant_context(woodgrove.pk):
        sync.mark_disabled(woodgrove, blueprint.pk)

    page = seen_by("Greta Ohm")("/")

    assert page.count("Switched off") + page.count("Disabled by an administrator") >= 3
