"""On behalf of: an API calls another one for the person who called it.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
"""

import pytest

from sandbox.catalogue import CONTOSO, app_id
from sandbox.objects import GRAPH_APP_ID, Scope
from tests.sandbox.client import claims, refused

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SIDEKICK = app_id("Mail Sidekick")


@pytest.fixture
def api(served, sidekick, contoso_directory):
    """Mail Sidekick as an API that others may call, with Adele's consent to read her mail."""
    offered = [Scope("aaaaaaaa-0000-4000-8000-000000000009", "access", user_name="Use Mail Sidekick")]
    served.world.applications[SIDEKICK].scopes = offered
    contoso_directory.update_service_principal(contoso_directory.service_principal_for(SIDEKICK).id, scopes=offered)
    return sidekick


@pytest.fixture
def assertion(api, portal, contoso_directory):
    """The token that the portal has for Mail Sidekick, for Adele."""
    principal = contoso_directory.service_principal_for
    contoso_directory.add_scopes(principal(portal.app_id).id, principal(SIDEKICK).id, None, ["access"])
    portal.scope = f"openid api://{SIDEKICK}/access"
    return portal.sign_in("Adele Vance")["access_token"]


def exchange(api, given, **more):
    values = {"assertion": given, "requested_token_use": "on_behalf_of", "scope": "Mail.ReadWrite offline_access"}
    return api.token(JWT_BEARER, authority=CONTOSO, **(values | more))


def test_the_person_is_handed_on(api, assertion, contoso_directory):
    body = exchange(api, assertion).json()

    token = claims(body["access_token"])
    assert token["oid"] == contoso_directory.user("adele@contoso.example").id
    assert (token["aud"], token["appid"]) == ("https://graph.microsoft.com", SIDEKICK)
    assert "Mail.ReadWrite" in token["scp"]
    assert api.refresh(body, authority=CONTOSO).status_code == 200


def test_what_the_person_did_not_allow_the_api_is_not_handed_on(api, assertion):
    refused(exchange(api, assertion, scope="Files.ReadWrite.All"), 65001, suberror="consent_required")


def test_ending_the_persons_sessions_ends_this_too(api, assertion, contoso_directory):
    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)

    refused(exchange(api, assertion), 50173, suberror="bad_token")


def test_a_token_that_was_made_for_another_is_refused(api, portal):
    refused(exchange(api, portal.sign_in("Adele Vance")["access_token"]), 500131)


def test_an_app_by_itself_cannot_be_handed_on(api, portal, assertion):
    token = portal.app_only(CONTOSO, scope=f"api://{SIDEKICK}/.default").json()["access_token"]

    refused(exchange(api, token), 50013)


def test_an_old_assertion_is_refused(api, assertion, served):
    served.world.clock.advance(5401)

    refused(exchange(api, assertion), 500133)


@pytest.mark.parametrize(
    ("values", "number", "error"),
    [
        ({"assertion": "nonsense"}, 50013, "invalid_grant"),
        ({"assertion": None}, 900144, "invalid_request"),
        ({"scope": None}, 900144, "invalid_request"),
        ({"requested_token_use": None}, 900144, "invalid_request"),
        ({"client_secret": "wrong"}, 7000215, "invalid_client"),
        ({"scope": f"{GRAPH_APP_ID}/Mail.Reed"}, 650053, "invalid_client"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(api, assertion, values, number, error):
    refused(exchange(api, assertion, **values), number, error)
