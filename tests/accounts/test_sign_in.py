"""Signing in through Microsoft, all the way over HTTP."""

from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialToken
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection

from accounts.models import Membership, Tenant, TokenCache, User
from accounts.tenancy import tenant_context
from audit import personal
from audit.models import AuditEntry, AuditEvent
from tests.accounts.browser import onward

ADELE, MEGAN, ROBIN = "adele@contoso.example", "megan@contoso.example", "robin@fabrikam.example"


def memberships(tenant: Tenant) -> dict[str, list[str]]:
    with tenant_context(tenant.id):
        found = Membership.objects.select_related("user")
        return {one.user.upn: one.roles for one in found}


def test_a_first_sign_in_makes_the_account_and_goes_where_the_person_wanted(contoso, browser, world, announced):
    response = browser.sign_in(ADELE, "/accounts/sign-in/?next=/activity/%3Fpage%3D2")

    assert (response.status_code, response["Location"]) == (302, "/activity/?page=2")
    assert browser.open("/").status_code == 200
    with tenant_context(contoso.id):
        adele = User.objects.get()
    people = next(one["users"] for one in world["tenants"] if one["id"] == str(contoso.id))
    assert str(adele.object_id) in {one["id"] for one in people}
    assert (adele.tenant_id, adele.display_name, adele.upn) == (contoso.id, "Adele Vance", ADELE)
    assert [(name, details["actor_label"]) for name, details in announced] == [("signed_in", "Adele Vance")]


def test_without_a_wish_the_person_lands_on_their_apps(contoso, browser):
    assert browser.sign_in(ADELE)["Location"] == "/"


@pytest.mark.parametrize(
    ("upn", "roles"),
    [
        (ADELE, ["user"]),
        (MEGAN, ["tenant_admin", "user"]),
        ("henrietta@contoso.example", ["helpdesk", "user"]),
        ("nestor@contoso.example", ["auditor", "user"]),
        ("miriam@contoso.example", ["auditor", "user"]),  # no role of ours, but Global Reader
    ],
)
def test_roles_come_from_entra(contoso, browser, upn, roles):
    browser.sign_in(upn)

    assert memberships(contoso) == {upn: roles}


def test_a_person_is_the_same_account_every_time(contoso, browser, another_browser):
    browser.sign_in(ADELE)
    another_browser().sign_in(ADELE)

    assert len(memberships(contoso)) == 1


def test_an_account_that_is_already_known_is_the_one_signed_in_to(contoso, adele, browser):
    browser.sign_in(ADELE)

    with tenant_context(contoso.id):
        assert User.objects.get().pk == adele.user.pk


def test_people_of_two_tenants_are_two_accounts(contoso, fabrikam, browser, another_browser):
    browser.sign_in(ADELE)
    another_browser().sign_in(ROBIN)

    assert list(memberships(contoso)) == [ADELE]
    assert list(memberships(fabrikam)) == [ROBIN]


def test_signing_in_as_somebody_else_takes_the_first_ones_place(contoso, fabrikam, browser):
    browser.sign_in(ADELE)
    browser.microsoft.cookies.clear()
    leave = browser.portal.post(
        "/accounts/entra/login/", {"csrfmiddlewaretoken": browser.portal.cookies["csrftoken"].value}
    )
    browser.open(browser.at_microsoft(onward(leave), ROBIN))

    assert "Robin Counts" in browser.open("/").content.decode()
    assert UserSession.objects.count() == 1
    with tenant_context(contoso.id):
        assert not TokenCache.objects.exists()


def test_nothing_secret_is_kept_where_it_can_be_read(contoso, browser, caplog):
    caplog.set_level("DEBUG")
    back = browser.at_microsoft(browser.leave_to_sign_in(), ADELE)
    browser.open(back)

    with tenant_context(contoso.id), connection.cursor() as cursor:
        cursor.execute("SELECT encode(blob, 'escape') FROM accounts_tokencache")
        kept = str(cursor.fetchall()) + str([one.get_decoded() for one in Session.objects.all()])
        cursor.execute("SELECT extra_data::text FROM socialaccount_socialaccount")
        kept += str(cursor.fetchall())
    code = parse_qs(urlsplit(back).query)["code"][0]
    for secret in ("refresh_token", "eyJ0eX", "eyJhbGci", code):
        assert secret not in kept
    for record in caplog.records:
        if record.name.split(".")[0] in ("accounts", "graph", "msal", "allauth"):
            assert "eyJ0eX" not in record.getMessage()  # how the header of a JWT begins
            assert "eyJhbGci" not in record.getMessage()
            assert code not in record.getMessage()
    assert not SocialToken.objects.exists()


