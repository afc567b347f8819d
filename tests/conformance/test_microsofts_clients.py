"""azure-identity and the Microsoft Graph SDK, unmodified but for the address, do the portal's work over TLS."""

import base64
from urllib.parse import urlencode

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AuthorizationCodeCredential, CertificateCredential, ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.service_principals.service_principals_request_builder import ServicePrincipalsRequestBuilder
from msgraph.generated.users.users_request_builder import UsersRequestBuilder

from tests.conformance.certificates import make
from tests.conformance.stage import CONTOSO, PORTAL, REDIRECT, SECRET, TAILSPIN
from tests.sandbox.browser import Browser

DEFAULT = "https://graph.microsoft.com/.default"


@pytest.fixture
def options(sandbox):
    return {
        "authority": sandbox.tls_url,
        "disable_instance_discovery": True,
        "connection_verify": sandbox.authority,
        "retry_total": 0,
    }


@pytest.fixture
def as_portal(options):
    return ClientSecretCredential(CONTOSO, PORTAL, SECRET, **options)


@pytest.fixture
def run(converse, as_portal):
    return lambda talk: converse(talk, as_portal, DEFAULT)


async def find(graph, upn):
    return await graph.users.by_user_id(upn).get()


def test_users_are_listed_with_the_count_and_the_fields_asked_for(run):
    async def talk(graph):
        query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
            select=["id", "displayName", "accountEnabled", "signInSessionsValidFromDateTime"], top=999, count=True
        )
        configuration = RequestConfiguration(query_parameters=query)
        configuration.headers.add("ConsistencyLevel", "eventual")
        return await graph.users.get(request_configuration=configuration)

    found = run(talk)

    assert found.odata_count == len(found.value) == 12
    adele = next(one for one in found.value if one.display_name == "Adele Vance")
    assert adele.account_enabled
    assert adele.sign_in_sessions_valid_from_date_time is not None
    assert adele.user_principal_name is None


def test_service_principals_come_page_by_page_each_once(run):
    async def talk(graph):
        query = ServicePrincipalsRequestBuilder.ServicePrincipalsRequestBuilderGetQueryParameters(
            select=["id", "displayName"], top=5
        )
        page = await graph.service_principals.get(request_configuration=RequestConfiguration(query_parameters=query))
        pages = [page.value]
        while page.odata_next_link:
            page = await graph.service_principals.with_url(page.odata_next_link).get()
            pages.append(page.value)
        return pages

    pages = run(talk)

    found = [one.id for page in pages for one in page]
    assert len(pages) > 2
    assert max(len(page) for page in pages) == 5
    assert len(found) == len(set(found))
    assert "Mail Sidekick" in {one.display_name for page in pages for one in page}


def test_a_grant_is_deleted_and_gone(run):
    async def talk(graph):
        adele = await find(graph, "adele@contoso.example")
        grants = await graph.users.by_user_id(adele.id).oauth2_permission_grants.get()
        grant = grants.value[0]
        await graph.oauth2_permission_grants.by_o_auth2_permission_grant_id(grant.id).delete()
        left = await graph.users.by_user_id(adele.id).oauth2_permission_grants.get()
        with pytest.raises(ODataError) as again:
            await graph.oauth2_permission_grants.by_o_auth2_permission_grant_id(grant.id).delete()
        return grant, left.value, again.value

    grant, left, error = run(talk)

    assert grant.consent_type == "Principal"
    assert grant.id not in {one.id for one in left}
    assert error.response_status_code == 404
    assert error.error.code == "Request_ResourceNotFound"


def test_sessions_are_revoked_and_the_directory_shows_since_when(run):
    async def talk(graph):
        adele = await find(graph, "adele@contoso.example")
        query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(select=["signInSessionsValidFromDateTime"])
        configuration = RequestConfiguration(query_parameters=query)
        person = graph.users.by_user_id(adele.id)
        before = await person.get(request_configuration=configuration)
        answer = await person.revoke_sign_in_sessions.post()
        after = await person.get(request_configuration=configuration)
        return before, answer, after

    before, answer, after = run(talk)

    assert answer.value is True
    assert after.sign_in_sessions_valid_from_date_time > before.sign_in_sessions_valid_from_date_time


