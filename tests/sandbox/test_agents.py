"""Agents on the wire: what they inherit, who stands for them, and the tokens their blueprint vouches for."""

import pytest
import requests

from sandbox import seed
from sandbox.agents import CONNECTOR_CLIENT, DESK, RESEARCH
from sandbox.catalogue import CONTOSO, WOODGROVE, app_id
from sandbox.identity.agents import EXCHANGE
from sandbox.objects import GRAPH_APP_ID, make_id
from sandbox.odd_cases import BLUEPRINT_APP_ID
from tests.sandbox.client import Client, claims
from tests.sandbox.graph import Graph, refused

AGENT, NAMELESS = (make_id(WOODGROVE, "agent", place) for place in ("Berlin", "Oslo"))
BLUEPRINT = make_id(WOODGROVE, "servicePrincipal", BLUEPRINT_APP_ID)
CAST, ELEMENT = "servicePrincipals/microsoft.graph.agentIdentity", "servicePrincipals/{}/microsoft.graph.agentIdentity"


@pytest.fixture
def graph(served):
    return Graph.as_portal(served, WOODGROVE)


@pytest.fixture
def token(served):
    """`token(client_id, **form)`: what the token endpoint of Woodgrove answers."""

    def ask(client_id, **form):
        url = f"{served.url}/{WOODGROVE}/oauth2/v2.0/token"
        return requests.post(url, data={"client_id": client_id} | form, timeout=10).json()

    return ask


@pytest.fixture
def vouched(token):
    """The blueprint's word for an agent."""

    def ask(agent_id):
        secret = "sandbox-minutes-helper-secret"
        given = {"grant_type": "client_credentials", "scope": f"{EXCHANGE}/.default", "fmi_path": agent_id}
        return token(BLUEPRINT_APP_ID, client_secret=secret, **given)

    return ask


@pytest.fixture
def by_itself(token, vouched):
    def ask(agent_id, scope="https://graph.microsoft.com/.default", vouched_for=None):
        first = vouched(vouched_for or agent_id)
        if "access_token" not in first:
            return first
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form = {"client_assertion_type": kind, "client_assertion": first["access_token"], "scope": scope}
        return token(agent_id, grant_type="client_credentials", **form)

    return ask


# --- who stands for an agent -----------------------------------------------------------------------


def test_sponsors_and_owners_are_read_in_either_spelling_and_with_the_list(served, graph):
    """https://learn.microsoft.com/graph/api/agentidentity-list-sponsors"""
    greta, wilma = graph.user("greta").id, graph.user("wilma").id
    reader = Graph.as_app_with(served, "AgentIdentity.Read.All", "User.Read.All", tenant_id=WOODGROVE)

    for path in (f"servicePrincipals/{AGENT}", f"{CAST}/{AGENT}", ELEMENT.format(AGENT)):
        assert graph.values(f"{path}/sponsors", "id") == [greta]
        assert graph.values(f"{path}/owners", "id") == [wilma]
    rows = {one["id"]: one for one in reader.get(f"{CAST}?$expand=sponsors&$top=100")["value"]}

    assert [one["id"] for one in rows[AGENT]["sponsors"]] == [greta]
    assert rows[NAMELESS]["sponsors"] == []
    identity = make_id(WOODGROVE, "managedIdentity", "backup-vm")
    refused(graph.send("GET", f"servicePrincipals/{identity}/sponsors"), 400, "BadRequest")


def test_a_sponsor_is_named_and_let_go_with_a_permission_of_its_own(served, graph):
    """https://learn.microsoft.com/graph/api/agentidentity-post-sponsors"""
    path = f"servicePrincipals/{AGENT}/sponsors"
    body = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{graph.user('paula').id}"}
    keeper = Graph.as_app_with(served, "AgentIdentity.UpdateSponsors.All", tenant_id=WOODGROVE)

    refused(graph.post(f"{path}/$ref", body), 403, "Authorization_RequestDenied")
    assert keeper.post(f"{path}/$ref", body).status_code == 204
    refused(keeper.post(f"{path}/$ref", body), 400, "Request_BadRequest")
    assert set(graph.values(path, "displayName")) == {"Greta Ohm", "Paula Reyes"}
    assert keeper.delete(f"{path}/{graph.user('greta').id}/$ref").status_code == 204
    assert graph.values(path, "displayName") == ["Paula Reyes"]


# --- what an agent inherits ------------------------------------------------------------------------


