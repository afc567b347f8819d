"""Names, types and options: what v1.0's metadata has is understood, everything else is refused and never ignored."""

import pytest

from sandbox.catalogue import app_id
from sandbox.objects import GRAPH_APP_ID, make_id
from tests.sandbox.graph import EVENTUAL, Graph, refused

ADELE = "users/adele@contoso.example"
NORTHWIND = f"servicePrincipals(appId='{app_id('Northwind Expenses')}')"
UNKNOWN = "Parsing OData Select and Expand failed: Could not find a property named 'nonsense' on type 'microsoft.graph."


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


@pytest.mark.parametrize(
    "query",
    [
        "$select=Id,DISPLAYNAME&$filter=DisplayName eq 'Adele Vance'",
        "$select=id,displayname&$orderby=DisplayName&$top=1",
        "$select=id,displayName&$filter=USERPRINCIPALNAME eq 'adele@contoso.example'",
    ],
)
def test_names_match_without_regard_to_case(graph, query):
    """https://learn.microsoft.com/graph/traverse-the-graph: API property names are case-insensitive."""
    found = graph.get(f"users?{query}")["value"]

    assert [set(one) for one in found] == [{"id", "displayName"}]
    assert found[0]["displayName"] == "Adele Vance"


def test_what_the_metadata_has_and_nobody_filled_is_null_or_empty(graph):
    found = graph.get(f"{ADELE}?$select=faxNumber,otherMails,onPremisesSyncEnabled")

    assert (found["faxNumber"], found["otherMails"], found["onPremisesSyncEnabled"]) == (None, [], None)


@pytest.mark.parametrize(
    "path",
    [
        "users?$select=nonsense",
        f"{ADELE}?$select=nonsense",
        "servicePrincipals?$expand=nonsense",
        "oauth2PermissionGrants?$select=nonsense",
        "groups?$select=id,nonsense",
        "organization?$select=nonsense",
        "roleManagement/directory/roleAssignments?$select=nonsense",
        "users/delta?$select=nonsense",
    ],
)
def test_a_name_that_v1_does_not_have_is_refused(graph, path):
    """The service's words: https://github.com/microsoftgraph/msgraph-sdk-powershell/issues/2103"""
    refused(graph.send("GET", path), 400, "BadRequest", UNKNOWN)


@pytest.mark.parametrize("path", ["users", "servicePrincipals", "organization", "groups", ADELE])
@pytest.mark.parametrize("option", ["$foo=1", "$apply=aggregate", "$compute=x"])
def test_an_option_that_odata_does_not_have_is_refused(graph, path, option):
    """An option that begins with $ and is unknown must fail:
    https://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part2-url-conventions.html"""
    refused(graph.send("GET", f"{path}?{option}"), 400, "BadRequest", f"'{option.partition('=')[0]}' is not supported")


def test_options_of_ones_own_are_nobodys_business(graph):
    assert graph.get("users?foo=1")["value"]


@pytest.mark.parametrize(
    ("path", "types"),
    [
        ("users?$filter=accountEnabled eq 'true'", ("Boolean", "String")),
        ("users?$filter=displayName eq 5", ("String", "Int32")),
        ("users?$filter=createdDateTime ge '2026-01-01T00:00:00Z'", ("DateTimeOffset", "String")),
        ("servicePrincipals?$filter=appId eq 00000003-0000-0000-c000-000000000000", ("String", "Guid")),
    ],
)
def test_values_in_filters_have_the_types_of_the_metadata(graph, path, types):
    left, right = types

    error = refused(graph.send("GET", path), 400, "BadRequest", "incompatible types")

    assert f"'Edm.{left}' and 'Edm.{right}'" in error["message"]


@pytest.mark.parametrize("clause", ["appRoleAssignmentRequired eq false", "startswith(notes,'x')", "homepage eq 'x'"])
def test_some_properties_are_filtered_by_with_an_advanced_query_only(graph, clause):
    """https://learn.microsoft.com/graph/aad-advanced-queries#service-principal-properties"""
    path = f"servicePrincipals?$count=true&$filter={clause}"

    refused(graph.send("GET", path), 400, "Request_UnsupportedQuery")
    assert graph.send("GET", path, **EVENTUAL).status_code == 200


def test_delta_filters_by_ids_and_nothing_else(graph):
    """https://learn.microsoft.com/graph/delta-query-overview"""
    adele, alex = graph.user("adele").id, graph.user("alex").id

    first = graph.get(f"users/delta?$select=id,jobTitle&$filter=id eq '{adele}' or id eq '{alex}'")
    graph.tenant.update_user(graph.user("megan").id, job_title="x")
    graph.tenant.update_user(alex, job_title="x")

    assert {one["id"] for one in first["value"]} == {adele, alex}
    assert graph.values(first["@odata.deltaLink"], "id") == [alex]
    refused(graph.send("GET", "users/delta?$filter=displayName eq 'x'"), 400, "Request_UnsupportedQuery")


