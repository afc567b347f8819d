"""A portal session is worth what Microsoft says about its owner now, not what it said at sign-in."""

import threading
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet
from django.db import connection
from django.utils import timezone

from accounts import refresh, services
from accounts.access import Actor
from accounts.models import Membership, Tenant, TokenCache, User
from accounts.refresh import Freshness
from accounts.tenancy import tenant_context
from tests.accounts.browser import onward
from tests.accounts.test_sign_in import ADELE, memberships
from tests.sandbox_client import PORTAL_CLIENT_ID


def make_old(tenant: Tenant, seconds: int) -> None:
    """The last check of everybody's identity was so long ago."""
    with tenant_context(tenant.id):
        checked = timezone.now() - timedelta(seconds=seconds)
        User.objects.update(identity_checked_at=checked, identity_lease_until=None)


def account(tenant: Tenant) -> User:
    with tenant_context(tenant.id):
        return User.objects.select_related("tenant").get()


def give_role(entra, tenant: Tenant, person: User, value: str) -> None:
    portal = entra.get(f"servicePrincipals(appId='{PORTAL_CLIENT_ID}')", tenant)
    role = next(one["id"] for one in portal["appRoles"] if one["value"] == value)
    body = {"principalId": str(person.object_id), "resourceId": portal["id"], "appRoleId": role}
    entra.graph("POST", f"servicePrincipals/{portal['id']}/appRoleAssignedTo", tenant, json=body).raise_for_status()


def test_a_young_identity_is_not_asked_about(contoso, browser, monkeypatch):
    browser.sign_in(ADELE)
    make_old(contoso, 590)
    monkeypatch.setattr(refresh, "_claim", lambda *_: pytest.fail("asked too early"))

    assert browser.open("/").status_code == 200


def test_an_old_one_is_read_again_with_the_roles_of_today(contoso, browser, entra):
    browser.sign_in(ADELE)
    give_role(entra, contoso, account(contoso), "Portal.Helpdesk")
    assert browser.open("/t/contoso/").status_code == 403
    make_old(contoso, 700)

    assert browser.open("/t/contoso/").status_code == 200

    assert memberships(contoso) == {ADELE: ["helpdesk", "user"]}
    assert timezone.now() - account(contoso).identity_checked_at < timedelta(minutes=1)


def test_a_revoked_sign_in_ends_every_session_with_a_page_and_the_way_back(
    contoso, browser, another_browser, entra, announced
):
    browser.sign_in(ADELE)
    other = another_browser()
    other.sign_in(ADELE)
    entra.clock(advance=2)
    entra.graph("POST", f"users/{account(contoso).object_id}/revokeSignInSessions", contoso).raise_for_status()
    make_old(contoso, 700)

    response = browser.open("/activity/?page=2")

    page = response.content.decode()
    assert response.status_code == 401
    assert "Your sign-in was revoked" in page
    assert "AADSTS50173" in page
    assert 'name="next" value="/activity/?page=2"' in page
    assert not browser.signed_in
    assert other.open("/").status_code == 401
    assert UserSession.objects.count() == 0
    with tenant_context(contoso.id):
        assert not TokenCache.objects.exists()
    assert ("session_ended", "entra_refused AADSTS50173") in [(name, one["reason"]) for name, one in announced]


def test_the_way_back_leads_back(contoso, browser, entra):
    browser.sign_in(ADELE)
    entra.clock(advance=2)
    entra.graph("POST", f"users/{account(contoso).object_id}/revokeSignInSessions", contoso).raise_for_status()
    make_old(contoso, 700)
    ended = browser.open("/activity/?page=2")
    browser.microsoft.cookies.clear()

    leave = browser.send(ended, "/accounts/entra/login/")
    response = browser.open(browser.at_microsoft(onward(leave), ADELE))

    assert response["Location"] == "/activity/?page=2"


def test_what_was_sent_when_the_session_ended_is_not_carried_out_and_the_page_says_so(contoso, browser):
    browser.sign_in(ADELE)
    make_old(contoso, 700)
    with tenant_context(contoso.id):
        TokenCache.objects.all().delete()

    token = browser.portal.cookies["csrftoken"].value
    response = browser.portal.post(
        "/accounts/sessions/end-others/",
        {"csrfmiddlewaretoken": token},
        headers={"referer": "http://127.0.0.1:8000/accounts/sessions/"},
    )

    page = response.content.decode()
    assert response.status_code == 401
    assert "was not carried out" in page
    assert 'name="next" value="/accounts/sessions/"' in page


