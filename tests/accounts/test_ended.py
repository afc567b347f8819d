"""A session that was ended under somebody's hands: the next request is told what was done, and what was not."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.access import Actor
from accounts.models import EndedSession
from tests.accounts.browser import onward
from tests.accounts.test_sessions import account, sid_of
from tests.accounts.test_sign_in import ADELE, MEGAN

HERE = "http://127.0.0.1:8000"


@pytest.fixture
def ended_by_megan(contoso, browser, megan) -> None:
    browser.sign_in(ADELE)
    services.end_portal_sessions(account(contoso), reason="Phishing, INC-7", actor=Actor.of(megan.membership))


def post(browser, address: str, **headers):
    token = browser.portal.cookies["csrftoken"].value
    return browser.portal.post(address, {"csrfmiddlewaretoken": token}, headers=headers)


def test_a_page_asked_for_afterwards_says_so_and_leads_back(ended_by_megan, browser):
    answer = browser.open("/activity/?page=2")

    page = answer.content.decode()
    assert answer.status_code == 401
    assert "Somebody who looks after accounts" in page
    assert "Sign in again to come back to the page you wanted" in page
    leave = browser.send(answer, "/accounts/entra/login/")
    assert browser.open(browser.at_microsoft(onward(leave), ADELE))["Location"] == "/activity/?page=2"
    assert browser.open("/activity/").status_code == 200


def test_a_form_sent_afterwards_did_nothing_and_says_so(ended_by_megan, browser):
    answer = post(browser, "/accounts/sessions/end-others/", referer=f"{HERE}/accounts/sessions/")

    page = answer.content.decode()
    assert answer.status_code == 401
    assert "What you sent was not carried out" in page
    assert 'name="next" value="/accounts/sessions/"' in page


def test_a_form_whose_text_the_browser_keeps_is_where_it_leads_back_to(ended_by_megan, browser):
    """A dialog over another page: the text waits under the form's own address (keep.js)."""
    token = browser.portal.cookies["csrftoken"].value
    data = {"csrfmiddlewaretoken": token, "kept": "yes", "reason": "Not mine"}

    answer = browser.portal.post("/sign-out-everywhere/", data, headers={"referer": f"{HERE}/"})

    assert answer.status_code == 401
    assert 'name="next" value="/sign-out-everywhere/"' in answer.content.decode()


@pytest.mark.parametrize(("method", "said"), [("post", True), ("get", False)])
def test_a_part_of_a_page_moves_the_whole_page_there(ended_by_megan, browser, method, said):
    headers = {"hx-request": "true", "hx-current-url": f"{HERE}/activity/"}
    if method == "post":
        answer = post(browser, "/accounts/sessions/end-others/", **headers)
    else:
        answer = browser.portal.get("/", headers=headers)

    page = browser.open(answer["HX-Redirect"])
    assert page.status_code == 401
    assert 'name="next" value="/activity/"' in page.content.decode()
    assert ("What you sent was not carried out" in page.content.decode()) is said


def test_another_tab_is_told_too(ended_by_megan, browser):
    browser.open("/")

    assert browser.open("/activity/").status_code == 401


def test_who_holds_a_stolen_cookie_learns_nobodys_name(ended_by_megan, browser):
    page = browser.open("/").content.decode()

    for name in ("Adele", "adele", "Megan", "INC-7", "Phishing", "Contoso"):
        assert name not in page


@pytest.mark.django_db(transaction=True)
def test_who_signed_themselves_out_everywhere_reads_the_proof_here_and_that_it_was_done_elsewhere(
    contoso, browser, another_browser
):
    other = another_browser()
    for one in (browser, other):
        one.sign_in(ADELE)
    everywhere = reverse("consent:sign-out-everywhere")

    sent = browser.send(browser.open(everywhere), everywhere)
    proof, page = browser.open(sent["Location"]), other.open(everywhere)

    assert "You are signed out everywhere" in proof.content.decode()
    assert browser.open(everywhere)["Location"].startswith(reverse("accounts:sign-in"))  # it was told already
    assert page.status_code == 401
    assert "You asked to be signed out" in page.content.decode()
    assert f'name="next" value="{everywhere}"' in page.content.decode()


def test_who_ended_it_from_another_browser_reads_that(contoso, browser, another_browser):
    browser.sign_in(ADELE)
    other = another_browser()
    other.sign_in(ADELE)
    browser.send(browser.open("/accounts/sessions/"), "/accounts/sessions/end-others/")

    assert "from the list of this account&#x27;s own sessions" in other.open("/").content.decode()


def test_who_signed_out_at_microsoft_reads_that(contoso, browser, client):
    browser.sign_in(ADELE)
    client.get("/accounts/front-channel-logout/", {"sid": sid_of(browser)})

    assert "signed out at Microsoft" in browser.open("/").content.decode()


def test_strangers_learn_nothing(ended_by_megan, client, another_browser):
    assert client.get("/").status_code == 302
    assert client.get("/accounts/ended/?next=/activity/")["Location"] == "/activity/"
    guessed = another_browser()
    guessed.portal.cookies["consentry_session"] = "a" * 32
    assert guessed.open("/").status_code == 302


def test_a_new_sign_in_ends_the_telling(ended_by_megan, browser):
    browser.open("/")
    browser.sign_in(ADELE)
    browser.send(browser.open("/"), "/accounts/sign-out/")

    assert browser.open("/").status_code == 302


def test_somebody_else_at_the_same_browser_is_not_told(ended_by_megan, browser):
    browser.microsoft.cookies.clear()
    browser.sign_in(MEGAN)

    assert browser.open("/").status_code == 200


def test_it_is_forgotten_when_browsers_have_forgotten_the_session(ended_by_megan):
    assert services.delete_dead_sessions() == 0
    assert EndedSession.objects.exists()

    EndedSession.objects.update(ended_at=timezone.now() - timedelta(days=2))
    services.delete_dead_sessions()

    assert not EndedSession.objects.exists()