# --- $expand ---------------------------------------------------------------------------------------


def test_relationships_are_sent_along_when_asked_for(graph):
    """https://learn.microsoft.com/graph/query-parameters#expand-parameter"""
    found = graph.get("servicePrincipals?$filter=displayName eq 'Consentry'&$expand=appRoleAssignments")["value"]
    held = graph.get(f"servicePrincipals/{found[0]['id']}/appRoleAssignments")["value"]

    assert found[0]["appRoleAssignments"] == held != []
    one = graph.get(f"servicePrincipals/{found[0]['id']}?$select=id&$expand=oauth2PermissionGrants($select=scope)")
    assert set(one) == {"@odata.context", "id", "oauth2PermissionGrants"}
    assert [set(grant) for grant in one["oauth2PermissionGrants"]] == [{"scope"}]


def test_no_more_than_twenty_are_sent_along_and_no_link_leads_on(graph):
    northwind = graph.tenant.service_principal_for(app_id("Northwind Expenses"))
    for number in range(30):
        user = graph.tenant.add_user(_somebody(graph, number))
        graph.tenant.assign(user.id, "User", northwind.id)

    found = graph.get(f"{NORTHWIND}?$expand=appRoleAssignedTo")

    assert len(found["appRoleAssignedTo"]) == 20
    assert not [name for name in found if "nextLink" in name]


def test_expanded_objects_that_one_may_not_read_are_limited(served):
    reader = Graph.as_app_with(served, "User.Read.All")

    found = reader.get(f"{ADELE}?$select=id&$expand=memberOf($select=id,displayName)")["memberOf"]

    assert found
    assert {one["displayName"] for one in found} == {None}


@pytest.mark.parametrize("path", [f"{ADELE}?$expand=drive", "users?$expand=memberOf($top=1)", "users?$expand=*"])
def test_what_cannot_be_expanded_is_refused(graph, path):
    assert graph.send("GET", path).status_code == 400


def test_expanding_does_not_go_with_advanced_queries(graph):
    """https://learn.microsoft.com/graph/aad-advanced-queries"""
    answer = graph.send("GET", "users?$count=true&$expand=memberOf", **EVENTUAL)

    refused(answer, 400, "Request_UnsupportedQuery")


# --- bodies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"nonsense": 1}, "Invalid property 'nonsense'."),
        ({"Notes": "x"}, "Invalid property 'Notes'."),
        ({"accountEnabled": "no"}, "Invalid value specified for property 'accountEnabled' of resource"),
        ({"replyUrls": "https://x.example"}, "Invalid value specified for property 'replyUrls'"),
        ({"replyUrls": [1]}, "Invalid value specified for property 'replyUrls'"),
        ({"tags": None}, "Invalid value specified for property 'tags'"),
        ({"info": {"nonsense": 1}}, "Invalid property 'nonsense'."),
        ({"appOwnerOrganizationId": "x"}, "Invalid value specified for property 'appOwnerOrganizationId'"),
    ],
    ids=str,
)
def test_a_body_holds_what_the_metadata_has(graph, body, words):
    """The service's words: https://github.com/pnp/PnP-Sites-Core/issues/1807"""
    before = graph.tenant.sequence

    refused(graph.patch(NORTHWIND, body), 400, "Request_BadRequest", words)

    assert graph.tenant.sequence == before


def test_what_means_nothing_to_the_sandbox_is_kept_all_the_same(graph):
    assert graph.patch(NORTHWIND, {"preferredSingleSignOnMode": "saml", "loginUrl": "https://x.example"}).ok

    found = graph.get(f"{NORTHWIND}?$select=preferredSingleSignOnMode,loginUrl")

    assert (found["preferredSingleSignOnMode"], found["loginUrl"]) == ("saml", "https://x.example")


def test_a_grant_has_no_beginning_and_no_end_in_v1(graph):
    """https://learn.microsoft.com/graph/api/resources/oauth2permissiongrant"""
    api = graph.tenant.service_principal_for(GRAPH_APP_ID).id
    northwind = graph.tenant.service_principal_for(app_id("Northwind Expenses")).id
    body = {"clientId": northwind, "resourceId": api, "consentType": "AllPrincipals", "scope": "User.Read"}

    answer = graph.post("oauth2PermissionGrants", body | {"expiryTime": "2027-01-01T00:00:00Z"})

    refused(answer, 400, "Request_BadRequest", "Invalid property 'expiryTime'.")


def _somebody(graph, number):
    adele = graph.user("adele")
    upn = f"somebody{number}@contoso.example"
    return type(adele)(make_id(upn), f"Somebody {number}", upn, upn, adele.created, adele.created)
