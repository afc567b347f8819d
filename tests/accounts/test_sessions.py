"""Where one is signed in to the portal, and every way such a session ends."""

import re
from datetime import timedelta
from html import unescape

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services
from accounts.access import Actor
from accounts.models import TokenCache, User
from accounts.tenancy import tenant_context
from tests.accounts.test_sign_in import ADELE, MEGAN, ROBIN
from tests.sandbox_client import CONTOSO, FABRIKAM

LOGOUT = "/accounts/front-channel-logout/"


def sid_of(browser) -> str:
    return UserSession.objects.get(session_key=browser.portal.session.session_key).data["sid"]


def account(tenant, upn: str = ADELE) -> User:
    with tenant_context(tenant.id):
        return User.objects.get(upn=upn)


def tokens_kept(tenant) -> int:
    with tenant_context(tenant.id):
        return TokenCache.objects.count()


# --- one's own list ------------------------------------------------------------------------------------


def test_the_list_shows_ones_own_sessions_and_which_is_this_one(contoso, browser, another_browser):
    browser.sign_in(ADELE)
    another_browser().sign_in(ADELE)
    another_browser().sign_in(MEGAN)

    page = browser.open("/accounts/sessions/").content.decode()

    assert page.count("Firefox on Windows") >= 2
    assert page.count("/end/") == 2
    assert page.count("this one") == 1


def test_another_of_ones_sessions_can_be_ended(contoso, browser, another_browser, announced):
    browser.sign_in(ADELE)
    other = another_browser()
    other.sign_in(ADELE)
    key = UserSession.objects.get(session_key=other.portal.session.session_key).pk

    browser.send(browser.open("/accounts/sessions/"), f"/accounts/sessions/{key}/end/")

    assert other.open("/").status_code == 401
    assert browser.open("/").status_code == 200
    assert announced[-1][0] == "session_ended"
    assert tokens_kept(contoso) == 1


def test_all_others_can_be_ended_at_once(contoso, browser, another_browser):
    browser.sign_in(ADELE)
    others = [another_browser() for _ in range(2)]
    for other in others:
        other.sign_in(ADELE)

    browser.send(browser.open("/accounts/sessions/"), "/accounts/sessions/end-others/")

    assert [other.open("/").status_code for other in others] == [401, 401]
    assert browser.open("/").status_code == 200


def test_a_session_of_somebody_else_is_as_absent_as_one_that_never_was(contoso, browser, another_browser):
    browser.sign_in(ADELE)
    victim = another_browser()
    victim.sign_in(MEGAN)
    key = UserSession.objects.get(session_key=victim.portal.session.session_key).pk
    page = browser.open("/accounts/sessions/")
    token = {"csrfmiddlewaretoken": browser.portal.cookies["csrftoken"].value}

    answers = [browser.portal.post(f"/accounts/sessions/{pk}/end/", token).status_code for pk in (key, 99_999_999)]

    assert page.status_code == 200
    assert answers == [404, 404]
    assert victim.open("/").status_code == 200


def test_a_session_cannot_be_ended_by_a_link(contoso, browser):
    browser.sign_in(ADELE)
    key = UserSession.objects.get().pk

    assert browser.open(f"/accounts/sessions/{key}/end/").status_code == 405
    assert browser.open("/accounts/sign-out/").status_code == 405
    assert browser.portal.post("/accounts/sign-out/").status_code == 403


def test_signing_out_ends_the_session_and_forgets_the_tokens_with_the_last_one(
    contoso, browser, another_browser, announced
):
    browser.sign_in(ADELE)
    other = another_browser()
    other.sign_in(ADELE)

    response = browser.send(browser.open("/"), "/accounts/sign-out/")

    assert response["Location"] == "/accounts/signed-out/"
    assert "Sign out of Microsoft too" in browser.open(response["Location"]).content.decode()
    assert not browser.signed_in
    assert tokens_kept(contoso) == 1

    other.send(other.open("/"), "/accounts/sign-out/")

    assert tokens_kept(contoso) == 0
    assert [one["reason"] for name, one in announced if name == "session_ended"] == ["signed_out", "signed_out"]


def test_no_page_of_a_session_is_shown_again_without_asking(contoso, browser):
    browser.sign_in(ADELE)

    assert "no-cache" in browser.open("/accounts/sessions/")["Cache-Control"]


# --- ended by others -----------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["account", "account id", "tenant and object id", "a list"])
def test_sessions_end_whichever_way_the_person_is_named(contoso, browser, another_browser, by):
    browser.sign_in(ADELE)
    other = another_browser()
    other.sign_in(ADELE)
    adele = account(contoso)
    named = {
        "account": adele,
        "account id": adele.pk,
        "tenant and object id": (contoso.id, adele.object_id),
        "a list": [(contoso.id, adele.object_id)],
    }[by]

    assert services.end_portal_sessions(named, reason="helpdesk", actor=Actor.system()) == 2

    assert [one.open("/").status_code for one in (browser, other)] == [401, 401]
    assert tokens_kept(contoso) == 0


def test_the_record_says_who_ended_it_and_whose_it_was(contoso, browser, megan, announced):
    browser.sign_in(ADELE)
    services.end_portal_sessions(account(contoso), reason="stolen", actor=Actor.of(megan.membership))

    name, details = announced[-1]
    assert (name, details["actor_label"], details["target_label"]) == ("session_ended", "Megan Bowen", "Adele Vance")
    assert details["reason"] == "stolen"


def test_a_session_that_no_list_knows_ends_too(contoso, browser):
    browser.sign_in(ADELE)
    UserSession.objects.all().delete()

    services.end_portal_sessions(account(contoso), reason="stolen", actor=Actor.system())

    assert Session.objects.exists()
    assert browser.open("/").status_code == 302


