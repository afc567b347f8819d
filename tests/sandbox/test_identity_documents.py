"""The documents that clients find their way by."""

import pytest

from sandbox.catalogue import CONTOSO


@pytest.fixture
def get(served, browser):
    def get(path, **headers):
        return browser.http.get(served.url + path, headers=headers, timeout=10)

    return get


def configuration(name):
    return f"/{name}/v2.0/.well-known/openid-configuration"


@pytest.mark.parametrize("name", [CONTOSO, "contoso.example", "Contoso.Example", "contoso.onmicrosoft.com"])
def test_a_tenant_is_found_by_id_and_by_domain_and_named_by_id(get, served, name):
    found = get(configuration(name)).json()

    assert found["issuer"] == f"https://login.microsoftonline.com/{CONTOSO}/v2.0"
    assert found["token_endpoint"] == f"{served.url}/{CONTOSO}/oauth2/v2.0/token"


@pytest.mark.parametrize("name", ["common", "organizations"])
def test_paths_for_many_tenants_have_a_template_for_an_issuer(get, name):
    assert get(configuration(name)).json()["issuer"] == "https://login.microsoftonline.com/{tenantid}/v2.0"


def test_no_way_to_revoke_or_inspect_one_token_is_announced(get):
    assert not {"revocation_endpoint", "introspection_endpoint"} & set(get(configuration("common")).json())


def test_a_caller_that_speaks_to_microsoft_is_answered_as_microsoft(get):
    headers = {"Host": "login.microsoftonline.com", "X-Forwarded-Proto": "https"}

    found = get(configuration(CONTOSO), **headers).json()

    assert found["token_endpoint"] == f"https://login.microsoftonline.com/{CONTOSO}/oauth2/v2.0/token"
    assert found["userinfo_endpoint"] == "https://graph.microsoft.com/oidc/userinfo"


@pytest.mark.parametrize("page", [configuration("nobody.example"), "/nobody.example/discovery/v2.0/keys"])
def test_an_unknown_tenant_is_refused_in_the_error_shape(get, page):
    answer = get(page, **{"client-request-id": "5d0b1f2e-4a1e-4c87-9d1e-3f2f9f1c0a11"})

    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (400, "invalid_request", [90002])
    assert body["error_description"].startswith("AADSTS90002: Tenant 'nobody.example' not found.")
    assert body["correlation_id"] == "5d0b1f2e-4a1e-4c87-9d1e-3f2f9f1c0a11"
    trailer = f"Trace ID: {body['trace_id']} Correlation ID: {body['correlation_id']} Timestamp: {body['timestamp']}"
    assert body["error_description"].endswith(trailer)
    assert body["error_uri"] == "https://login.microsoftonline.com/error?code=90002"


@pytest.mark.parametrize(("name", "issuer"), [(CONTOSO, CONTOSO), ("organizations", "{tenantid}")])
def test_several_keys_are_published_with_their_issuer_and_no_algorithm(get, name, issuer):
    keys = get(f"/{name}/discovery/v2.0/keys").json()["keys"]

    assert len({key["kid"] for key in keys}) >= 2
    for key in keys:
        assert "alg" not in key
        assert key["issuer"] == f"https://login.microsoftonline.com/{issuer}/v2.0"
        assert key["x5t"] == key["kid"]


def test_instance_discovery_takes_the_tenant_from_the_endpoint_asked_about(get):
    asked = f"https://login.microsoftonline.com/{CONTOSO}/oauth2/v2.0/authorize"

    found = get(f"/common/discovery/instance?api-version=1.1&authorization_endpoint={asked}").json()

    assert found["tenant_discovery_endpoint"].endswith(configuration(CONTOSO))
    assert "login.windows.net" in found["metadata"][0]["aliases"]


def test_instance_discovery_refuses_other_hosts(get):
    answer = get("/common/discovery/instance?authorization_endpoint=https://login.example/common/oauth2")

    assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (
        400,
        "invalid_instance",
        [50049],
    )
