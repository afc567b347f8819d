"""People as Graph shows them: which properties come, and how lists are narrowed."""

from urllib.parse import quote

import pytest

from tests.sandbox.graph import EVENTUAL, Graph, refused

DEFAULT = {
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
}


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


def found(graph, options, **headers):
    separator = "&" if options else ""
    path = f"users?{options}{separator}$select=displayName"
    return [name.split()[0] for name in graph.values(path, "displayName", **headers)]


def filtered(graph, text, *, advanced=False):
    if advanced:
        return found(graph, f"$count=true&$filter={quote(text)}", **EVENTUAL)
    return found(graph, f"$filter={quote(text)}")


def test_only_the_default_properties_come_unasked(graph):
    assert set(graph.get("users/adele@contoso.example")) == DEFAULT | {"@odata.context"}
    assert set(graph.get("users")["value"][0]) == DEFAULT


def test_select_brings_the_rest_and_shows_in_the_context(graph):
    fields = "id,accountEnabled,userType,createdDateTime,signInSessionsValidFromDateTime"

    lee = graph.get(f"users/lee@contoso.example?$select={fields}")

    assert set(lee) == {*fields.split(","), "@odata.context"}
    assert lee["accountEnabled"] is False
    assert lee["userType"] == "Member"
    assert lee["signInSessionsValidFromDateTime"] == graph.user("lee").valid_from.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert lee["@odata.context"].endswith(f"/v1.0/$metadata#users({fields})/$entity")


def test_a_property_of_another_version_is_unknown(graph):
    fields = "$select=refreshTokensValidFromDateTime"

    refused(graph.send("GET", f"users?{fields}"), 400, "BadRequest", "Could not find a property named")
    assert graph.get(f"beta/users?{fields}")["value"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("displayName eq 'adele vance'", ["Adele"]),
        ("startswith(displayName,'A')", ["Adele", "Alex"]),
        ("startsWith(displayName,'A') or startsWith(mail,'lynne')", ["Adele", "Alex", "Lynne"]),
        ("accountEnabled eq false", ["Lee"]),
        ("userPrincipalName in ('adele@contoso.example','megan@contoso.example','nobody@x')", ["Adele", "Megan"]),
        ("(department eq 'Marketing') and startswith(givenName,'M')", ["Megan", "Miriam"]),
        ("userPrincipalName eq 'ADELE@contoso.example'", ["Adele"]),
        ("createdDateTime ge 2099-01-01T00:00:00Z", []),
    ],
)
def test_plain_filters(graph, text, expected):
    assert filtered(graph, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("userType ne 'Member'", ["Lynne"]),
        ("not(accountEnabled eq true)", ["Lee"]),
        ("endsWith(mail,'fabrikam.example')", ["Lynne"]),
        ("jobTitle eq null", ["Lynne"]),
    ],
)
def test_advanced_filters_need_the_header_and_the_count(graph, text, expected):
    assert filtered(graph, text, advanced=True) == expected

    refused(graph.send("GET", f"users?$filter={quote(text)}"), 400, "Request_UnsupportedQuery")
    refused(graph.send("GET", f"users?$filter={quote(text)}", **EVENTUAL), 400, "Request_UnsupportedQuery")


@pytest.mark.parametrize(
    "text",
    [
        "nonsense eq 'x'",
        "displayName is 'x'",
        "displayName eq",
        "displayName eq 'x' and",
        "('x'",
        "displayName eq 'O'Neill'",
    ],
)
def test_a_filter_that_cannot_be_read_is_400(graph, text):
    refused(graph.send("GET", f"users?$filter={quote(text)}"), 400, "BadRequest", "Invalid filter clause")


def test_contains_is_not_supported(graph):
    refused(graph.send("GET", "users?$filter=contains(displayName,'del')"), 400, "Request_UnsupportedQuery")


def test_in_takes_fifteen_values(graph):
    def names(count):
        return ",".join(f"'n{number}'" for number in range(count))

    assert graph.get(f"users?$filter=displayName in ({names(15)})")["value"] == []
    refused(graph.send("GET", f"users?$filter=displayName in ({names(16)})"), 400, "Request_UnsupportedQuery")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"displayName:van"', ["Adele"]),
        ('"displayName:va ad"', ["Adele"]),
        ('"displayName:ance"', []),
        ('"displayName:adele" OR "mail:megan@"', ["Adele", "Megan"]),
        ('"displayName:m" AND "mail:meg"', ["Megan"]),
        ('"userPrincipalName:lynne_"', ["Lynne"]),
    ],
)
def test_search_finds_words_of_names_and_beginnings_of_addresses(graph, text, expected):
    assert found(graph, f"$search={quote(text)}", **EVENTUAL) == expected


