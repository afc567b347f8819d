"""Codes and refresh tokens that are no longer good: every refusal of the token endpoint, in its order."""

import pytest

from sandbox.catalogue import CONTOSO, FABRIKAM, PORTAL_APP_ID
from sandbox.objects import Application
from tests.sandbox.client import REDIRECT, claims, refused


def test_a_code_works_once(portal):
    code = portal.code("Adele Vance")["code"]
    assert portal.redeem(code).status_code == 200

    refused(portal.redeem(code), 54005)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"code_verifier": "wrong"}, 501481),
        ({"code_verifier": None}, 50148),
        ({"redirect_uri": REDIRECT + "?other"}, 500112),
        ({"authority": CONTOSO}, 700005),
        ({"code": "1.nonsense"}, 9002313),
    ],
)
def test_a_code_is_refused_and_stays_usable_by_its_owner(portal, values, code):
    given = portal.code("Adele Vance")["code"]

    refused(portal.redeem(values.pop("code", given), **values), code)

    assert portal.redeem(given).status_code == 200


def test_a_code_lasts_ten_minutes(portal, served):
    code = portal.code("Adele Vance")["code"]
    served.world.clock.advance(601)

    refused(portal.redeem(code), 70008, suberror="token_expired")


def test_another_app_cannot_use_a_code_or_a_refresh_token(portal, sidekick):
    code = portal.code("Adele Vance")["code"]
    refused(sidekick.redeem(code), 70000)
    body = portal.redeem(code).json()

    refused(sidekick.refresh(body), 70000)


def test_a_refresh_token_dies_after_ninety_idle_days(portal, served):
    body = portal.sign_in("Adele Vance")
    served.world.clock.advance(91 * 86400)

    refused(portal.refresh(body), 700082, suberror="token_expired")


def test_revoking_sessions_kills_every_descendant_of_the_sign_in(portal, contoso_directory):
    first = portal.sign_in("Adele Vance")
    second = portal.refresh(first).json()
    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)

    for body in (first, second):
        answer = refused(portal.refresh(body), 50173, suberror="bad_token")
        assert "TokensValidFrom date" in answer["error_description"]

    again = portal.sign_in("Adele Vance")
    assert portal.refresh(again).status_code == 200
    refused(portal.refresh(second), 50173, suberror="bad_token")


def test_a_code_from_before_the_revocation_is_refused_too(portal, contoso_directory):
    code = portal.code("Adele Vance")["code"]
    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)

    refused(portal.redeem(code), 50173, suberror="bad_token")


def test_revoking_one_person_leaves_others_alone(portal, contoso_directory):
    body = portal.sign_in("Megan Bowen")
    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)

    assert portal.refresh(body).status_code == 200


def test_a_guests_tokens_hang_on_the_account_at_home(portal, contoso_directory, served):
    body = portal.sign_in("Lynne Robbins", authority=CONTOSO)
    guest = claims(body["id_token"])["oid"]
    contoso_directory.revoke_sessions(guest)
    assert portal.refresh(body, authority=CONTOSO).status_code == 200

    fabrikam = served.world.tenants[FABRIKAM]
    fabrikam.revoke_sessions(fabrikam.user("lynne@fabrikam.example").id)

    refused(portal.refresh(body, authority=CONTOSO), 50173, suberror="bad_token")


def test_a_removed_grant_stops_new_tokens_and_giving_it_back_starts_them(sidekick, contoso_directory):
    body = sidekick.sign_in("Adele Vance")
    adele = contoso_directory.user("adele@contoso.example")
    client = contoso_directory.service_principal_for(sidekick.app_id)
    grant = next(one for one in contoso_directory.grants_of_client(client.id) if one.principal_id == adele.id)

    contoso_directory.delete_grant(grant.id)
    answer = refused(sidekick.refresh(body), 65001, suberror="consent_required")
    assert f"'{sidekick.app_id}' named 'Mail Sidekick'" in answer["error_description"]

    contoso_directory.put_grant(grant)
    assert sidekick.refresh(body).status_code == 200