def test_what_an_agent_inherits_is_what_its_blueprint_was_granted_for_everybody(graph):
    """https://learn.microsoft.com/graph/api/agentidentity-list-inheritedoauth2permissiongrants?view=graph-rest-beta"""
    path = f"/beta/{CAST}/{AGENT}"
    scopes = graph.get(f"{path}/inheritedOauth2PermissionGrants")["value"]
    roles = graph.get(f"{path}/inheritedAppRoleAssignments")["value"]

    assert [(one["clientId"], one["consentType"], one["scope"]) for one in scopes] == [
        (AGENT, "AllPrincipals", "User.Read Mail.Read")  # and not Directory.ReadWrite.All, which no agent can have
    ]
    assert [one["principalId"] for one in roles] == [AGENT]
    refused(graph.delete(f"oauth2PermissionGrants/{scopes[0]['id']}"), 404, "Request_ResourceNotFound")
    refused(graph.send("GET", f"{path}/inheritedOauth2PermissionGrants?$top=5"), 400, "BadRequest")
    blueprint = f"/beta/servicePrincipals/{BLUEPRINT}/inheritedAppRoleAssignments"
    refused(graph.send("GET", blueprint), 404, "Request_ResourceNotFound")
    refused(graph.send("GET", f"{CAST}/{AGENT}/inheritedAppRoleAssignments"), 400, "BadRequest")
    assert graph.post(f"{path}/inheritedAppRoleAssignments", {}).status_code == 405


@pytest.mark.parametrize("passed", ["none", ("User.Read",)], ids=["nothing is passed on", "some scopes"])
def test_the_publisher_says_what_is_passed_on(served, graph, passed):
    rule = served.world.applications[BLUEPRINT_APP_ID].inheritable
    rule[0] = type(rule[0])(GRAPH_APP_ID, scopes=passed, roles="none")

    scopes = graph.get(f"/beta/{CAST}/{AGENT}/inheritedOauth2PermissionGrants")["value"]

    assert [one["scope"] for one in scopes] == ([] if passed == "none" else ["User.Read"])
    assert graph.get(f"/beta/{CAST}/{AGENT}/inheritedAppRoleAssignments")["value"] == []


def test_some_permissions_nobody_gives_to_an_agent(served, graph):
    """https://learn.microsoft.com/graph/api/resources/agentid-platform-overview"""
    api = graph.tenant.service_principal_for(GRAPH_APP_ID)
    grant = {"clientId": AGENT, "consentType": "AllPrincipals", "resourceId": api.id}
    role = {"principalId": AGENT, "resourceId": api.id, "appRoleId": api.app_role("Files.Read.All").id}

    refused(graph.post("oauth2PermissionGrants", grant | {"scope": "User.ReadWrite.All"}), 400, "Request_BadRequest")
    refused(graph.post(f"servicePrincipals/{AGENT}/appRoleAssignments", role), 400, "Request_BadRequest")
    assert graph.post("oauth2PermissionGrants", grant | {"scope": "Files.Read.All"}).status_code == 201


# --- consent ---------------------------------------------------------------------------------------


@pytest.fixture
def to_berlin(served, browser):
    """The agent as the client of an authorization request; answers go to its blueprint's address."""
    home = "http://localhost/apps/minutes-helper/callback"
    return Client(served.url, browser, app_id=AGENT, redirect_uri=home, scope="Notes.Read", authority=WOODGROVE)


def test_a_person_consents_to_an_agent_and_the_blueprint_is_told_nothing_but_that(to_berlin, graph):
    """https://learn.microsoft.com/entra/agent-id/identity-platform/interactive-agent-authentication-authorization-flow"""
    paula = graph.user("paula").id

    answer = to_berlin.code("Paula Reyes", response_type="none")

    assert answer == {"state": "the-state"}
    grants = {one.principal_id: one.scope for one in graph.tenant.grants_of_client(AGENT)}
    assert grants[paula].split() == ["Notes.Read"]
    assert to_berlin.authorize(response_type="code").answer["error"] == "unsupported_response_type"


def test_an_admin_consents_to_an_agent_for_everybody(to_berlin, browser, graph):
    address = f"/{WOODGROVE}/v2.0/adminconsent"
    asked = {"client_id": AGENT, "redirect_uri": to_berlin.redirect_uri, "scope": "Notes.Read", "state": "s"}

    answer = browser.press(browser.press(browser.open(address, **asked), "Wilma Stein"), "Accept").answer

    assert (answer["admin_consent"], answer["tenant"]) == ("True", WOODGROVE)
    assert "Notes.Read" in {one.scope for one in graph.tenant.grants_of_client(AGENT) if one.principal_id is None}


# --- tokens ----------------------------------------------------------------------------------------