def test_a_part_of_a_page_asked_for_after_the_end_moves_the_whole_page(contoso, browser):
    browser.sign_in(ADELE)
    make_old(contoso, 700)
    with tenant_context(contoso.id):
        TokenCache.objects.all().delete()

    response = browser.portal.get(
        "/", headers={"hx-request": "true", "hx-current-url": "http://127.0.0.1:8000/activity/"}
    )

    assert response["HX-Redirect"] == "/accounts/ended/?next=%2Factivity%2F"
    assert "session here has ended" in browser.open(response["HX-Redirect"]).content.decode()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"do": "disable_user", "user": ADELE}, "AADSTS50057"),
        ({"do": "delete_user", "user": ADELE}, "AADSTS"),
        ({"do": "disable_app", "app": PORTAL_CLIENT_ID}, "AADSTS7000112"),
        ({"do": "delete_app", "app": PORTAL_CLIENT_ID}, "AADSTS700016"),
    ],
    ids=lambda value: value["do"] if isinstance(value, dict) else "",
)
def test_whoever_microsoft_would_not_sign_in_is_out_at_the_next_check(contoso, browser, entra, change, code):
    browser.sign_in(ADELE)
    entra.control("POST", "world", json={"tenant": str(contoso.id), **change})
    make_old(contoso, 700)

    response = browser.open("/")

    assert response.status_code == 401
    assert code in response.content.decode()
    assert not browser.signed_in


def test_a_suspended_tenant_is_out_at_the_next_request(contoso, browser):
    browser.sign_in(ADELE)
    Tenant.objects.update(state=Tenant.State.SUSPENDED)

    response = browser.open("/")

    assert response.status_code == 403
    assert "suspended" in response.content.decode()
    assert not browser.signed_in


def test_while_microsoft_cannot_be_asked_the_page_is_served_and_marked(contoso, browser, settings):
    browser.sign_in(ADELE)
    make_old(contoso, 700)
    settings.SANDBOX_URL = "http://127.0.0.1:1"

    response = browser.open("/")

    assert response.status_code == 200
    assert "Microsoft cannot be reached" in response.content.decode()


def test_after_a_failure_nobody_waits_for_microsoft_until_the_lease_is_over(contoso, browser, settings, monkeypatch):
    browser.sign_in(ADELE)
    make_old(contoso, 700)
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    browser.open("/")
    monkeypatch.setattr(refresh, "_ask", lambda *_: pytest.fail("asked during the lease"))

    response = browser.open("/")

    assert response.status_code == 200
    assert "Microsoft cannot be reached" in response.content.decode()


def test_beyond_the_hard_limit_nothing_is_shown_and_the_session_waits(contoso, browser, settings, entra):
    browser.sign_in(ADELE)
    make_old(contoso, 3700)
    settings.SANDBOX_URL = "http://127.0.0.1:1"

    response = browser.open("/activity/")

    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert "Adele" not in response.content.decode()
    assert browser.signed_in

    settings.SANDBOX_URL = entra.url
    make_old(contoso, 3700)
    assert browser.open("/activity/").status_code == 200


def test_signing_out_works_without_microsoft(contoso, browser, settings):
    browser.sign_in(ADELE)
    page = browser.open("/")
    make_old(contoso, 3700)
    settings.SANDBOX_URL = "http://127.0.0.1:1"

    browser.send(page, "/accounts/sign-out/")

    assert not browser.signed_in


def test_a_portal_whose_secret_expired_throws_nobody_out(contoso, browser, settings):
    """It is the operator's trouble, not the person's."""
    browser.sign_in(ADELE)
    make_old(contoso, 700)
    settings.ENTRA_CLIENT_SECRET = "wrong"

    assert browser.open("/").status_code == 200
    assert browser.signed_in


def test_tokens_of_somebody_else_in_ones_row_prove_nothing(contoso, browser, another_browser):
    browser.sign_in(ADELE)
    another_browser().sign_in("megan@contoso.example")
    with tenant_context(contoso.id):
        adele, megan = (User.objects.get(upn=upn) for upn in (ADELE, "megan@contoso.example"))
        theirs = TokenCache.objects.get(user=megan).blob
        TokenCache.objects.filter(user=adele).update(blob=theirs)
    make_old(contoso, 700)

    assert browser.open("/").status_code == 401
    assert memberships(contoso)[ADELE] == ["user"]


