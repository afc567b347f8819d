"""The sign-in pages: who is asked, who is not, and who is sent away."""

import pytest

from sandbox.catalogue import CONTOSO, FABRIKAM, PORTAL_APP_ID
from sandbox.identity.people import PERSONAL_NAME
from sandbox.objects import make_id
from tests.sandbox.browser import Browser
from tests.sandbox.client import Client, claims, fragment

ASSIGNED_APP = "Portal.Helpdesk"


def page_says(page, code):
    assert f"AADSTS{code}" in page.text, page.text
    assert page.url.startswith("http://127.0.0.1:"), "an application was told"


def told(page, error, code):
    assert page.answer.get("error") == error, (page.url, page.text)
    assert page.answer["error_description"].startswith(f"AADSTS{code}: ")
    assert page.answer["state"] == "the-state"


# --- the picker ------------------------------------------------------------------------------------


def test_a_stranger_picks_an_account_and_the_page_says_it_is_a_sandbox(portal):
    page = portal.authorize()

    assert page.status == 200
    assert "Sandbox: not Microsoft." in page.text
    assert "Adele Vance" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_a_click_signs_in(portal):
    answer = portal.code("Adele Vance")

    assert answer["state"] == "the-state"
    assert {"code", "session_state"} <= set(answer)
    assert "client_info" not in answer


def test_the_next_app_in_the_same_browser_asks_nothing(portal, sidekick):
    portal.code("Adele Vance")

    page = sidekick.authorize()

    assert "code" in page.answer


def test_another_browser_is_a_stranger(portal, served):
    portal.code("Adele Vance")

    with Browser(served.url) as other:
        page = Client(served.url, other).authorize()

    assert "Pick an account" in page.text


def test_with_two_accounts_the_browser_asks_again(portal):
    portal.code("Adele Vance")
    portal.code("Megan Bowen", prompt="select_account")

    page = portal.authorize()

    assert "Signed in to this browser" in page.text
    assert claims(portal.sign_in("Megan Bowen")["id_token"])["name"] == "Megan Bowen"


def test_a_hint_chooses_between_two_accounts(portal):
    portal.code("Adele Vance")
    portal.code("Megan Bowen", prompt="select_account")

    body = portal.redeem(portal.authorize(login_hint="adele@contoso.example").answer["code"]).json()

    assert claims(body["id_token"])["name"] == "Adele Vance"


def test_the_opaque_hint_of_the_id_token_works_as_well(portal):
    body = portal.sign_in("Adele Vance")
    portal.code("Megan Bowen", prompt="select_account")

    again = portal.authorize(login_hint=claims(body["id_token"])["login_hint"]).answer["code"]

    assert claims(portal.redeem(again).json()["id_token"])["name"] == "Adele Vance"


def test_a_hint_for_somebody_else_asks_for_that_one(portal):
    portal.code("Adele Vance")

    page = portal.authorize(login_hint="megan@contoso.example")

    assert "Sign in as Megan Bowen" in page.text


def test_a_domain_hint_leaves_other_accounts_out(portal):
    portal.code("Adele Vance")

    assert "Pick an account" in portal.authorize(domain_hint="fabrikam.example").text
    assert "code" in portal.authorize(domain_hint="contoso.example").answer


def test_another_account_can_be_typed(portal):
    page = portal.browser.press(portal.authorize(), "Next", other="robin@fabrikam.example")

    body = portal.redeem(page.answer["code"]).json()
    assert claims(body["id_token"])["tid"] == FABRIKAM


def test_an_unknown_name_is_said_and_can_be_corrected(portal):
    page = portal.browser.press(portal.authorize(), "Next", other="nobody@contoso.example")

    assert "no account with that name" in page.text
    assert "code" in portal.browser.press(page, "Adele Vance").answer


# --- prompt and max_age ------------------------------------------------------------------------------


