"""Custom policies through Graph: who may read and write them, what is taken, and that it counts at once."""

import pytest
import requests

from sandbox.catalogue import CONTOSO_CUSTOMERS
from tests.sandbox.b2c.policies import changed, own, policy
from tests.sandbox.graph import Graph

POLICIES = "/beta/trustFramework/policies"
SUSI = f"{POLICIES}/B2C_1A_signup_signin"


@pytest.fixture
def portal(served):
    return Graph.as_portal(served, CONTOSO_CUSTOMERS)


def as_app(served, *permissions):
    return Graph.as_app_with(served, *permissions, tenant_id=CONTOSO_CUSTOMERS)


def put(graph, policy_id, content, kind="application/xml"):
    headers = {"Authorization": f"Bearer {graph.token}", "Content-Type": kind}
    with requests.Session() as http:
        http.trust_env = False
        url = f"{graph.url}{POLICIES}/{policy_id}/$value"
        return http.put(url, data=content, headers=headers, timeout=10)


def test_policies_are_listed_and_read_as_they_were_uploaded(portal):
    listed = portal.get(POLICIES)["value"]
    content = portal.send("GET", f"{POLICIES}/b2c_1a_SIGNUP_signin/$value")

    assert {"B2C_1A_TrustFrameworkBase", "B2C_1A_signup_signin"} <= {one["id"] for one in listed}
    assert content.headers["content-type"] == "application/xml"
    assert content.content == own()["SignUpOrSignin.xml"]
    assert portal.get(SUSI)["id"] == "B2C_1A_signup_signin"
    assert portal.send("GET", f"{POLICIES}/B2C_1A_nothing/$value").status_code == 404


def test_an_upload_replaces_or_makes_and_a_deletion_removes(portal):
    new = own()["SignUpOrSignin.xml"].replace(b"B2C_1A_signup_signin", b"B2C_1A_new")

    assert put(portal, "B2C_1A_signup_signin", own()["SignUpOrSignin.xml"]).status_code == 200
    assert put(portal, "B2C_1A_new", new).status_code == 201
    assert put(portal, "b2c_1a_NEW", new).status_code == 200
    assert portal.send("DELETE", f"{POLICIES}/B2C_1A_new").status_code == 204
    assert portal.send("DELETE", f"{POLICIES}/B2C_1A_new").status_code == 404


UNDECLARED = changed(own(), "SignUpOrSignin.xml", 'ClaimTypeReferenceId="givenName"', 'ClaimTypeReferenceId="nobody"')


@pytest.mark.parametrize(
    ("policy_id", "content", "why"),
    [
        ("B2C_1A_x", b"<a", "no well-formed XML"),
        ("B2C_1A_x", policy("B2C_1A_y", "B2C_1A_TrustFrameworkBase", ""), "names 'B2C_1A_x'"),
        ("B2C_1A_x", policy("B2C_1A_x", "B2C_1A_nowhere", ""), "B2C_1A_nowhere is not among"),
        ("own", policy("own", "B2C_1A_TrustFrameworkBase", ""), "begins with B2C_1A_"),
        ("B2C_1A_signup_signin", UNDECLARED["SignUpOrSignin.xml"], "'nobody' is referred to"),
    ],
    ids=["no XML", "another id", "no base", "no prefix", "a claim nobody defines"],
)
def test_what_b2c_would_not_take_is_refused_with_a_reason(portal, policy_id, content, why):
    refused = put(portal, policy_id, content)

    assert refused.status_code == 400
    assert why in refused.json()["error"]["message"]


def test_reading_and_writing_take_different_permissions_and_no_other_tenant(served, portal):
    content = own()["SignUpOrSignin.xml"]
    reader, nobody = as_app(served, "Policy.Read.All"), as_app(served, "User.Read.All")
    writer = as_app(served, "Policy.ReadWrite.TrustFramework")

    assert reader.get(POLICIES)["value"] == portal.get(POLICIES)["value"]
    assert reader.send("GET", f"{SUSI}/$value").status_code == 200
    assert put(reader, "B2C_1A_signup_signin", content).status_code == 403
    assert nobody.send("GET", POLICIES).status_code == 403
    assert put(writer, "B2C_1A_signup_signin", content).status_code == 200
    assert put(writer, "B2C_1A_signup_signin", content, "application/json").status_code == 415
    assert portal.send("GET", "/v1.0/trustFramework/policies").status_code == 400
    assert Graph.as_portal(served).send("GET", POLICIES).status_code == 400


def test_a_person_needs_a_role_to_write(served):
    scope = "Policy.ReadWrite.TrustFramework"
    content = own()["SignUpOrSignin.xml"]
    admin = Graph.as_person(served, "nadia@contosocustomers.onmicrosoft.com", scope)
    agent = Graph.as_person(served, "hugo@contosocustomers.onmicrosoft.com", scope)

    assert put(admin, "B2C_1A_signup_signin", content).status_code == 200
    assert put(agent, "B2C_1A_signup_signin", content).status_code == 403


def test_key_sets_show_their_names_and_nothing_of_what_is_in_them(served, portal):
    listed = portal.send("GET", "/beta/trustFramework/keySets")

    assert "B2C_1A_ConsentryGateKey" in {one["id"] for one in listed.json()["value"]}
    assert "sandbox-gate" not in listed.text
    assert portal.get("/beta/trustFramework/keySets/b2c_1a_consentryGATEkey")["keys"][0]["kty"] == "oct"
    assert as_app(served, "Policy.Read.All").send("GET", "/beta/trustFramework/keySets").status_code == 403


def test_both_dates_of_a_customer_are_read_in_beta(served, portal):
    user = next(one for one in served.world.tenants[CONTOSO_CUSTOMERS].users.values() if one.customer)
    portal.send("POST", f"/v1.0/users/{user.id}/revokeSignInSessions")
    dates = "signInSessionsValidFromDateTime,refreshTokensValidFromDateTime"

    read = portal.get(f"/beta/users/{user.id}?$select={dates},country,identities,creationType")

    assert read["signInSessionsValidFromDateTime"] == read["refreshTokensValidFromDateTime"]
    assert (read["country"], read["creationType"]) == ("FR", "LocalAccount")
    assert "ines.moreau@example.com" in {one["issuerAssignedId"] for one in read["identities"]}
    assert portal.send("GET", f"/v1.0/users/{user.id}?$select={dates}").status_code == 400