def test_ten_thousand_people_cost_no_more_queries_than_one(contoso, adele, megan, henrietta, django_assert_num_queries):
    people = [(contoso.id, one.object_id) for one in (adele, megan, henrietta)]

    with django_assert_num_queries(11):
        services.end_portal_sessions(people[:1], reason="stolen", actor=Actor.system())
    with django_assert_num_queries(11):
        services.end_portal_sessions(people, reason="stolen", actor=Actor.system())


def test_people_without_an_account_are_passed_over(contoso, adele):
    unknown = (contoso.id, "99999999-0000-4000-8000-000000000000")

    assert services.end_portal_sessions([unknown, adele.user.pk, adele.user], reason="list", actor=Actor.system()) == 0


def test_a_pair_of_another_tenant_names_nobody(contoso, fabrikam, browser):
    browser.sign_in(ADELE)

    assert (
        services.end_portal_sessions((fabrikam.id, account(contoso).object_id), reason="x", actor=Actor.system()) == 0
    )
    assert browser.open("/").status_code == 200


# --- ended at Microsoft --------------------------------------------------------------------------------


def test_signing_out_at_microsoft_ends_the_session_without_our_cookies(contoso, browser, another_browser, client):
    browser.sign_in(ADELE)
    other = another_browser()
    other.sign_in(ADELE)

    response = client.get(LOGOUT, {"sid": sid_of(browser), "iss": f"https://login.microsoftonline.com/{CONTOSO}/v2.0"})

    assert response.status_code == 200
    assert "X-Frame-Options" not in response
    assert browser.open("/").status_code == 401
    assert other.open("/").status_code == 200


def test_the_sid_alone_is_enough(contoso, browser, client, announced):
    browser.sign_in(ADELE)

    client.get(LOGOUT, {"sid": sid_of(browser)})

    assert browser.open("/").status_code == 401
    signal, details = announced[-1]
    assert (signal, details["actor_id"]) == ("session_ended", "system"), "who loads that page is not known"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"sid": ""},
        {"sid": "made-up"},
        {"sid": "SID", "iss": f"https://login.microsoftonline.com/{FABRIKAM}/v2.0"},
        {"sid": "SID", "iss": "https://evil.example/v2.0"},
        {"sid": "SID", "iss": "https://login.microsoftonline.com/contoso/v2.0"},
    ],
)
def test_anything_else_ends_nothing_and_is_answered_alike(contoso, browser, client, query):
    browser.sign_in(ADELE)
    query = {name: sid_of(browser) if value == "SID" else value for name, value in query.items()}

    response = client.get(LOGOUT, query)

    assert (response.status_code, response.content) == (200, b"Signed out.")
    assert browser.open("/").status_code == 200


def test_microsofts_own_sign_out_page_loads_ours(contoso, browser, client):
    browser.sign_in(ADELE)
    away = browser.microsoft.get(f"{browser.sandbox_url}/organizations/oauth2/v2.0/logout", timeout=10)

    assert f"{LOGOUT}?" in away.text
    assert sid_of(browser) in away.text


def test_people_of_another_tenant_are_untouched(contoso, fabrikam, browser, another_browser):
    browser.sign_in(ADELE)
    other = another_browser()
    other.sign_in(ROBIN)

    services.end_portal_sessions(account(contoso), reason="x", actor=Actor.system())

    assert other.open("/").status_code == 200


# --- what a request costs ------------------------------------------------------------------------------


def test_the_door_costs_six_queries_and_writes_nothing_when_the_person_was_here_just_now(contoso, browser):
    browser.sign_in(ADELE)

    with CaptureQueriesContext(connection) as captured:
        assert browser.open("/accounts/sessions/").status_code == 200

    asked = [one["sql"] for one in captured if "set_config" not in one["sql"]]
    # Session, account with tenant, last seen, membership; the page's own list, and the workspaces in its frame.
    assert len(asked) == 6


def test_when_a_session_was_last_used_is_noted_to_the_minute(contoso, browser):
    browser.sign_in(ADELE)
    long_ago = timezone.now() - timedelta(hours=2)
    UserSession.objects.update(last_seen_at=long_ago)

    browser.open("/", headers={"user-agent": "Mozilla/5.0 (iPhone) Safari/605"})

    session = UserSession.objects.get()
    assert session.last_seen_at > long_ago + timedelta(hours=1)
    assert "Safari on iPhone" in browser.open("/accounts/sessions/").content.decode()


@pytest.mark.parametrize("way", ["/accounts/sign-out/", "/end/"])
def test_microsoft_is_told_whose_session_to_end_so_that_it_need_not_ask(contoso, browser, way):
    browser.sign_in(ADELE)
    hint = browser.portal.session["login_hint"]

    out = browser.send(browser.open("/accounts/sessions/"), way)

    assert hint.startswith("O.")
    assert f"logout_hint={hint}" in unescape(browser.open(out["Location"]).content.decode())
    assert not browser.signed_in


def test_who_comes_to_that_page_otherwise_hints_at_nobody(client, db):
    assert "logout_hint" not in client.get("/accounts/signed-out/").content.decode()


def test_signing_out_of_microsoft_too_comes_back_to_the_portal(contoso, browser):
    browser.sign_in(ADELE)
    out = browser.send(browser.open("/"), "/accounts/sign-out/")
    address = re.search(r'href="([^"]+/oauth2/v2.0/logout[^"]+)"', browser.open(out["Location"]).content.decode())

    page = browser.microsoft.get(unescape(address[1]), timeout=10).text

    assert "http://127.0.0.1:8000/accounts/signed-out/" in unescape(page)