def test_silent_sign_in_needs_a_session(portal):
    told(portal.authorize(prompt="none"), "login_required", 50058)

    portal.code("Adele Vance")

    assert "code" in portal.authorize(prompt="none").answer


def test_silent_sign_in_does_not_choose(portal):
    portal.code("Adele Vance")
    portal.code("Megan Bowen", prompt="select_account")

    told(portal.authorize(prompt="none"), "interaction_required", 16000)


def test_silent_sign_in_does_not_ask_for_consent(portal, sidekick):
    portal.code("Megan Bowen")

    told(sidekick.authorize(prompt="none"), "consent_required", 65001)


def test_login_gives_a_new_sign_in_time_and_a_session_an_old_one(portal, served):
    first = claims(portal.sign_in("Adele Vance")["id_token"])
    served.world.clock.advance(600)

    silent = claims(portal.sign_in("Adele Vance")["id_token"])
    again = claims(portal.sign_in("Adele Vance", prompt="login")["id_token"])

    assert silent["auth_time"] == first["auth_time"]
    assert again["auth_time"] >= first["auth_time"] + 600
    assert again["sid"] == first["sid"]


def test_max_age_asks_again_once_the_sign_in_is_older(portal, served):
    portal.code("Adele Vance")
    served.world.clock.advance(400)

    assert "code" in portal.authorize(max_age="500").answer
    page = portal.authorize(max_age="300")
    assert "Confirm it is you" in page.text

    body = portal.redeem(portal.browser.press(page, "Sign in as Adele").answer["code"]).json()
    assert abs(claims(body["id_token"])["auth_time"] - served.world.clock.now().timestamp()) < 60


def test_max_age_of_nothing_always_asks(portal):
    portal.code("Adele Vance")

    assert "Confirm it is you" in portal.authorize(max_age="0").text


def test_an_authentication_context_that_was_asked_for_is_in_the_id_token(portal):
    body = portal.sign_in("Adele Vance", claims='{"id_token":{"acrs":{"essential":true,"value":"c1"}}}')

    assert claims(body["id_token"])["acrs"] == ["c1"]


def test_a_revoked_browser_session_signs_in_again(portal, contoso_directory):
    portal.code("Adele Vance")
    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)

    told(portal.authorize(prompt="none"), "login_required", 50058)
    assert "Pick an account" in portal.authorize().text


# --- where answers go --------------------------------------------------------------------------------


def test_answers_travel_by_query_by_fragment_and_by_form(portal):
    portal.code("Adele Vance")

    assert "code" in portal.authorize(response_mode="query").answer
    assert "code" in fragment(portal.authorize(response_mode="fragment"))
    page = portal.authorize(response_mode="form_post")
    assert page.forms[0].action == portal.redirect_uri
    assert {"code", "state"} <= set(page.forms[0].values)


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/callback",
        "http://127.0.0.1:8000/accounts/entra/login/callback/more",
        "http://127.0.0.1.evil.example/accounts/entra/login/callback/",
        "http://user@127.0.0.1/accounts/entra/login/callback/",
        "http://127.0.0.1:99999/accounts/entra/login/callback/",
        "javascript:alert(1)",
    ],
)
def test_unregistered_addresses_are_told_nothing(portal, uri):
    page_says(portal.authorize(redirect_uri=uri), 50011)


@pytest.mark.parametrize("port", ["", ":8000", ":61234"])
def test_an_app_for_this_machine_may_use_any_port(portal, port):
    portal.redirect_uri = f"http://localhost{port}/accounts/entra/login/callback/"

    assert "code" in portal.code("Adele Vance")


