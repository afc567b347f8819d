"""MSAL for Python, unmodified, believes that it talks to Microsoft."""

import base64
import datetime
import json

import jwt
import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from graph.transport import SandboxAdapter
from sandbox.catalogue import COMMAND_LINE_APP_ID, CONTOSO, FABRIKAM, PORTAL_APP_ID, PORTAL_SECRET, TAILSPIN
from tests.sandbox.client import REDIRECT, claims

# MSAL would rather have the answer posted, but a browser sends no Lax cookie with that.
pytestmark = pytest.mark.filterwarnings("ignore:response_mode='form_post' is recommended:UserWarning")

GRAPH = ["https://graph.microsoft.com/.default"]


@pytest.fixture
def http(served):
    """A session that reaches Microsoft's hosts, in the sandbox."""
    with requests.Session() as session:
        session.trust_env = False
        for host in ("login.microsoftonline.com", "graph.microsoft.com"):
            session.mount(f"https://{host}/", SandboxAdapter(served.url))
        yield session


@pytest.fixture
def application(http):
    """`application(authority)`: a new MSAL application, with its own answers remembered."""

    def application(authority=CONTOSO, credential=PORTAL_SECRET, **options):
        return msal.ConfidentialClientApplication(
            PORTAL_APP_ID,
            client_credential=credential,
            authority=f"https://login.microsoftonline.com/{authority}",
            http_client=http,
            **({"instance_discovery": False} | options),
        )

    return application


@pytest.fixture
def sign_in(browser, served):
    """`sign_in(app, person)`: MSAL's authorization code flow, with a browser between its two halves."""

    def sign_in(app, person="Adele Vance", scopes=("User.Read",), **options):
        flow = app.initiate_auth_code_flow(list(scopes), redirect_uri=REDIRECT, response_mode="query", **options)
        page = browser.open(flow["auth_uri"].replace("https://login.microsoftonline.com", served.url))
        if page.url.startswith(served.url):
            page = browser.press(page, person)
        return app.acquire_token_by_auth_code_flow(flow, page.answer)

    return sign_in


