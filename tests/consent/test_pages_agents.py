"""Agents on people's own pages and on administrators': by whose word they act, and what ends that."""

import pytest
from django.urls import reverse

from accounts.access import Actor
from accounts.models import Membership
from accounts.tenancy import tenant_context
from consent import services
from directory import agents, sync
from directory.models import AgentTie, AppPermission, ServicePrincipal
from graph import tokens
from revocation import services as revocation
from revocation.models import RevocationRequest
from sandbox.agents import MINUTES
from sandbox.catalogue import WOODGROVE, app_id
from sandbox.objects import make_id
from sandbox.odd_cases import KEEPERS
from tests.copied import read_directory
from tests.factories import make_person, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def woodgrove(entra, db):
    tenant = make_tenant(WOODGROVE, "Woodgrove", "woodgrove.example")
    read_directory(tenant)
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


def test_a_blueprints_own_permission_that_no_agent_acts_with_is_nobodys(seen_by, named, client):
    """Directory.ReadWrite.All was granted to the blueprint, and no agent can have it."""
    look = seen_by("Paula Reyes")
    client.post(reverse("looks"), {"technical": "on"})
    page = look(reverse("consent:my-app", args=[named("Minutes Helper").pk]))

    assert "<code>Mail.Read</code>" in page
    assert "<code>Directory.ReadWrite.All</code>" not in page  # among the reasons, not among what agents may do
    assert "an administrator ends that by taking them from the blueprint or by disabling it" in page


def test_it_is_said_before_that_removing_ones_grant_does_not_end_what_is_inherited(seen_by, named, client, entra):
    berlin, look = named("Minutes Helper (Berlin)"), seen_by("Greta Ohm")
    page, remove = (reverse(f"consent:{name}", args=[berlin.pk]) for name in ("my-app", "remove-app"))

    assert "Removing it does not end what it inherits" in look(page)
    assert "Sponsors</dt> <dd> Greta Ohm" in look(page)
    goes_on = "It goes on with what it inherits from its blueprint (Minutes Helper): it can read your mail"
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


def test_who_is_in_a_group_that_sponsors_an_agent_sees_it_once_they_are_looked_at(seen_by, named, woodgrove, client):
    berlin = named("Minutes Helper (Berlin)")
    with tenant_context(woodgrove.pk):
        AgentTie.objects.create(
            tenant=woodgrove,
            agent=berlin,
            role=AgentTie.Role.SPONSOR,
            holder_id=make_id(WOODGROVE, "group", KEEPERS),
            holder_type="group",
            holder_name=KEEPERS,
        )
    look = seen_by("Karl Lindqvist")
    assert f"sponsor through {KEEPERS}" not in look(reverse("consent:my-apps"))

    client.post(reverse("consent:refresh-my-apps"))

    assert f"You are its sponsor through {KEEPERS}." in look(reverse("consent:my-apps"))
    assert "What it inherits" in look(reverse("consent:my-agent", args=[berlin.pk]))


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


# --- Administrators -------------------------------------------------------------------------------------

OWN = ("AgentIdentityBlueprintPrincipal.EnableDisable.All", "AgentIdentityBlueprintPrincipal.DeleteRestore.All")


@pytest.fixture
def allowed(entra, woodgrove):
    """The portal may change agents and blueprints at Woodgrove, and knows it."""
    entra.allow(WOODGROVE, *OWN, "AgentIdentity.DeleteRestore.All")
    sync.sync_tenant(woodgrove, kinds=[])
    woodgrove.refresh_from_db()
    return woodgrove


@pytest.fixture
def wilma(seen_by):
    return seen_by("Wilma Stein", "tenant_admin")


@pytest.fixture
def at(woodgrove, named):
    """`at("disable-app", "Minutes Helper")`: the address of one of the pages about an app."""
    return lambda name, app, *more: reverse(f"consent:{name}", args=[woodgrove.slug, named(app).pk, *more])


def tokens_of_agents(entra):
    """What the vendor's agents are answered when they ask for tokens now."""
    found = entra.http.post(f"{entra.url}/apps/minutes-helper/refresh", timeout=10).json()["connections"]
    return {one["error"] for one in found}


@pytest.fixture
def do(client, woodgrove):
    """`do(address)`: confirm what is said there; the request it became, and the states of its steps."""

    def confirmed(address, **form):
        answer = client.post(address, {"reason": "nobody needs it"} | form, follow=True)
        with tenant_context(woodgrove.pk):
            assert RevocationRequest.objects.exists(), answer.content.decode()
            request = RevocationRequest.objects.latest("created_at")
            return request, [step.state for step in request.steps.order_by("position")]

    return confirmed


def test_a_blueprint_shows_its_agents_what_it_passes_on_and_who_answers_for_it(wilma, at):
    made, passes, ties = (wilma(at("app", "Minutes Helper") + f"?tab={tab}") for tab in ("agents", "passes", "ties"))

    assert "Minutes Helper (Berlin)" in made
    assert 'data-label="Sponsor:"> nobody' in made
    assert "2 agents act with this" in passes
    assert "<code>Mail.Read</code>" in passes
    assert "<code>User.Read.All</code>" in passes
    assert "Sponsors</dt> <dd> Wilma Stein" in ties
    assert "Nobody sponsors it" in wilma(at("app", "Minutes Helper (Oslo)") + "?tab=ties")
    inherited = wilma(at("app", "Minutes Helper (Berlin)") + "?tab=inherited")
    assert "What that blueprint holds for everyone is this agent's too" in inherited


