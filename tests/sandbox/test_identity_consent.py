"""Consent: what the page says, who may give it, and what it leaves in the directory."""

import pytest

from sandbox.catalogue import CONTOSO, GRAPH_APP_ID, PORTAL_APP_ID, PORTAL_PERMISSIONS, TAILSPIN
from sandbox.objects import ROLE_IDS
from tests.sandbox.client import claims

REDIRECT = "http://127.0.0.1:8000/onboarding/callback/"


def grants_of(tenant, app_id):
    client = tenant.service_principal_for(app_id)
    return {one.principal_id: set(one.scopes) for one in tenant.grants_of_client(client.id)} if client else None


@pytest.fixture
def megan(contoso_directory):
    return contoso_directory.user("megan@contoso.example")


@pytest.fixture
def henrietta(contoso_directory):
    return contoso_directory.user("henrietta@contoso.example")


# --- a person's own consent ----------------------------------------------------------------------------


def test_the_page_lists_what_the_app_would_do_and_who_made_it(sidekick):
    page = sidekick.browser.press(sidekick.authorize(), "Henrietta")

    assert "Permissions requested" in page.text
    assert "Mail Sidekick" in page.text
    assert "Unverified" in page.text
    assert "Mail.ReadWrite" in page.text
    assert "offline_access" in page.text
    assert "Consent on behalf of your organization" not in page.text


def test_accepting_writes_a_grant_for_that_person_only(sidekick, contoso_directory, henrietta):
    before = grants_of(contoso_directory, sidekick.app_id)
    assert henrietta.id not in before

    body = sidekick.sign_in("Henrietta")

    after = grants_of(contoso_directory, sidekick.app_id)
    assert after[henrietta.id] == set(sidekick.scope.split())
    assert set(after) - set(before) == {henrietta.id}
    assert "Mail.ReadWrite" in claims(body["access_token"])["scp"]


def test_nobody_is_asked_twice(sidekick):
    sidekick.code("Henrietta")

    assert "code" in sidekick.authorize().answer


def test_more_than_before_is_asked_for_alone(sidekick):
    sidekick.code("Henrietta")

    page = sidekick.authorize(scope=sidekick.scope + " Files.Read")

    assert "Files.Read" in page.text
    assert "Mail.ReadWrite" not in page.text


def test_prompt_consent_asks_for_everything_again(sidekick):
    sidekick.code("Henrietta")

    page = sidekick.authorize(prompt="consent")

    assert "Mail.ReadWrite" in page.text
    assert "code" in sidekick.browser.press(page, "Accept").answer


def test_declining_is_told_to_the_application_and_leaves_nothing(sidekick, contoso_directory, henrietta):
    page = sidekick.browser.press(sidekick.authorize(), "Henrietta")

    answer = sidekick.browser.press(page, "Cancel").answer

    assert (answer["error"], answer["error_subcode"]) == ("access_denied", "cancel")
    assert answer["error_description"].startswith("AADSTS65004")
    assert henrietta.id not in grants_of(contoso_directory, sidekick.app_id)


def test_the_first_consent_brings_an_app_into_the_tenant(sidekick, served):
    tailspin = served.world.tenants[TAILSPIN]
    assert tailspin.service_principal_for(sidekick.app_id) is None

    sidekick.code("Tara Nowak")

    assert set(grants_of(tailspin, sidekick.app_id)) == {tailspin.user("tara@tailspin.example").id}


def test_a_removed_app_must_be_consented_to_anew(sidekick, contoso_directory):
    sidekick.code("Adele Vance")
    contoso_directory.delete_service_principal(contoso_directory.service_principal_for(sidekick.app_id).id)

    assert "Permissions requested" in sidekick.authorize().text


# --- an admin's ------------------------------------------------------------------------------------------


def test_an_admin_may_consent_for_everybody(sidekick, contoso_directory, megan):
    page = sidekick.browser.press(sidekick.authorize(), "Megan")
    assert "Consent on behalf of your organization" in page.text

    sidekick.browser.press(page, "Accept", tick=True)

    after = grants_of(contoso_directory, sidekick.app_id)
    assert after[None] == set(sidekick.scope.split())
    assert megan.id not in after


def test_an_admin_who_ticks_nothing_consents_for_themselves(sidekick, contoso_directory, megan):
    sidekick.code("Megan")

    after = grants_of(contoso_directory, sidekick.app_id)
    assert megan.id in after
    assert None not in after


def test_the_tick_of_somebody_who_is_no_admin_means_nothing(sidekick, contoso_directory, henrietta):
    page = sidekick.browser.press(sidekick.authorize(), "Henrietta")

    sidekick.browser.press(page, "Accept", organization="yes")

    after = grants_of(contoso_directory, sidekick.app_id)
    assert None not in after
    assert henrietta.id in after


@pytest.mark.parametrize(
    ("setting", "scope", "asked"),
    [
        ("all", "openid Mail.Read", True),
        ("all", "openid Directory.Read.All", False),
        ("low", "openid User.Read", False),  # low impact, but nobody verified the publisher
        ("low", "openid Mail.Read", False),
        ("none", "openid User.Read", False),
    ],
)
def test_what_people_may_consent_to_is_the_tenants_setting(
    sidekick, contoso_directory, henrietta, setting, scope, asked
):
    contoso_directory.user_consent = setting

    page = sidekick.browser.press(sidekick.authorize(scope=scope), "Henrietta")

    assert ("Permissions requested" in page.text) is asked
    assert ("Needs admin approval" in page.text) is not asked


def test_low_impact_permissions_of_a_verified_publisher_are_everybodys_to_give(sidekick, served, contoso_directory):
    contoso_directory.user_consent = "low"
    served.world.applications[sidekick.app_id].verified = True

    page = sidekick.browser.press(sidekick.authorize(scope="openid User.Read"), "Henrietta")

    assert "Permissions requested" in page.text