@pytest.fixture
def certificate(served):
    """A key pair whose certificate is registered on the portal's application; both as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    served.world.applications[PORTAL_APP_ID].certificates.append(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"private_key": private.decode(), "public_certificate": pem}


def calls(served):
    return [entry for entry in served.world.log.entries if entry.path.endswith("/token")]


# --- as itself -------------------------------------------------------------------------------------


def test_a_secret_gets_an_app_token_once_and_then_the_cache_answers(application, served):
    app = application()

    first = app.acquire_token_for_client(GRAPH)
    second = app.acquire_token_for_client(GRAPH)

    assert second["token_source"] == "cache"
    assert first["access_token"] == second["access_token"]
    assert len(calls(served)) == 1


def test_a_wrong_secret_is_an_error_and_no_exception(application):
    answer = application(credential="wrong").acquire_token_for_client(GRAPH)

    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [7000215])


def test_a_certificate_gets_an_app_token(application, certificate):
    answer = application(credential=certificate).acquire_token_for_client(GRAPH)

    assert claims(answer["access_token"])["appidacr"] == "2"


def test_the_older_thumbprint_form_of_a_certificate_works_as_well(application, certificate):
    loaded = x509.load_pem_x509_certificate(certificate["public_certificate"].encode())
    credential = {"private_key": certificate["private_key"], "thumbprint": loaded.fingerprint(hashes.SHA1()).hex()}

    assert "access_token" in application(credential=credential).acquire_token_for_client(GRAPH)


def test_a_certificate_that_is_not_registered_is_refused_by_its_thumbprint(application, certificate, served):
    served.world.applications[PORTAL_APP_ID].certificates.clear()

    answer = application(credential=certificate).acquire_token_for_client(GRAPH)

    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [700027])
    assert "Thumbprint of key used by client: '" in answer["error_description"]


def test_a_key_that_does_not_fit_its_certificate_is_refused(application, certificate):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate["private_key"] = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()

    assert application(credential=certificate).acquire_token_for_client(GRAPH)["error_codes"] == [700027]


def test_an_assertion_is_refused_when_its_time_is_over(application, certificate, served):
    served.world.clock.advance(3600)

    assert application(credential=certificate).acquire_token_for_client(GRAPH)["error_codes"] == [700024]


def test_a_tenant_that_has_not_consented_has_no_principal(application):
    assert application(TAILSPIN).acquire_token_for_client(GRAPH)["error_codes"] == [7000229]


def test_an_unknown_tenant_is_noticed_by_the_constructor(application):
    with pytest.raises(ValueError, match=r"AADSTS90002|tenant"):
        application("nobody.example")


# --- for a person ----------------------------------------------------------------------------------


def test_a_person_signs_in_and_is_known_by_their_home_account(application, sign_in, contoso_directory):
    app = application("organizations")

    answer = sign_in(app)

    adele = contoso_directory.user("adele@contoso.example")
    assert answer["id_token_claims"]["oid"] == adele.id
    [account] = app.get_accounts()
    assert account["home_account_id"] == f"{adele.id}.{CONTOSO}"
    assert account["username"] == "adele@contoso.example"


def test_the_sign_in_time_is_there_when_max_age_is_asked_for(application, sign_in):
    assert "auth_time" in sign_in(application("organizations"), max_age=0)["id_token_claims"]


def test_silent_calls_answer_from_the_cache_and_refresh_when_told(application, sign_in, served):
    app = application("organizations")
    sign_in(app)
    [account] = app.get_accounts()
    before = len(calls(served))

    cached = app.acquire_token_silent_with_error(["User.Read"], account)
    assert len(calls(served)) == before
    renewed = app.acquire_token_silent_with_error(["User.Read"], account, force_refresh=True)

    assert cached["token_source"] == "cache"
    assert renewed["token_source"] == "identity_provider"
    assert len(calls(served)) == before + 1


def test_one_cache_serves_the_persons_own_tenant_after_a_sign_in_through_organizations(application, sign_in):
    cache = msal.TokenCache()
    sign_in(application("organizations", token_cache=cache))
    app = application(CONTOSO, token_cache=cache)

    answer = app.acquire_token_silent_with_error(["User.Read"], app.get_accounts()[0])

    assert claims(answer["access_token"])["tid"] == CONTOSO


def test_a_revoked_sign_in_is_reported_and_a_new_one_works(application, sign_in, contoso_directory):
    app = application("organizations")
    sign_in(app)
    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)

    answer = app.acquire_token_silent_with_error(["User.Read"], app.get_accounts()[0], force_refresh=True)

    assert (answer["error"], answer["error_codes"]) == ("invalid_grant", [50173])
    sign_in(app)
    renewed = app.acquire_token_silent_with_error(["User.Read"], app.get_accounts()[0], force_refresh=True)
    assert "access_token" in renewed


def test_consent_that_is_gone_is_classified_by_msal(application, sign_in):
    app = application("organizations")
    sign_in(app)

    answer = app.acquire_token_silent_with_error(["Mail.Send"], app.get_accounts()[0])

    assert answer["classification"] == "consent_required"


def test_declining_comes_back_as_an_error(application, browser, served):
    app = application("organizations")
    flow = app.initiate_auth_code_flow(["Mail.Send"], redirect_uri=REDIRECT, response_mode="query")
    page = browser.open(flow["auth_uri"].replace("https://login.microsoftonline.com", served.url))

    answer = browser.press(browser.press(page, "Adele Vance"), "Cancel").answer

    assert app.acquire_token_by_auth_code_flow(flow, answer)["error"] == "access_denied"


# --- claims challenges -------------------------------------------------------------------------------


def challenge_of(response):
    header = response.headers["WWW-Authenticate"]
    packed = header.split('claims="', 1)[1].split('"', 1)[0]
    return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode()


def test_after_a_revocation_graph_challenges_and_only_a_new_sign_in_answers(
    application, sign_in, http, contoso_directory
):
    app = application("organizations", client_capabilities=["CP1"])
    token = sign_in(app)["access_token"]
    assert claims(token)["xms_cc"] == ["CP1"]
    me = "https://graph.microsoft.com/v1.0/me"
    assert http.get(me, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code == 200

    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)
    response = http.get(me, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert response.status_code == 401
    challenge = challenge_of(response)
    assert "access_token" in json.loads(challenge)

    account = app.get_accounts()[0]
    refused = app.acquire_token_silent_with_error(["User.Read"], account, claims_challenge=challenge)
    assert refused["error_codes"] == [50173]
    token = sign_in(app, claims_challenge=challenge, prompt="login")["access_token"]
    assert http.get(me, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code == 200


def test_a_client_without_the_capability_keeps_its_token_after_a_revocation(
    application, sign_in, http, contoso_directory
):
    token = sign_in(application("organizations"))["access_token"]
    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)

    me = http.get("https://graph.microsoft.com/v1.0/me", headers={"Authorization": f"Bearer {token}"}, timeout=10)

    assert me.status_code == 200


# --- trouble -------------------------------------------------------------------------------------------


def test_instance_discovery_works_too(application):
    assert "access_token" in application(FABRIKAM, instance_discovery=None).acquire_token_for_client(GRAPH)


def test_throttling_is_passed_on(application, served):
    app = application()
    served.world.faults.set([{"path": "/token$", "status": 429, "retry_after": 7, "code": "throttled"}])

    assert app.acquire_token_for_client(GRAPH)["error"] == "throttled"


def test_a_fault_of_the_server_is_raised(application, served):
    app = application()
    served.world.faults.set([{"path": "/token$", "status": 503}])

    with pytest.raises(msal.exceptions.MsalServiceError):
        app.acquire_token_for_client(GRAPH)


def test_a_connection_that_is_cut_is_an_error_of_requests(application, served):
    app = application()
    served.world.faults.set([{"path": "/token$", "cut": True}])

    with pytest.raises(requests.RequestException):
        app.acquire_token_for_client(GRAPH)


def test_new_keys_are_found_under_their_id(application, http, served):
    address = f"https://login.microsoftonline.com/{CONTOSO}/discovery/v2.0/keys"
    before = {key["kid"] for key in http.get(address, timeout=10).json()["keys"]}

    http.post(f"{served.url}/_sandbox/keys", timeout=10).raise_for_status()

    after = {key["kid"] for key in http.get(address, timeout=10).json()["keys"]}
    token = application().acquire_token_for_client(GRAPH)["access_token"]
    assert jwt.get_unverified_header(token)["kid"] in after - before


# --- on another device -----------------------------------------------------------------------------------


@pytest.fixture
def command_line(http):
    """Microsoft's own public client for the command line."""
    return msal.PublicClientApplication(
        COMMAND_LINE_APP_ID,
        authority="https://login.microsoftonline.com/organizations",
        http_client=http,
        instance_discovery=False,
    )