@pytest.mark.parametrize(
    ("values", "error", "code"),
    [
        ({"response_type": None}, "invalid_request", 900144),
        ({"response_type": "device"}, "unsupported_response_type", 700051),
        ({"scope": None}, "invalid_request", 900144),
        ({"scope": "nobody/x"}, "invalid_scope", 70011),
        ({"scope": "User.Read https://graph.microsoft.com/.default"}, "invalid_scope", 70011),
        ({"prompt": "perhaps"}, "invalid_request", 90023),
        ({"max_age": "soon"}, "invalid_request", 90013),
        ({"claims": "[]"}, "invalid_request", 90013),
        ({"code_challenge_method": "S1"}, "invalid_request", 501491),
    ],
)
def test_a_bad_request_is_told_to_the_application(portal, values, error, code):
    told(portal.authorize(**values), error, code)


def test_tokens_straight_from_this_page_are_not_enabled(portal):
    page = portal.authorize(response_type="id_token")

    answer = fragment(page)
    assert (answer["error"], answer["error_description"][:13]) == ("unsupported_response_type", "AADSTS700054:")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"authority": "nobody.example"}, 90002),
        ({"client_id": None}, 900144),
        ({"client_id": "dddddddd-0000-4000-8000-000000000000"}, 700016),
    ],
)
def test_what_is_wrong_with_the_client_is_shown_to_the_person(portal, values, code):
    page_says(portal.authorize(**values), code)


# --- who may sign in -----------------------------------------------------------------------------------


def test_a_stranger_to_the_tenant_is_sent_away(portal):
    page = portal.browser.press(portal.authorize(authority=CONTOSO), "Robin Counts")

    page_says(page, 50020)


def test_a_single_tenant_app_serves_its_own_tenant_by_its_own_path(portal, served):
    served.world.applications[PORTAL_APP_ID].multi_tenant = False

    page_says(portal.authorize(), 50194)
    page_says(portal.authorize(authority=FABRIKAM), 700016)
    assert "code" in portal.code("Adele Vance", authority=CONTOSO)


def test_a_disabled_person_is_told_so(portal):
    page_says(portal.browser.press(portal.authorize(), "Lee Gu"), 50057)


def test_a_disabled_app_is_closed(portal, contoso_directory):
    principal = contoso_directory.service_principal_for(PORTAL_APP_ID)
    contoso_directory.update_service_principal(principal.id, enabled=False)

    page_says(portal.browser.press(portal.authorize(), "Adele Vance"), 7000112)


def test_where_assignment_is_required_others_are_blocked(portal, contoso_directory):
    principal = contoso_directory.service_principal_for(PORTAL_APP_ID)
    contoso_directory.update_service_principal(principal.id, assignment_required=True)

    page_says(portal.browser.press(portal.authorize(), "Adele Vance"), 50105)
    assert "code" in portal.code("Megan Bowen", prompt="select_account")
    adele = contoso_directory.user("adele@contoso.example")
    contoso_directory.assign(adele.id, "User", principal.id)
    assert "code" in portal.code("Adele Vance", prompt="select_account")


@pytest.mark.parametrize(
    ("authority", "code"), [("organizations", 500201), ("common", 90013), ("consumers", 90013), (CONTOSO, 50020)]
)
def test_personal_accounts_are_refused(portal, authority, code):
    page_says(portal.browser.press(portal.authorize(authority=authority), PERSONAL_NAME), code)


# --- the pages cannot be misused -----------------------------------------------------------------------


def test_a_page_of_another_browser_cannot_be_answered(portal, served):
    page = portal.authorize()

    with Browser(served.url) as other:
        page_says(other.press(page, "Adele Vance"), 90013)


def test_a_form_from_another_site_is_not_answered(portal, served):
    page = portal.authorize()
    portal.browser.http.headers["Origin"] = "https://evil.example"

    page_says(portal.browser.press(page, "Adele Vance"), 90013)


def test_names_are_shown_as_text(portal, served):
    served.world.applications[PORTAL_APP_ID].display_name = "<script>alert(1)</script>"

    assert "<script>alert(1)</script>" in portal.authorize().text


def test_ids_of_people_are_the_same_in_every_run(contoso_directory):
    assert contoso_directory.user("adele@contoso.example").id == make_id(CONTOSO, "user", "adele@contoso.example")