def test_who_needs_an_admin_can_go_back_or_fetch_one(sidekick, contoso_directory):
    contoso_directory.user_consent = "none"
    page = sidekick.browser.press(sidekick.authorize(), "Henrietta")

    back = sidekick.browser.press(page, "Return to the application").answer
    assert back["error_description"].startswith("AADSTS90094")

    page = sidekick.browser.press(sidekick.authorize(), "Have an admin account?")
    assert "Permissions requested" in sidekick.browser.press(page, "Megan").text


def test_a_forged_acceptance_by_somebody_who_may_not_changes_nothing(sidekick, contoso_directory, henrietta):
    contoso_directory.user_consent = "none"
    page = sidekick.browser.press(sidekick.authorize(), "Henrietta")

    after = sidekick.browser.press(page, "Return to the application", decision="accept")
    assert "error" in after.answer

    page = sidekick.authorize()
    page.forms[-1].buttons = [("Accept", {"decision": "accept"})]
    assert "Needs admin approval" in sidekick.browser.press(page, "Accept").text
    assert henrietta.id not in grants_of(contoso_directory, sidekick.app_id)


# --- admin consent -----------------------------------------------------------------------------------------


def test_admin_consent_connects_a_tenant_to_the_portal(portal, served, browser):
    tailspin = served.world.tenants[TAILSPIN]
    page = browser.open("/organizations/adminconsent", client_id=PORTAL_APP_ID, redirect_uri=REDIRECT, state="s")
    page = browser.press(page, "Tara Nowak")
    assert "review for your organization" in page.text
    assert "User.RevokeSessions.All" in page.text

    answer = browser.press(page, "Accept").answer

    assert answer == {"admin_consent": "True", "tenant": TAILSPIN, "state": "s"}
    assert grants_of(tailspin, PORTAL_APP_ID)[None] == set(served.world.applications[PORTAL_APP_ID].wanted().scopes)
    token = portal.app_only(TAILSPIN).json()["access_token"]
    assert sorted(claims(token)["roles"]) == sorted(PORTAL_PERMISSIONS)


def test_the_second_form_names_its_scopes(served, browser):
    page = browser.open(
        "/organizations/v2.0/adminconsent",
        client_id=PORTAL_APP_ID,
        redirect_uri=REDIRECT,
        state="s",
        scope="https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Read",
    )

    answer = browser.press(browser.press(page, "Tara Nowak"), "Accept").answer

    tailspin = served.world.tenants[TAILSPIN]
    assert answer["scope"] == "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Read"
    assert grants_of(tailspin, PORTAL_APP_ID) == {None: {"User.Read", "Mail.Read"}}
    assert (
        tailspin.roles_of(
            tailspin.service_principal_for(PORTAL_APP_ID).id, tailspin.service_principal_for(GRAPH_APP_ID).id
        )
        == []
    )


def test_the_second_form_with_default_takes_everything(portal, browser):
    page = browser.open(
        f"/{TAILSPIN}/v2.0/adminconsent",
        client_id=PORTAL_APP_ID,
        redirect_uri=REDIRECT,
        state="s",
        scope="https://graph.microsoft.com/.default",
    )

    browser.press(browser.press(page, "Tara Nowak"), "Accept")

    assert "User.Read.All" in claims(portal.app_only(TAILSPIN).json()["access_token"])["roles"]


def test_admin_consent_can_be_declined(served, browser):
    page = browser.open("/organizations/adminconsent", client_id=PORTAL_APP_ID, redirect_uri=REDIRECT, state="s")

    answer = browser.press(browser.press(page, "Tara Nowak"), "Cancel").answer

    assert (answer["error"], answer["state"], answer["error_subcode"]) == ("access_denied", "s", "cancel")
    assert served.world.tenants[TAILSPIN].service_principal_for(PORTAL_APP_ID) is None


@pytest.mark.parametrize("person", ["Adele", "Isaiah"])
def test_application_permissions_need_more_than_an_application_administrator(served, browser, person):
    page = browser.open(f"/{CONTOSO}/adminconsent", client_id=PORTAL_APP_ID, redirect_uri=REDIRECT, state="s")

    page = browser.press(page, person)

    assert "Needs admin approval" in page.text
    assert browser.press(page, "Return to the application").answer["error"] == "permission_denied"


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("Privileged Role Administrator", True),
        ("Global Administrator", True),
        ("Cloud Application Administrator", False),
        ("Application Administrator", False),
        ("User Administrator", False),
    ],
)
def test_graphs_application_permissions_take_one_of_two_roles(served, browser, role, may):
    """https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent#prerequisites"""
    tailspin = served.world.tenants[TAILSPIN]
    tailspin.update_user(tailspin.user("tara@tailspin.example").id, role_template_ids=[ROLE_IDS[role]])
    page = browser.open("/organizations/adminconsent", client_id=PORTAL_APP_ID, redirect_uri=REDIRECT, state="s")

    page = browser.press(page, "Tara Nowak")

    assert ("Needs admin approval" in page.text) is not may
    assert ("review for your organization" in page.text) is may


def test_an_unregistered_address_is_not_told_about_consent(browser):
    page = browser.open("/organizations/adminconsent", client_id=PORTAL_APP_ID, redirect_uri="https://evil.example/")

    assert "AADSTS50011" in page.text


def test_scopes_must_be_named_in_the_second_form(browser):
    page = browser.open("/organizations/v2.0/adminconsent", client_id=PORTAL_APP_ID, redirect_uri=REDIRECT, state="s")

    assert page.answer["error_description"].startswith("AADSTS900144")