def poll_once(app, flow):
    """Ask one time and come back; MSAL would wait for the person, and between two tries."""
    flow.pop("latest_attempt_at", None)
    return app.acquire_token_by_device_flow(flow, exit_condition=lambda flow: True)


def type_code(browser, flow):
    page = browser.open("/common/oauth2/deviceauth")
    return browser.press(page, "Next", otc=flow["user_code"].lower())


def test_a_code_typed_in_a_browser_signs_a_program_in(command_line, browser):
    flow = command_line.initiate_device_flow(["User.Read"])
    assert flow["user_code"] in flow["message"]
    assert poll_once(command_line, flow)["error"] == "authorization_pending"

    page = browser.press(type_code(browser, flow), "Adele Vance")
    page = browser.press(page, "Accept")

    assert "You have signed in" in page.text
    assert poll_once(command_line, flow)["id_token_claims"]["preferred_username"] == "adele@contoso.example"
    assert poll_once(command_line, flow)["error_codes"] == [70018]


def test_declining_tells_the_program(command_line, browser):
    flow = command_line.initiate_device_flow(["User.Read"])

    browser.press(browser.press(type_code(browser, flow), "Adele Vance"), "Cancel")

    assert poll_once(command_line, flow)["error"] == "authorization_declined"


def test_a_device_code_runs_out(command_line, browser, served):
    flow = command_line.initiate_device_flow(["User.Read"])
    served.world.clock.advance(901)

    assert "didn't work" in type_code(browser, flow).text
    assert poll_once(command_line, flow)["error_codes"] == [70020]