def test_the_request_to_microsoft_holds_what_it_must_and_nothing_a_visitor_adds(contoso, browser):
    page = browser.open("/accounts/sign-in/?scope=Mail.ReadWrite&auth_params=prompt%3Dnone")
    leave = browser.send(page, "/accounts/entra/login/", scope="Mail.ReadWrite", process="connect")

    asked = {name: values[0] for name, values in parse_qs(urlsplit(onward(leave)).query).items()}
    assert urlsplit(onward(leave)).path == "/organizations/oauth2/v2.0/authorize"
    assert set(asked["scope"].split()) == {"User.Read", "openid", "profile", "offline_access"}
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/accounts/entra/login/callback/"
    assert "prompt" not in asked


@pytest.mark.parametrize(
    "next_url",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\/evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "///evil.example",
        "http://127.0.0.1:8000@evil.example/",
        "evil",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(contoso, browser, next_url):
    page = browser.open("/accounts/sign-in/")
    leave = browser.send(page, "/accounts/entra/login/", next=next_url)
    response = browser.open(browser.at_microsoft(onward(leave), ADELE))

    assert response["Location"] == "/"
    signed_in_already = browser.portal.get("/accounts/sign-in/", {"next": next_url})
    assert signed_in_already["Location"] == "/"


def test_a_sign_in_cannot_be_started_by_a_link_or_from_another_site(contoso, browser):
    assert browser.open("/accounts/entra/login/").status_code == 405
    assert browser.portal.post("/accounts/entra/login/").status_code == 403


def test_an_answer_works_once(contoso, browser, announced):
    back = browser.at_microsoft(browser.leave_to_sign_in(), ADELE)
    browser.open(back)
    before = browser.portal.session.session_key

    replayed = browser.open(back)

    assert replayed.status_code == 400
    assert "cannot be continued" in replayed.content.decode()
    assert browser.portal.session.session_key == before
    assert [name for name, _ in announced] == ["signed_in", "sign_in_refused"]


def test_an_answer_is_of_no_use_in_another_browser(contoso, browser, another_browser):
    back = browser.at_microsoft(browser.leave_to_sign_in(), ADELE)
    thief = another_browser()

    assert thief.open(back).status_code == 400
    assert not thief.signed_in
    assert browser.open(back).status_code == 302


@pytest.mark.parametrize("state", ["", "made-up", None])
def test_an_answer_nobody_asked_for_changes_nothing(contoso, browser, state):
    browser.leave_to_sign_in()
    query = {"code": "1.AX-code"} | ({"state": state} if state is not None else {})

    response = browser.portal.get("/accounts/entra/login/callback/", query)

    assert response.status_code == 400
    assert not browser.signed_in


def test_a_made_up_code_changes_nothing(contoso, browser):
    state = parse_qs(urlsplit(browser.leave_to_sign_in()).query)["state"][0]

    response = browser.portal.get("/accounts/entra/login/callback/", {"code": "made-up", "state": state})

    assert response.status_code == 403
    assert not browser.signed_in
    assert memberships(contoso) == {}


def test_who_waits_too_long_starts_again(contoso, browser, monkeypatch):
    back = browser.at_microsoft(browser.leave_to_sign_in(), ADELE)
    monkeypatch.setattr("accounts.trips.LIFETIME", -1)

    response = browser.open(back)

    assert response.status_code == 400
    assert "longer than ten minutes" in response.content.decode()


def test_who_declines_can_start_again(contoso, browser, entra):
    _withdraw_consent(entra)
    response = browser.sign_in(ADELE, consent="cancel")

    assert response.status_code == 400
    assert "Sign-in was cancelled" in response.content.decode()
    assert not browser.signed_in


def _withdraw_consent(entra) -> None:
    """Nobody in Contoso has said yes to the portal's question who they are."""
    portal = entra.get("servicePrincipals(appId='c0c0c0c0-0000-4000-8000-000000000001')")["id"]
    for grant_id, grant in entra.grants().items():
        if grant["clientId"] == portal:
            entra.graph("DELETE", f"oauth2PermissionGrants/{grant_id}")


def test_an_error_from_microsoft_is_said_in_plain_words(contoso, browser):
    state = parse_qs(urlsplit(browser.leave_to_sign_in()).query)["state"][0]
    answer = {
        "state": state,
        "error": "access_denied",
        "error_description": "AADSTS50105: <script>alert(1)</script> not assigned",
    }

    response = browser.portal.get("/accounts/entra/login/callback/", answer)

    page = response.content.decode()
    assert response.status_code == 403
    assert "only assigned people" in page
    assert "AADSTS50105" in page
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Tenant.State.PENDING, "not connected yet"),
        (Tenant.State.SUSPENDED, "suspended"),
        (Tenant.State.OFFBOARDED, "does not use Consentry yet"),
    ],
)
def test_a_tenant_that_is_not_active_lets_nobody_in(contoso, browser, announced, state, words):
    Tenant.objects.update(state=state)

    response = browser.sign_in(ADELE)

    assert response.status_code == 403
    assert words in response.content.decode()
    assert not browser.signed_in
    assert memberships(contoso) == {}
    assert [name for name, _ in announced] == ["sign_in_refused"]