def test_a_narrowed_grant_gives_the_rest_only(sidekick, contoso_directory):
    body = sidekick.sign_in("Adele Vance")
    adele = contoso_directory.user("adele@contoso.example")
    client = contoso_directory.service_principal_for(sidekick.app_id)
    grant = next(one for one in contoso_directory.grants_of_client(client.id) if one.principal_id == adele.id)
    contoso_directory.set_grant_scope(grant.id, "openid profile offline_access User.Read")

    refused(sidekick.refresh(body), 65001, suberror="consent_required")

    rest = sidekick.refresh(body, scope="User.Read").json()
    assert claims(rest["access_token"])["scp"] == "User.Read"


def test_what_the_organisation_granted_covers_everybody(sidekick, contoso_directory):
    body = sidekick.sign_in("Adele Vance")
    adele = contoso_directory.user("adele@contoso.example")
    client = contoso_directory.service_principal_for(sidekick.app_id)
    grant = next(one for one in contoso_directory.grants_of_client(client.id) if one.principal_id == adele.id)
    contoso_directory.add_scopes(client.id, grant.resource_id, None, grant.scopes)

    contoso_directory.delete_grant(grant.id)

    assert sidekick.refresh(body).status_code == 200


def test_a_disabled_person_is_refused_before_the_revocation_is_looked_at(portal, contoso_directory):
    body = portal.sign_in("Adele Vance")
    adele = contoso_directory.user("adele@contoso.example")
    contoso_directory.revoke_sessions(adele.id)
    contoso_directory.disable_user(adele.id)

    refused(portal.refresh(body), 50057)


def test_a_deleted_person_is_not_found(portal, contoso_directory):
    body = portal.sign_in("Adele Vance")
    contoso_directory.delete_user(contoso_directory.user("adele@contoso.example").id)

    refused(portal.refresh(body), 50034)


def test_a_deleted_app_is_not_found_and_a_disabled_one_refused(portal, contoso_directory):
    body = portal.sign_in("Adele Vance")
    principal = contoso_directory.service_principal_for(PORTAL_APP_ID)
    contoso_directory.update_service_principal(principal.id, enabled=False)
    refused(portal.refresh(body), 7000112, "unauthorized_client")

    contoso_directory.delete_service_principal(principal.id)

    refused(portal.refresh(body), 700016, "unauthorized_client")


def test_who_is_no_longer_assigned_is_refused_where_assignment_is_required(portal, contoso_directory):
    adele, megan = portal.sign_in("Adele Vance"), portal.sign_in("Megan Bowen", prompt="select_account")
    principal = contoso_directory.service_principal_for(PORTAL_APP_ID)
    contoso_directory.update_service_principal(principal.id, assignment_required=True)

    refused(portal.refresh(adele), 50105)
    assert portal.refresh(megan).status_code == 200


@pytest.mark.parametrize(
    ("scope", "code", "error", "suberror"),
    [
        ("Mail.Read", 65001, "invalid_grant", "consent_required"),
        ("Mail.Reed", 650053, "invalid_client", None),
        ("User.Read https://outlook.office.com/EWS.AccessAsUser.All", 28002, "invalid_scope", None),
        ("User.Read https://graph.microsoft.com/.default", 70011, "invalid_scope", None),
    ],
)
def test_scopes_are_refused(portal, scope, code, error, suberror):
    refused(portal.refresh(portal.sign_in("Adele Vance"), scope=scope), code, error, suberror)


def test_a_public_client_shows_no_secret_and_needs_none(served, browser, portal):
    served.world.add_application(
        Application("aaaaaaaa-0000-4000-8000-000000000001", "Desk", CONTOSO, redirect_uris=["http://localhost"])
    )
    served.world.applications["aaaaaaaa-0000-4000-8000-000000000001"].public_client = True
    portal.app_id, portal.secret, portal.redirect_uri = (
        "aaaaaaaa-0000-4000-8000-000000000001",
        None,
        "http://localhost:5",
    )

    body = portal.sign_in("Adele Vance")

    assert portal.refresh(body).status_code == 200
    refused(portal.refresh(body, client_secret="x"), 700025, "invalid_client")