def test_search_needs_the_header(graph):
    answer = graph.send("GET", 'users?$search="displayName:a"')

    refused(answer, 400, "Request_UnsupportedQuery", "'ConsistencyLevel: eventual'")


@pytest.mark.parametrize("text", ["displayName:a", '"a"', '"nonsense:a"', '"displayName:a" OR'])
def test_a_search_that_cannot_be_read_is_400(graph, text):
    assert graph.send("GET", f"users?$search={quote(text)}", **EVENTUAL).status_code == 400


def test_people_come_in_the_order_asked_for(graph):
    names = found(graph, "$orderby=displayName desc")

    assert names == sorted(names, reverse=True)


def test_other_orders_and_orders_with_filters_are_advanced(graph):
    for options in ("$orderby=createdDateTime", "$orderby=displayName&$filter=accountEnabled eq true"):
        refused(graph.send("GET", f"users?{options}"), 400, "Request_UnsupportedQuery", "Sorting not supported")
        assert graph.get(f"users?{options}&$count=true", **EVENTUAL)["value"]


def test_a_count_comes_with_the_header_and_is_left_out_without(graph):
    everybody = len(graph.tenant.users)

    assert graph.get("users?$count=true&$top=2", **EVENTUAL)["@odata.count"] == everybody
    assert "@odata.count" not in graph.get("users?$count=true&$top=2")


def test_the_count_segment_is_a_number_in_plain_text(graph):
    answer = graph.send("GET", "users/$count", **EVENTUAL)

    assert (answer.text, answer.headers["Content-Type"]) == (str(len(graph.tenant.users)), "text/plain")
    refused(graph.send("GET", "users/$count"), 400, "Request_BadRequest", "$count is not currently supported.")


def test_the_basic_permission_shows_the_basic_profile_only(served):
    basic = Graph.as_app_with(served, "User.ReadBasic.All")

    adele = basic.get("users/adele@contoso.example?$select=displayName,mail,accountEnabled,jobTitle")

    assert (adele["displayName"], adele["mail"]) == ("Adele Vance", "adele@contoso.example")
    assert (adele["accountEnabled"], adele["jobTitle"]) == (None, None)


def test_sign_in_activity_needs_the_audit_permission(served, graph):
    path = "users?$select=id,signInActivity"

    assert graph.get(path)["value"][0]["signInActivity"]["lastSignInDateTime"]
    refused(Graph.as_app_with(served, "User.Read.All").send("GET", path), 403, "Authorization_RequestDenied")


def test_sign_in_activity_comes_in_shorter_pages_and_can_be_filtered_by(served, graph):
    last = {
        one["id"]: one["signInActivity"]["lastSuccessfulSignInDateTime"]
        for one in graph.get("users?$select=id,signInActivity&$top=500")["value"]
    }
    moment = sorted(last.values())[len(last) // 2]
    condition = quote(f"signInActivity/lastSuccessfulSignInDateTime ge {moment}")

    assert set(graph.values(f"users?$select=id&$filter={condition}", "id")) == {
        person for person, when in last.items() if when >= moment
    }
    refused(graph.send("GET", "users?$select=signInActivity&$top=501"), 400, "Request_UnsupportedQuery")
    blind = Graph.as_app_with(served, "User.Read.All")
    refused(blind.send("GET", f"users?$filter={condition}"), 403, "Authorization_RequestDenied")


def test_a_person_reads_themself_with_user_read(served):
    adele = Graph.as_person(served, "adele@contoso.example", "User.Read")

    assert adele.get("me")["userPrincipalName"] == "adele@contoso.example"
    refused(adele.send("GET", "users"), 403, "Authorization_RequestDenied")


def test_the_organisation_shows_little_to_those_with_user_read(served, graph):
    little = Graph.as_person(served, "adele@contoso.example", "User.Read").get("organization")["value"]
    full = graph.get("organization")["value"]

    assert [one["displayName"] for one in (*little, *full)] == ["Contoso", "Contoso"]
    assert (little[0]["tenantType"], full[0]["tenantType"]) == (None, "AAD")
    domains = {domain["name"]: (domain["isDefault"], domain["isInitial"]) for domain in full[0]["verifiedDomains"]}
    assert domains == {"contoso.example": (True, False), "contoso.onmicrosoft.com": (False, True)}


def test_somebody_deleted_is_gone_until_restored(graph):
    adele = graph.user("adele")
    before = graph.values(f"users/{adele.id}/oauth2PermissionGrants", "id")

    graph.tenant.delete_user(adele.id)
    refused(graph.send("GET", f"users/{adele.id}"), 404, "Request_ResourceNotFound")
    assert "Adele" not in found(graph, "")
    graph.tenant.restore_user(adele.id)

    assert graph.values(f"users/{adele.upn}/oauth2PermissionGrants", "id") == before != []