def test_an_agent_nobody_sponsors_needs_a_human(wilma, woodgrove):
    page = wilma(reverse("consent:overview", args=[woodgrove.slug]))

    assert "1 AI agent has no sponsor" in page
    assert "Minutes Helper (Oslo)" in wilma(f"/t/{woodgrove.slug}/apps/?kind=orphans")


def test_without_the_permission_for_blueprints_nothing_is_offered_and_it_is_said_why(wilma, at):
    page = wilma(at("app", "Minutes Helper"))

    assert f"has not granted the portal {OWN[0]}" in page


def test_a_disabled_blueprint_stops_its_agents_and_how_many_is_said_before(wilma, at, allowed, do, entra):
    said = wilma(at("disable-app", "Minutes Helper"))
    before = tokens_of_agents(entra)

    _request, states = do(at("disable-app", "Minutes Helper"))

    assert "2 agents made from it get no new token" in said
    assert before == {None}
    assert states == ["verified"]
    assert tokens_of_agents(entra) == {"AADSTS7000112"}


@pytest.mark.parametrize(("kind", "value"), [("delegated", "Mail.Read"), ("application", "User.Read.All")])
def test_a_permission_is_taken_from_a_blueprint_and_put_back(wilma, at, named, do, entra, kind, value, woodgrove):
    berlin, graph = named("Minutes Helper (Berlin)"), named("Microsoft Graph")
    take = at("take-from-blueprint", "Minutes Helper", graph.pk, kind, value)
    name = "inheritedOauth2PermissionGrants" if kind == "delegated" else "inheritedAppRoleAssignments"

    def held():
        return entra.get(f"beta/servicePrincipals/{berlin.pk}/{name}", WOODGROVE)["value"]

    before = held()
    assert "2 agents made from it lose this with their next token" in wilma(take)
    request, states = do(take)

    assert states == ["verified"]
    assert held() == ([] if kind == "application" else [before[0] | {"scope": "User.Read"}])
    assert f"<code>{value}</code>" not in wilma(at("app", "Minutes Helper") + "?tab=passes")
    with tenant_context(woodgrove.pk):
        assert value not in str(agents.inherited(berlin))
        assert not AppPermission.objects.filter(app_id=berlin.pk, kind=kind, value=value).exists()
        undone = revocation.undo(request, Actor.of(request_author(woodgrove)))
        assert [step.state for step in undone.steps.all()] == ["verified"]
        while sync.work(woodgrove, 5):  # what comes back is Microsoft's to say
            pass
        assert value in str(agents.inherited(berlin))
    scopes = {scope for row in held() for scope in row.get("scope", "").split()}
    assert len(held()) == len(before)
    assert kind == "application" or scopes == {"User.Read", "Mail.Read"}


def test_an_agents_account_has_a_sign_out_of_its_own(wilma, at, do, entra, woodgrove, named):
    berlin = "Minutes Helper (Berlin)"
    with tenant_context(woodgrove.pk):
        account = agents.account_of(named(berlin))
    before = entra.user(WOODGROVE, account.pk)["signInSessionsValidFromDateTime"]
    said = wilma(at("sign-out-account", berlin))

    _request, states = do(at("sign-out-account", berlin))

    assert "It gets the account new tokens whenever it wants" in said
    assert states == ["verified"]
    assert entra.user(WOODGROVE, account.pk)["signInSessionsValidFromDateTime"] > before
    assert "<code>minutes@woodgrove.example</code>" in wilma(at("app", berlin) + "?tab=ties")


def request_author(tenant):
    return Membership.objects.get(tenant=tenant, roles__contains=["tenant_admin"])


def test_what_follows_a_deleted_blueprint_is_said_before_and_comes_back_with_it(wilma, at, allowed, do, entra):
    said = wilma(at("delete-app", "Minutes Helper"))
    _deleted, states = do(at("delete-app", "Minutes Helper"), typed="Minutes Helper")
    stopped = tokens_of_agents(entra)

    restoring = wilma(at("restore-app", "Minutes Helper"))
    _restored, back = do(at("restore-app", "Minutes Helper"))

    assert "2 agents made from it stop at once and are deleted by Microsoft about a day later" in said
    assert "Restored before that, nothing happens to them" in said
    assert states == ["verified"]
    assert stopped == {"AADSTS7000229"}
    assert "come back one by one" in restoring
    assert back[0] == "verified"
    assert tokens_of_agents(entra) == {None}


def test_a_day_after_its_blueprint_an_agent_is_in_the_bin_and_comes_back_by_itself(wilma, allowed, entra, named):
    """https://learn.microsoft.com/entra/agent-id/cascade-deletion-agent-identities"""
    change = {"tenant": WOODGROVE, "app": app_id(MINUTES)}
    entra.control("POST", "world", json=change | {"do": "delete_app"})
    entra.clock(advance=25 * 3600)
    tokens.forget_everything()
    sync.sync_tenant(allowed)
    berlin = named("Minutes Helper (Berlin)")
    entra.control("POST", "world", json=change | {"do": "restore_app"})

    with tenant_context(allowed.pk):
        asked = services.restore_app(allowed, berlin, actor=Actor.of(request_author(allowed)), reason="needed")
        states = [step.state for step in asked.steps.order_by("position")]

    assert berlin.deleted_at
    assert states[0] == "verified"
    listed = {one["id"] for one in entra.all("servicePrincipals", WOODGROVE)}
    assert str(berlin.pk) in listed  # and the other waits to be restored by itself
    assert str(named("Minutes Helper (Oslo)").pk) not in listed