def test_an_agent_asks_with_its_blueprints_word_and_holds_what_it_inherits(by_itself):
    """https://learn.microsoft.com/entra/agent-id/identity-platform/agent-token-claims"""
    for agent_id in (AGENT, NAMELESS):
        found = claims(by_itself(agent_id)["access_token"])

        assert (found["appid"], found["oid"], found["idtyp"]) == (agent_id, agent_id, "app")
        assert (found["xms_par_app_azp"], found["xms_sub_fct"]) == (BLUEPRINT_APP_ID, "11")
        assert found["roles"] == ["User.Read.All"]


def test_the_word_for_one_agent_is_no_good_for_another(by_itself, token):
    assert by_itself(NAMELESS, vouched_for=AGENT)["error_codes"] == [700023]
    assert token(AGENT, grant_type="client_credentials", scope="x")["error_codes"] == [900144]


@pytest.mark.parametrize("object_id", [AGENT, BLUEPRINT], ids=["the agent", "its blueprint"])
def test_who_is_switched_off_anywhere_in_the_chain_gets_no_token(graph, by_itself, object_id):
    """https://learn.microsoft.com/troubleshoot/entra/entra-id/app-integration/error-code-aadsts7000112-application-is-disabled"""
    graph.tenant.update_service_principal(object_id, enabled=False)

    assert by_itself(AGENT)["error_codes"] == [7000112]
    assert ("access_token" in by_itself(NAMELESS)) == (object_id == AGENT)


def test_an_agent_acts_as_its_own_account(by_itself, token, vouched):
    """https://learn.microsoft.com/entra/agent-id/identity-platform/agent-user-oauth-flow"""
    form = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": vouched(AGENT)["access_token"],
        "user_federated_identity_credential": by_itself(AGENT, f"{EXCHANGE}/.default")["access_token"],
        "scope": "https://graph.microsoft.com/Mail.Read",
    }

    found = claims(token(AGENT, grant_type="user_fic", username="minutes@woodgrove.example", **form)["access_token"])
    stranger = token(AGENT, grant_type="user_fic", username="greta@woodgrove.example", **form)

    assert (found["idtyp"], found["xms_sub_fct"], found["scp"]) == ("user", "13", "Mail.Read User.Read")
    assert stranger["error_codes"] == [50034]


def test_what_runs_the_agents_tells_which_of_them_still_work(served, browser, graph):
    def tried():
        answer = browser.http.post(f"{served.url}/apps/minutes-helper/refresh", data={}, timeout=10)
        return {one["name"]: one["error"] for one in answer.json()["connections"]}

    works = tried()
    graph.tenant.update_service_principal(BLUEPRINT, enabled=False)

    assert works == dict.fromkeys(works)
    assert {"Minutes Helper (Berlin)", "Minutes Helper (Berlin), for Greta Ohm"} <= set(works)
    assert set(tried().values()) == {"AADSTS7000112"}


def test_the_whole_directory_in_hand_spoils_the_permissions_for_agents(served):
    """ "Ignored for clients that hold these": the pages of every write to agents."""
    spoilt = ("AgentIdentity.EnableDisable.All", "Directory.ReadWrite.All")
    caller = Graph.as_app_with(served, *spoilt, tenant_id=WOODGROVE)

    refused(caller.patch(f"{CAST}/{AGENT}", {"accountEnabled": False}), 403, "Authorization_RequestDenied")


# --- the demo's cast -------------------------------------------------------------------------------


def test_the_demo_has_agents_a_pair_of_connectors_and_a_wave_of_consents():
    contoso = seed.world("demo").tenants[CONTOSO]
    research = contoso.agents_of(app_id(RESEARCH))
    wave = [one for one in contoso.audit.newest_first() if one["activityDisplayName"] == "Consent to application"]

    assert [bool(one.sponsors) for one in research] == [True, True, False]
    assert [one.agent_id for one in contoso.users.values() if one.agent_id] == [contoso.agents_of(app_id(DESK))[0].id]
    assert any("AgentCreatedBy:CopilotStudio" in one.tags for one in contoso.service_principals.values())
    assert len(contoso.grants_of_client(contoso.service_principal_for(CONNECTOR_CLIENT[0]).id)) == len(wave) / 2 == 7
    assert seed.world("contoso").tenants[CONTOSO].agents_of(app_id(RESEARCH)) == []


def test_one_in_forty_apps_of_a_large_tenant_is_an_agent():
    tenant = seed.world("contoso", users=20, apps=120, grants=50).tenants[CONTOSO]
    agents = [one for one in tenant.service_principals.values() if one.blueprint_app_id]

    assert len(agents) == 3
    assert tenant.inherited_scopes(agents[0].id)