def test_an_app_is_switched_off_and_on(run):
    async def talk(graph):
        from msgraph.generated.models.service_principal import ServicePrincipal

        query = ServicePrincipalsRequestBuilder.ServicePrincipalsRequestBuilderGetQueryParameters(
            filter="displayName eq 'Mail Sidekick'"
        )
        found = await graph.service_principals.get(request_configuration=RequestConfiguration(query_parameters=query))
        app = graph.service_principals.by_service_principal_id(found.value[0].id)
        await app.patch(ServicePrincipal(account_enabled=False))
        off = await app.get()
        await app.patch(ServicePrincipal(account_enabled=True))
        return off, await app.get()

    off, on = run(talk)

    assert (off.account_enabled, on.account_enabled) == (False, True)


def test_the_sdk_waits_as_long_as_a_429_says_and_asks_again(run, sandbox):
    rule = {"path": "/users", "status": 429, "code": "TooManyRequests", "retry_after": 1, "count": 1}
    sandbox.control("faults", rules=[rule])

    found = run(lambda graph: graph.users.get())

    assert len(found.value) == 12
    statuses = [one["status"] for one in sandbox.requests() if one["path"].endswith("/users")]
    assert statuses == [429, 200]


def test_a_claims_challenge_is_answered_with_a_new_token(run, sandbox):
    packed = base64.b64encode(b'{"access_token":{"nbf":{"essential":true,"value":"1726258122"}}}').decode()
    header = f'Bearer realm="", error="insufficient_claims", claims="{packed}"'
    rule = {"path": "/users", "status": 401, "headers": {"WWW-Authenticate": header}, "count": 1}
    sandbox.control("faults", rules=[rule])

    found = run(lambda graph: graph.users.get())

    assert len(found.value) == 12
    asked = [one for one in sandbox.requests() if one["path"].endswith("/token")]
    assert len(asked) == 2


def test_the_wrong_secret_is_reported_in_entras_words(options):
    wrong = ClientSecretCredential(CONTOSO, PORTAL, "wrong", **options)

    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        wrong.get_token(DEFAULT)


def test_a_tenant_without_consent_is_reported_in_entras_words(options):
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000229"):
        ClientSecretCredential(TAILSPIN, PORTAL, SECRET, **options).get_token(DEFAULT)


def test_a_certificate_that_is_not_registered_is_reported_in_entras_words(options, tmp_path):
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        CertificateCredential(CONTOSO, PORTAL, make(tmp_path)[0], **options).get_token(DEFAULT)


def test_a_certificate_that_is_registered_is_taken(options, sandbox, tmp_path):
    file, pem = make(tmp_path)
    sandbox.control("world", tenant=CONTOSO, do="registration", app=PORTAL, certificates=[pem])

    assert CertificateCredential(CONTOSO, PORTAL, file, **options).get_token(DEFAULT).token


# --- for a person ----------------------------------------------------------------------------------


@pytest.fixture
def as_adele(sandbox, options):
    """A credential made from Adele's sign-in, in a browser."""
    query = {"client_id": PORTAL, "response_type": "code", "redirect_uri": REDIRECT}
    query |= {"scope": "openid offline_access User.Read"}
    with Browser(sandbox.url) as browser:
        page = browser.open(f"/{CONTOSO}/oauth2/v2.0/authorize?{urlencode(query)}")
        code = browser.press(page, "Adele Vance").answer["code"]
    return AuthorizationCodeCredential(CONTOSO, PORTAL, code, REDIRECT, client_secret=SECRET, **options)


def test_a_person_reads_their_own_profile(converse, as_adele):
    me = converse(lambda graph: graph.me.get(), as_adele, "https://graph.microsoft.com/User.Read")

    assert me.user_principal_name == "adele@contoso.example"


def test_after_signing_out_everywhere_the_challenge_cannot_be_answered_silently(converse, as_adele, run):
    async def talk(graph):
        await graph.me.get()
        return await graph.me.get()

    scope = "https://graph.microsoft.com/User.Read"
    assert converse(talk, as_adele, scope).user_principal_name == "adele@contoso.example"

    async def revoke(graph):
        return await graph.users.by_user_id("adele@contoso.example").revoke_sign_in_sessions.post()

    assert run(revoke).value is True

    with pytest.raises(ClientAuthenticationError, match="AADSTS50173"):
        converse(talk, as_adele, scope)
