"""The token endpoint: what is handed out, and every refusal in its order."""

import base64

import pytest

from sandbox.catalogue import CONTOSO, FABRIKAM, PORTAL_APP_ID, TAILSPIN
from sandbox.identity import tokens
from sandbox.objects import Group, User
from tests.sandbox.client import claims, refused, unpacked

# --- acting as itself ------------------------------------------------------------------------------


def test_an_app_gets_all_roles_it_was_granted_and_no_refresh_token(portal, served):
    answer = portal.app_only("contoso.example")

    body = answer.json()
    token = claims(body["access_token"])
    assert set(body) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert "User.RevokeSessions.All" in token["roles"]
    assert (token["idtyp"], token["tid"], token["ver"]) == ("app", CONTOSO, "1.0")
    assert token["oid"] == token["sub"] == served.world.tenants[CONTOSO].service_principal_for(PORTAL_APP_ID).id
    assert "scp" not in token
    assert "xms_cc" not in token


def test_an_app_without_roles_gets_a_token_that_opens_nothing(sidekick):
    token = claims(sidekick.app_only(CONTOSO).json()["access_token"])

    assert "roles" not in token


def test_a_secret_may_come_in_the_header(portal):
    header = base64.b64encode(f"{portal.app_id}:{portal.secret}".encode()).decode()

    answer = portal.app_only(CONTOSO, client_id=None, client_secret=None, headers={"Authorization": f"Basic {header}"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "scope", ["https://graph.microsoft.com//.default", "00000003-0000-0000-c000-000000000000/.default"]
)
def test_other_spellings_of_graph_are_graph(portal, scope):
    assert claims(portal.app_only(CONTOSO, scope=scope).json()["access_token"])["aud"] == "https://graph.microsoft.com"


def test_graph_at_the_sandboxs_own_address_is_graph(portal, served):
    token = portal.app_only(CONTOSO, scope=f"{served.url}//.default").json()["access_token"]

    assert claims(token)["aud"] == "https://graph.microsoft.com"


def test_a_query_on_the_token_address_changes_nothing(portal):
    answer = portal.token(
        "client_credentials", authority=CONTOSO, scope="https://graph.microsoft.com/.default", padding="1"
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("values", "code", "error"),
    [
        ({"authority": "nobody.example"}, 90002, "invalid_request"),
        ({"grant_type": None}, 900144, "invalid_request"),
        ({"grant_type": "password"}, 70003, "unsupported_grant_type"),
        ({"client_id": None}, 900144, "invalid_request"),
        ({"client_id": "dddddddd-0000-4000-8000-000000000000"}, 700016, "unauthorized_client"),
        ({"client_secret": "wrong"}, 7000215, "invalid_client"),
        ({"client_secret": None}, 7000218, "invalid_client"),
        ({"authority": TAILSPIN}, 7000229, "invalid_client"),
        ({"authority": "organizations"}, 9001023, "invalid_request"),
        ({"scope": None}, 900144, "invalid_request"),
        ({"scope": "User.Read"}, 1002012, "invalid_scope"),
        ({"scope": "https://nobody.example/.default"}, 500011, "invalid_resource"),
        ({"scope": "https://graph.microsoft.us/.default"}, 500011, "invalid_resource"),
        ({"scope": "nobody/.default"}, 70011, "invalid_scope"),
        ({"scope": "https://graph.microsoft.com/.default https://outlook.office.com/.default"}, 28002, "invalid_scope"),
    ],
)
def test_an_app_is_refused(portal, values, code, error):
    asked = {"authority": CONTOSO, "scope": "https://graph.microsoft.com/.default"} | values
    grant_type = asked.pop("grant_type", "client_credentials")

    refused(portal.token(grant_type, **asked), code, error)


def test_the_wrong_secret_is_noticed_before_the_missing_principal(portal):
    refused(portal.app_only(TAILSPIN, client_secret="wrong"), 7000215, "invalid_client")


def test_a_disabled_app_gets_no_token_and_an_enabled_one_does_again(portal, contoso_directory):
    principal = contoso_directory.service_principal_for(PORTAL_APP_ID)
    contoso_directory.update_service_principal(principal.id, enabled=False)
    refused(portal.app_only(CONTOSO), 7000112, "unauthorized_client")

    contoso_directory.update_service_principal(principal.id, enabled=True)

    assert portal.app_only(CONTOSO).status_code == 200


# --- acting for a person ---------------------------------------------------------------------------


def test_a_sign_in_yields_what_was_asked_for(portal, contoso_directory):
    body = portal.sign_in("Adele Vance", client_info="1")

    adele = contoso_directory.user("adele@contoso.example")
    identity, access = claims(body["id_token"]), claims(body["access_token"])
    assert (identity["tid"], identity["oid"], identity["aud"]) == (CONTOSO, adele.id, PORTAL_APP_ID)
    assert identity["iss"] == f"https://login.microsoftonline.com/{CONTOSO}/v2.0"
    assert (identity["nonce"], identity["ver"]) == ("the-nonce", "2.0")
    assert "jti" not in identity
    assert "roles" not in identity
    assert body["scope"].split() == ["User.Read", "openid", "profile"]
    assert 3599 <= body["expires_in"] <= 5400
    assert (access["iss"], access["idtyp"]) == (f"https://sts.windows.net/{CONTOSO}/", "user")
    assert "client_info" not in body


def test_client_info_names_the_home_account(portal, contoso_directory):
    code = portal.code("Adele Vance", client_info="1")

    body = portal.redeem(code["code"], client_info="1").json()

    expected = {"uid": contoso_directory.user("adele@contoso.example").id, "utid": CONTOSO}
    assert unpacked(body["client_info"]) == unpacked(code["client_info"]) == expected


def test_roles_and_directory_roles_are_in_the_id_token_and_read_anew_at_each_refresh(portal, contoso_directory):
    body = portal.sign_in("Megan Bowen")
    first = claims(body["id_token"])
    assert first["roles"] == ["Portal.TenantAdmin"]
    assert "62e90394-69f5-4237-9190-012177145e10" in first["wids"]

    megan = contoso_directory.user("megan@contoso.example")
    principal = contoso_directory.service_principal_for(PORTAL_APP_ID)
    for one in contoso_directory.assignments_of(megan.id):
        if one.resource_id == principal.id:
            contoso_directory.unassign(one.id)
    contoso_directory.update_user(megan.id, role_template_ids=[])

    second = claims(portal.refresh(body).json()["id_token"])
    assert "roles" not in second
    assert "62e90394-69f5-4237-9190-012177145e10" not in second["wids"]


def test_the_answer_spells_scopes_as_the_client_did(portal):
    full = "openid profile https://graph.microsoft.com/User.Read"

    body = portal.refresh(portal.sign_in("Adele Vance"), scope=full).json()

    assert body["scope"].split()[0] == "https://graph.microsoft.com/User.Read"


def test_without_offline_access_there_is_no_refresh_token(portal):
    assert "refresh_token" not in portal.sign_in("Adele Vance", scope="openid profile User.Read")


def test_refreshing_leaves_earlier_refresh_tokens_alive(portal):
    body = portal.sign_in("Adele Vance")

    second = portal.refresh(body).json()

    assert second["refresh_token"] != body["refresh_token"]
    assert portal.refresh(body).status_code == 200


def test_a_client_that_answers_challenges_gets_a_day(portal):
    capable = '{"access_token":{"xms_cc":{"values":["cp1"]}}}'

    body = portal.refresh(portal.sign_in("Adele Vance"), claims=capable).json()

    assert body["expires_in"] > 20 * 3600
    assert body["refresh_in"] * 2 <= body["expires_in"]
    assert claims(body["access_token"])["xms_cc"] == ["CP1"]


def test_a_guest_is_another_object_in_the_other_tenant(portal, contoso_directory, served):
    body = portal.sign_in("Lynne Robbins", authority=CONTOSO)

    at_home = served.world.tenants[FABRIKAM].user("lynne@fabrikam.example")
    identity = claims(body["id_token"])
    assert identity["tid"] == CONTOSO
    assert contoso_directory.users[identity["oid"]].guest
    assert identity["idp"] == f"https://sts.windows.net/{FABRIKAM}/"
    assert claims(portal.sign_in("Lynne Robbins")["id_token"])["oid"] == at_home.id


def test_a_refresh_token_serves_every_tenant_the_person_is_in(portal):
    body = portal.sign_in("Lynne Robbins")

    answer = portal.refresh(body, authority=CONTOSO)

    assert claims(answer.json()["access_token"])["tid"] == CONTOSO
    refused(portal.refresh(body, authority=TAILSPIN), 700016, "unauthorized_client")


# --- reading tokens back -----------------------------------------------------------------------------


def test_access_tokens_can_be_read_until_they_expire(portal, served):
    body = portal.sign_in("Adele Vance")
    found = tokens.read_access_token(served.world, body["access_token"])
    assert found["scp"] == "User.Read openid profile"
    assert abs((served.world.clock.now() - found["issued_at"]).total_seconds()) < 60

    served.world.clock.advance(5401)

    assert tokens.read_access_token(served.world, body["access_token"]) is None
    assert tokens.examine(served.world, body["access_token"])[1] == "expired"


def test_id_tokens_and_foreign_tokens_are_no_access_tokens(portal, served):
    body = portal.sign_in("Adele Vance")

    assert tokens.read_access_token(served.world, body["id_token"]) is None
    assert tokens.read_access_token(served.world, body["access_token"][:-6] + "AAAAAA") is None
    assert tokens.read_access_token(served.world, "nonsense") is None


def test_userinfo_needs_openid_and_names_no_tenant(portal, served, browser):
    body = portal.sign_in("Adele Vance")
    address = f"{served.url}/oidc/userinfo"

    found = browser.http.get(address, headers={"Authorization": f"Bearer {body['access_token']}"}, timeout=10).json()

    # Clients compare it with the ID token's, and must turn the answer down where they differ.
    assert found["sub"] == claims(body["id_token"])["sub"] == claims(body["access_token"])["xms_st"]["sub"]
    assert found["given_name"] == "Adele"
    assert not {"oid", "tid"} & set(found)
    assert browser.http.get(address, timeout=10).status_code == 401


def test_more_than_two_hundred_groups_become_a_reference(portal, served, contoso_directory):
    served.world.applications[PORTAL_APP_ID].group_membership_claims = "SecurityGroup"
    adele: User = contoso_directory.user("adele@contoso.example")
    for number in range(201):
        group_id = f"00000000-0000-4000-9000-{number:012}"
        contoso_directory.add_group(Group(group_id, f"Group {number}", served.world.clock.now(), members=[adele.id]))

    identity = claims(portal.sign_in("Adele Vance")["id_token"])

    assert "groups" not in identity
    assert identity["_claim_names"] == {"groups": "src1"}