def test_a_tenant_nobody_connected_gets_a_page_that_says_what_to_do(contoso, browser, announced):
    response = browser.sign_in(ROBIN)

    assert response.status_code == 403
    assert "An administrator of your organisation can connect it" in response.content.decode()
    assert not browser.signed_in
    assert announced[0][1]["tenant_id"] is None


def test_an_account_the_operator_switched_off_stays_out(contoso, adele, browser):
    with tenant_context(contoso.id):
        User.objects.update(is_active=False)

    response = browser.sign_in(ADELE)

    assert response.status_code == 403
    assert "switched off" in response.content.decode()
    assert not browser.signed_in


def test_when_microsoft_cannot_be_reached_the_page_says_so(contoso, browser, settings):
    page = browser.open("/accounts/sign-in/")
    settings.SANDBOX_URL = "http://127.0.0.1:1"

    response = browser.send(page, "/accounts/entra/login/")

    assert response.status_code == 503
    assert "cannot be reached" in response.content.decode()


def test_sign_in_confirmation_and_sign_out_are_on_the_record(contoso, browser):
    browser.sign_in(MEGAN)
    session = browser.portal.session
    session["auth_time"] -= 3600
    session.save()
    browser.step_up(MEGAN)
    browser.send(browser.open("/"), "/accounts/sign-out/")

    with tenant_context(contoso.id):
        entries = personal.reveal(
            contoso.id, list(AuditEntry.objects.filter(tenant_id=contoso.id).order_by("sequence"))
        )
        found = [(one.event, one.actor_label, one.reason) for one in entries if one.event.startswith("accounts.")]
    assert found == [
        (AuditEvent.SIGNED_IN, "Megan Bowen", ""),
        (AuditEvent.STEPPED_UP, "Megan Bowen", ""),
        (AuditEvent.SIGNED_OUT, "Megan Bowen", "signed_out"),
    ]


def test_where_an_admin_must_agree_first_the_page_says_who_can(contoso, browser, entra):
    _withdraw_consent(entra)
    entra.control("POST", "world", json={"tenant": str(contoso.id), "do": "user_consent", "value": "none"})

    response = browser.sign_in(ADELE, consent="return")

    page = response.content.decode()
    assert response.status_code == 403
    assert "Your organisation has to agree first" in page
    assert 'href="/onboarding/"' in page


def test_a_check_of_who_is_there_sends_no_body_and_no_error(client, contoso):
    assert client.head("/accounts/sign-in/").status_code == 200
