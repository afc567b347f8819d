"""Agents, read into the copy: what they are made from, who answers for them, what they inherit.

Woodgrove let the portal in before there were permissions for agents; each of the two ways of reading is tried.
"""

import uuid

import pytest

from accounts.tenancy import tenant_context
from directory import sync
from directory.models import AgentTie, AppPermission, Collection, InheritedGrant, Person, ServicePrincipal
from directory.sync import agents
from graph.client import GraphClient
from graph.types import AppKind, ServicePrincipal as Read
from sandbox.agents import MINUTES
from sandbox.catalogue import WOODGROVE, app_id
from sandbox.objects import make_id
from tests.factories import make_tenant

AGENT, NAMELESS = (uuid.UUID(make_id(WOODGROVE, "agent", place)) for place in ("Berlin", "Oslo"))
Role = AgentTie.Role


@pytest.fixture
def woodgrove(entra, db):
    tenant = make_tenant(WOODGROVE, "Woodgrove", "woodgrove.example")
    with tenant_context(tenant.pk):
        yield tenant


def ties():
    return {(tie.agent_id, tie.role, tie.holder_name) for tie in AgentTie.objects.all()}


def inherited():
    return {
        (one.agent_id, one.kind, tuple(one.scopes), one.blueprint.display_name if one.blueprint else None)
        for one in InheritedGrant.objects.select_related("blueprint")
    }


def test_who_answers_for_an_agent_and_what_it_inherits_is_known(woodgrove):
    sync.sync_tenant(woodgrove)

    blueprint = ServicePrincipal.objects.get(kind=ServicePrincipal.Kind.BLUEPRINT)
    assert ties() == {
        (AGENT, Role.SPONSOR, "Greta Ohm"),
        *((pk, Role.OWNER, "Wilma Stein") for pk in (AGENT, NAMELESS, blueprint.pk)),
        (blueprint.pk, Role.SPONSOR, "Wilma Stein"),
    }
    assert inherited() == {
        (pk, kind, scopes, "Minutes Helper")
        for pk in (AGENT, NAMELESS)
        for kind, scopes in (("delegated", ("User.Read", "Mail.Read")), ("application", ("User.Read.All",)))
    }
    assert ServicePrincipal.objects.filter(ties_read_at__isnull=False).count() == 3
    assert Person.objects.get(is_agent=True).agent_id == AGENT
    assert Collection.objects.get(kind=Collection.Kind.AGENTS).complete_at


def test_with_the_permission_for_it_sponsors_come_with_the_list(woodgrove, entra):
    sync.sync_tenant(woodgrove)
    one_by_one, asked = ties(), of_agents(entra)
    entra.allow(WOODGROVE, "AgentIdentity.Read.All")
    AgentTie.objects.all().delete()
    ServicePrincipal.objects.update(ties_read_at=None)
    before = len(entra.requests())

    sync.sync_tenant(woodgrove)

    assert ties() == one_by_one
    assert sorted(asked) == ["owners"] * 3 + ["sponsors"] * 3
    assert sorted(of_agents(entra, since=before)) == ["owners", "sponsors"]  # of the blueprint alone


def of_agents(entra, since=0):
    """What single agents and blueprints were asked for."""
    paths = [one["path"] for one in entra.requests()[since:] if one["in_batch"]]
    ends = (path.rsplit("/", 1)[1] for path in paths if "/servicePrincipals/" in path)
    return [end for end in ends if end in ("owners", "sponsors")]


def test_what_agents_inherit_costs_by_blueprints_not_by_agents(woodgrove, entra):
    sync.sync_tenant(woodgrove)

    asked = [one["path"] for one in entra.requests() if "inherited" in one["path"]]

    assert len(asked) == 2  # scopes and roles, of one agent of the one blueprint


def test_what_a_blueprint_no_longer_holds_is_gone_with_the_next_reading(woodgrove, entra):
    sync.sync_tenant(woodgrove)
    entra.control("POST", "world", json={"tenant": WOODGROVE, "do": "withdraw", "app": app_id(MINUTES)})

    agents.read(woodgrove, GraphClient(woodgrove.pk))

    assert {kind for _agent, kind, *_rest in inherited()} == {"application"}


def test_what_cannot_be_read_stays_as_it_was_and_is_said(woodgrove, entra):
    sync.sync_tenant(woodgrove)
    before, known = inherited(), Collection.objects.get(kind=Collection.Kind.AGENTS).complete_at
    entra.faults({"path": "inherited", "status": 403, "code": "Authorization_RequestDenied"})

    agents.read(woodgrove, GraphClient(woodgrove.pk))

    collection = Collection.objects.get(kind=Collection.Kind.AGENTS)
    assert inherited() == before
    assert (collection.complete_at, bool(collection.error)) == (known, True)


def test_an_agent_is_rated_by_all_it_may_do_and_by_its_blueprints_publisher(woodgrove):
    sync.sync_tenant(woodgrove)

    oslo = ServicePrincipal.objects.get(pk=NAMELESS)
    rules = {reason["rule"] for reason in oslo.risk_reasons}
    assert oslo.risk == 3
    assert (oslo.publisher_name, oslo.publisher_verified) == ("Fabrikam", True)  # its blueprint's
    assert "unverified" not in rules
    sync.refresh_app(woodgrove, NAMELESS)
    oslo.refresh_from_db()
    assert oslo.publisher_name == "Fabrikam"  # whatever reads the agent by itself
    assert oslo.has_admin_consent
    held = set(AppPermission.objects.filter(app=oslo).values_list("value", "kind", "everyone"))
    assert {("Mail.Read", "delegated", True), ("User.Read.All", "application", True)} <= held
    assert ("Calendars.Read", "delegated", False) in held  # Greta's own


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        (["AgentCreatedBy:CopilotStudio", "x"], AppKind.OLDER_AGENT),
        (["power-virtual-agents-7"], AppKind.OLDER_AGENT),
        (["WindowsAzureActiveDirectoryIntegratedApp"], AppKind.APPLICATION),
    ],
)
def test_an_older_agent_is_told_by_its_tags(tags, kind):
    """https://learn.microsoft.com/entra/agent-id/migrate-copilot-studio-agents-to-agent-id"""
    row = {"id": str(uuid.uuid4()), "servicePrincipalType": "Application", "tags": tags}

    assert Read.read(row).kind == kind
