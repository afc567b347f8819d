"""What a registration says about itself decides which claims its tokens carry and where people may sign in to it."""

import pytest

from sandbox.catalogue import CONTOSO, FABRIKAM, PORTAL_APP_ID
from sandbox.identity import state
from tests.sandbox.client import claims, refused

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


@pytest.fixture
def registration(served):
    return served.world.applications[PORTAL_APP_ID]


# --- claims ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", [None, "SecurityGroup", "ApplicationGroup"])
def test_directory_roles_are_in_no_token_whose_registration_does_not_ask(portal, registration, setting):
    """`groupMembershipClaims` must be `All` or `DirectoryRole`.

    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    registration.group_membership_claims = setting

    assert "wids" not in claims(portal.sign_in("Megan Bowen")["id_token"])


@pytest.mark.parametrize("setting", ["DirectoryRole", "All"])
def test_directory_roles_are_in_the_token_where_the_registration_asks(portal, registration, setting):
    registration.group_membership_claims = setting

    assert GLOBAL_ADMINISTRATOR in claims(portal.sign_in("Megan Bowen")["id_token"])["wids"]


@pytest.mark.parametrize("claim", ["acct", "auth_time", "login_hint", "sid"])
def test_optional_claims_come_one_by_one_as_the_registration_asks(portal, registration, claim):
    """https://learn.microsoft.com/entra/identity-platform/optional-claims-reference"""
    registration.optional_claims = {"idToken": [claim]}

    found = claims(portal.sign_in("Adele Vance")["id_token"])

    assert {"acct", "auth_time", "login_hint", "sid"} & set(found) == {claim}


def test_the_request_itself_asks_for_the_time_of_sign_in_by_max_age_alone(portal, registration):
    """`max_age` is answered with `auth_time`; the `claims` parameter adds no optional claim.

    https://github.com/AzureAD/microsoft-authentication-library-for-python/issues/455
    """
    registration.optional_claims = {}

    assert "auth_time" in claims(portal.sign_in("Adele Vance", max_age="0")["id_token"])
    asked = '{"id_token":{"auth_time":{"essential":true},"sid":{"essential":true}}}'
    assert not {"auth_time", "sid"} & set(claims(portal.sign_in("Adele Vance", claims=asked)["id_token"]))


def test_a_federated_tenants_people_come_with_the_name_of_their_federation_server(portal, served):
    """`idp` is "the identity provider that authenticated the subject", which then is not the issuer.

    https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
    """
    server = "http://adfs.contoso.example/adfs/services/trust"
    state.of(served.world).switches.federated = {CONTOSO: server}

    found = claims(portal.sign_in("Adele Vance")["id_token"])

    assert (found["idp"], found["acct"]) == (server, 0)


# --- what it lists ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "code", "error"), [(True, 650057, "invalid_resource"), (False, 650056, "invalid_client")]
)
def test_default_is_refused_for_an_api_that_the_registration_does_not_list(portal, registration, listed, code, error):
    """https://learn.microsoft.com/entra/identity-platform/reference-error-codes: AADSTS650056, AADSTS650057"""
    body = portal.sign_in("Adele Vance")
    if not listed:
        registration.required_access = []
    scope = "https://outlook.office.com/.default"

    refused(portal.refresh(body, scope=scope), code, error)
    answer = portal.authorize(scope=f"openid {scope}").answer
    assert answer["error_description"].startswith(f"AADSTS{code}:")
    assert answer["error"] == error


def test_an_api_that_no_tenant_has_is_told_to_the_application_after_sign_in(portal):
    """AADSTS500011, as Azure CLI meets it: https://github.com/Azure/azure-cli/issues/29113"""
    page = portal.browser.press(portal.authorize(scope="openid https://nobody.example/things"), "Adele Vance")

    assert page.answer["error"] == "invalid_resource"
    assert page.answer["error_description"].startswith("AADSTS500011:")


# --- single tenant -----------------------------------------------------------------------------------


@pytest.fixture
def single(portal, registration):
    """The portal, registered for Contoso alone."""
    registration.multi_tenant = False
    return portal


@pytest.mark.parametrize("authority", ["organizations", "common"])
def test_a_single_tenant_registration_is_refused_on_shared_paths(single, authority):
    """https://learn.microsoft.com/entra/identity-platform/reference-error-codes: AADSTS50194"""
    page = single.authorize(authority=authority)

    assert page.status == 400
    assert "AADSTS50194" in page.text
    assert page.url.startswith(single.base)


@pytest.mark.parametrize("authority", ["organizations", "common"])
def test_it_is_refused_there_by_the_token_endpoint_too(single, authority):
    body = single.sign_in("Adele Vance", authority=CONTOSO)

    refused(single.refresh(body, authority=authority), 50194, "invalid_request")


def test_it_is_refused_there_before_anybody_looks_at_the_code(single):
    refused(single.redeem("1.nonsense", authority="organizations"), 50194, "invalid_request")


def test_a_program_that_waits_for_a_code_is_refused_there_too(single, browser):
    values = {"client_id": PORTAL_APP_ID, "scope": "openid"}

    answer = browser.http.post(f"{single.base}/organizations/oauth2/v2.0/devicecode", data=values, timeout=10)

    refused(answer, 50194, "invalid_request")


def test_it_serves_its_own_tenant_and_no_other_where_it_is_still_installed(single):
    body = single.sign_in("Adele Vance", authority=CONTOSO)
    assert claims(body["id_token"])["tid"] == CONTOSO
    assert single.refresh(body, authority=CONTOSO).status_code == 200
    assert single.app_only(CONTOSO).status_code == 200

    assert "AADSTS700016" in single.authorize(authority=FABRIKAM).text
    refused(single.app_only(FABRIKAM), 700016, "unauthorized_client")


def test_admin_consent_to_it_works_at_its_own_tenant_only(single, browser):
    query = {"client_id": PORTAL_APP_ID, "redirect_uri": "http://127.0.0.1:8000/onboarding/callback/", "state": "s"}
    query["scope"] = "https://graph.microsoft.com/.default"

    assert "AADSTS50194" in browser.open("/organizations/v2.0/adminconsent", **query).text
    page = browser.press(browser.open(f"/{CONTOSO}/v2.0/adminconsent", **query), "Megan Bowen")
    assert browser.press(page, "Accept").answer["tenant"] == CONTOSO