def test_a_session_from_before_a_revocation_does_not_live_on_a_new_sign_in(contoso, browser, another_browser, entra):
    thief = browser
    thief.sign_in(ADELE)
    entra.clock(advance=2)
    entra.graph("POST", f"users/{account(contoso).object_id}/revokeSignInSessions", contoso).raise_for_status()

    owner = another_browser()
    owner.sign_in(ADELE)

    assert thief.open("/").status_code == 401
    assert owner.open("/").status_code == 200


def test_an_earlier_session_that_microsoft_still_vouches_for_goes_on(contoso, browser, another_browser):
    browser.sign_in(ADELE)
    another_browser().sign_in(ADELE)

    assert browser.open("/").status_code == 200
    assert UserSession.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_requests_at_once_one_asks_and_no_other_waits(contoso, browser, entra, monkeypatch):
    browser.sign_in(ADELE)
    make_old(contoso, 700)
    asking, go_on, asked = threading.Event(), threading.Event(), []
    really_ask = refresh._ask

    def slowly(user, stored):
        asked.append(user.pk)
        asking.set()
        go_on.wait(10)
        return really_ask(user, stored)

    monkeypatch.setattr(refresh, "_ask", slowly)
    outcomes = []

    def request() -> None:
        try:
            with tenant_context(contoso.id):
                outcomes.append(refresh.keep_fresh(User.objects.select_related("tenant").get()).freshness)
        finally:
            connection.close()

    first = threading.Thread(target=request)
    first.start()
    asking.wait(10)
    others = [threading.Thread(target=request) for _ in range(3)]
    for one in others:
        one.start()
    for one in others:
        one.join(10)
    assert outcomes == [Freshness.STALE] * 3

    go_on.set()
    first.join(10)
    assert outcomes[-1] is Freshness.FRESH
    assert len(asked) == 1


def test_a_refresh_under_way_while_somebody_signs_the_person_out_brings_nothing_back(contoso, browser, monkeypatch):
    browser.sign_in(ADELE)
    make_old(contoso, 700)
    really_ask = refresh._ask

    def meanwhile(user, stored):
        identity = really_ask(user, stored)
        services.end_portal_sessions(
            (contoso.id, user.object_id), reason="signed out by helpdesk", actor=Actor.system()
        )
        return identity

    monkeypatch.setattr(refresh, "_ask", meanwhile)

    assert browser.open("/").status_code == 401
    with tenant_context(contoso.id):
        assert not TokenCache.objects.exists()
    assert not browser.signed_in


def test_a_membership_granted_elsewhere_is_not_touched_by_ones_own_roles(contoso, fabrikam, browser):
    browser.sign_in(ADELE)
    with tenant_context(fabrikam.id):
        Membership.objects.create(
            tenant=fabrikam, user=account(contoso), roles=["auditor"], source=Membership.Source.GRANTED
        )
    make_old(contoso, 700)

    assert browser.open("/t/fabrikam/").status_code == 200
    with tenant_context(fabrikam.id):
        assert Membership.objects.get().roles == ["auditor"]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 429, "retry_after": 60},
        {"cut": True},
        {"body": "<html>busy</html>"},
        {"status": 400, "body": {"error": "temporarily_unavailable"}},
        {"mode": "after", "cut": True},
    ],
    ids=str,
)
def test_trouble_at_the_token_endpoint_is_not_a_no(contoso, browser, entra, fault):
    browser.sign_in(ADELE)
    make_old(contoso, 700)
    entra.faults({"path": "/oauth2/v2.0/token", **fault})

    assert browser.open("/").status_code == 200

    entra.faults()
    make_old(contoso, 700)
    assert browser.open("/").status_code == 200
    assert timezone.now() - account(contoso).identity_checked_at < timedelta(minutes=1)


def test_tokens_under_a_key_that_another_process_has_already_end_no_session(contoso, browser, settings):
    """TOKEN_CACHE_KEYS reach one process after the other; whoever is asked too early goes on with what is known."""
    browser.sign_in(ADELE)
    make_old(contoso, 700)
    settings.TOKEN_CACHE_KEYS = [Fernet.generate_key().decode()]

    assert browser.open("/").status_code == 200
    assert browser.signed_in

    make_old(contoso, 3700)  # by then everybody should have it
    browser.open("/")
    assert not browser.signed_in
