"""The apps that hold refresh tokens: they lose access when, and only when, it was taken away."""

from functools import partial

import pytest

from tests.sandbox.graph import Graph


@pytest.fixture
def use(served, browser):
    """`use(upn)`: Mail Sidekick uses the tokens it holds; the answer per person."""

    def use(user=None, slug="mail-sidekick"):
        data = {"user": user} if user else {}
        answer = browser.http.post(f"{served.url}/apps/{slug}/refresh", data=data, timeout=10)
        assert answer.status_code == 200
        return {one["upn"]: one for one in answer.json()["connections"]}

    return use


def test_the_app_begins_with_the_people_who_allowed_it(use):
    found = use()

    assert {"adele@contoso.example", "johanna@contoso.example", "allan@fabrikam.example"} <= set(found)
    assert all(one["ok"] for one in found.values())


def test_a_removed_consent_is_seen_as_65001_by_that_person_alone(use, contoso_directory, sidekick):
    adele = contoso_directory.user("adele@contoso.example")
    client = contoso_directory.service_principal_for(sidekick.app_id)
    grant = next(one for one in contoso_directory.grants_of_client(client.id) if one.principal_id == adele.id)
    assert use("adele@contoso.example")["adele@contoso.example"]["ok"]

    contoso_directory.delete_grant(grant.id)

    found = use()
    assert found["adele@contoso.example"]["error"] == "AADSTS65001"
    assert found["johanna@contoso.example"]["ok"]


def test_a_person_signed_out_everywhere_is_seen_as_50173_until_they_come_back(use, contoso_directory, browser):
    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)
    assert use()["adele@contoso.example"]["error"] == "AADSTS50173"

    page = browser.press(browser.open("/apps/mail-sidekick/"), "Sign in / connect again")
    browser.press(page, "Adele Vance")

    assert use()["adele@contoso.example"]["ok"]


def test_an_app_that_was_disabled_or_deleted_fails_for_everybody(use, contoso_directory, sidekick):
    client = contoso_directory.service_principal_for(sidekick.app_id)
    contoso_directory.update_service_principal(client.id, enabled=False)
    assert use()["adele@contoso.example"]["error"] == "AADSTS7000112"

    contoso_directory.delete_service_principal(client.id)

    found = use()
    assert found["adele@contoso.example"]["error"] == "AADSTS700016"
    assert found["allan@fabrikam.example"]["ok"]


def test_what_the_app_holds_outlives_the_refusal(use, contoso_directory, served, browser):
    use()
    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)
    use()

    found = browser.http.get(f"{served.url}/apps/mail-sidekick/status", timeout=10).json()

    adele = next(one for one in found["connections"] if one["upn"] == "adele@contoso.example")
    assert adele["error"] == "AADSTS50173"
    assert adele["refreshed_at"] is not None
    assert adele["access_token_expires_at"] > adele["tried_at"]
    assert "token" not in {name for name in adele if name.endswith("token")}


def test_the_page_tells_the_same_story(contoso_directory, browser):
    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)

    page = browser.press(browser.open("/apps/mail-sidekick/"), "Use all tokens now")

    assert "AADSTS50173" in page.text
    assert "last refresh at" in page.text


def test_a_new_person_can_connect_through_consent(use, browser, contoso_directory):
    page = browser.press(browser.open("/apps/mail-sidekick/"), "Sign in / connect again")
    page = browser.press(page, "Henrietta Mueller")
    assert "Permissions requested" in page.text

    page = browser.press(page, "Accept")

    assert page.url.endswith("/apps/mail-sidekick/")
    assert use("henrietta@contoso.example")["henrietta@contoso.example"]["ok"]


def test_an_answer_to_nobodys_question_is_refused(browser):
    page = browser.open("/apps/mail-sidekick/callback", code="x", state="y")

    assert page.status == 400


def test_declining_is_shown(browser):
    page = browser.press(browser.open("/apps/mail-sidekick/"), "Sign in / connect again")

    page = browser.press(browser.press(page, "Henrietta Mueller"), "Cancel")

    assert "AADSTS65004" in page.text


def test_unknown_apps_are_absent(browser):
    assert browser.open("/apps/nothing/").status == 404


def test_other_sites_cannot_use_the_tokens(served, browser):
    browser.http.headers["Origin"] = "https://evil.example"

    assert browser.http.post(f"{served.url}/apps/mail-sidekick/refresh", timeout=10).status_code == 404


def test_a_disabled_persons_token_fails(use):
    assert use(slug="litware-timesheets")["lee@contoso.example"]["error"] == "AADSTS50057"


# --- The mail it reads --------------------------------------------------------------------------------


def test_a_removed_app_reads_on_until_what_it_holds_runs_out(use, browser, served, contoso_directory, sidekick):
    adele = contoso_directory.user("adele@contoso.example")
    client = contoso_directory.service_principal_for(sidekick.app_id)
    held_until = use("adele@contoso.example")["adele@contoso.example"]["access_token_expires_at"]
    assert "Salary review 2027" in browser.open("/apps/mail-sidekick/").text
    grant = next(one for one in contoso_directory.grants_of_client(client.id) if one.principal_id == adele.id)

    contoso_directory.delete_grant(grant.id)
    gone = use("adele@contoso.example")["adele@contoso.example"]
    meanwhile = browser.open("/apps/mail-sidekick/").text
    served.world.clock.advance(5400)
    after = use("adele@contoso.example")["adele@contoso.example"]
    later = browser.open("/apps/mail-sidekick/").text

    assert gone["error"] == after["error"] == "AADSTS65001"
    assert gone["access_token_expires_at"] == held_until
    assert "Salary review 2027" in meanwhile
    assert "It gets nothing new" in meanwhile
    assert "Salary review 2027" not in later


def test_mail_is_ones_own_and_read_as_far_as_was_allowed(served):
    adele = partial(Graph.as_person, served, "adele@contoso.example")

    full = adele("Mail.ReadWrite").get("me/messages?$top=2&$select=subject,bodyPreview")["value"]
    basic = adele("Mail.ReadBasic").get("me/messages")["value"]
    answers = [adele("User.Read").send("GET", "me/messages"), Graph.as_portal(served).send("GET", "me/messages")]
    answers += [adele("Mail.Read").send("GET", f"me/messages?{one}") for one in ("$top=1001", "$select=x", "$expand=y")]

    assert [set(one) for one in full] == [{"id", "subject", "bodyPreview"}] * 2
    assert len(basic) > 2
    assert all("bodyPreview" not in one for one in basic)
    assert [one.status_code for one in answers] == [403, 400, 400, 400, 400]
