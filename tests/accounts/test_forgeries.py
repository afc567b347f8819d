"""Answers that look like Microsoft's and are not: each is refused on a page and leaves nothing behind."""

import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.models import TokenCache, User
from accounts.tenancy import tenant_context
from tests.accounts.browser import Browser
from tests.accounts.conftest import Issuer
from tests.graph.scripted import Reply
from tests.sandbox_client import CONTOSO, FABRIKAM

PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
LOGIN = "https://login.microsoftonline.com"


class Visit:
    """One sign-in whose answer the test makes."""

    def __init__(self, microsoft, path: str = "/accounts/sign-in/"):
        self.microsoft = microsoft
        self.browser = Browser(microsoft.url)
        asked = parse_qs(urlsplit(self.browser.leave_to_sign_in(path)).query)
        self.state, self.nonce = asked["state"][0], asked["nonce"][0]

    def answer(self, issuer: Issuer, **claims):
        id_token = issuer.token(**{"nonce": self.nonce, **claims})
        tokens = {"token_type": "Bearer", "expires_in": 3599, "scope": "User.Read openid profile"}
        self.microsoft.token_replies.append(
            Reply(body=tokens | {"access_token": "at", "refresh_token": "rt", "id_token": id_token})
        )
        query = {"code": "1.AX", "state": self.state}
        return self.browser.portal.get("/accounts/entra/login/callback/", query)


@pytest.fixture
def visit(contoso, microsoft, issuer) -> Visit:
    microsoft.keys = [issuer.published()]
    return Visit(microsoft)


def nobody_is_in(visit: Visit) -> bool:
    with tenant_context(CONTOSO):
        return not (visit.browser.signed_in or User.objects.exists() or TokenCache.objects.exists())


def test_an_honest_answer_signs_in(visit, issuer):
    assert visit.answer(issuer)["Location"] == "/"
    assert visit.browser.signed_in


def test_a_forged_signature_is_refused(visit, forger):
    response = visit.answer(forger)

    assert response.status_code == 400
    assert "could not be verified" in response.content.decode()
    assert nobody_is_in(visit)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "00000003-0000-0000-c000-000000000000"},
        {"iss": f"{LOGIN}/{FABRIKAM}/v2.0"},
        {"iss": "https://evil.example/v2.0"},
        {"tid": FABRIKAM},
        {"nonce": "a-nonce-of-another-sign-in"},
        {"nonce": hashlib.sha256(b"guess").hexdigest()},
        {"exp": 1_700_000_000},
        {"oid": None},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_a_wrong_claim_is_refused(visit, issuer, claims):
    response = visit.answer(issuer, **claims)

    assert response.status_code == 400
    assert nobody_is_in(visit)


def test_a_personal_account_is_refused(visit, issuer):
    response = visit.answer(issuer, tid=PERSONAL, iss=f"{LOGIN}/{PERSONAL}/v2.0")

    assert response.status_code == 403
    assert "personal Microsoft account" in response.content.decode()
    assert nobody_is_in(visit)


def test_a_guest_is_refused_and_told_where_to_go(visit, issuer):
    response = visit.answer(issuer, acct=1)

    assert response.status_code == 403
    assert "guest" in response.content.decode()
    assert nobody_is_in(visit)


def test_an_address_that_matches_somebody_elses_opens_nothing(visit, issuer, fabrikam, microsoft):
    """nOAuth: whoever runs a tenant can give its accounts any mail address."""
    visit.answer(issuer)
    stranger = Visit(microsoft)
    stranger.answer(
        issuer,
        tid=FABRIKAM,
        iss=f"{LOGIN}/{FABRIKAM}/v2.0",
        oid="bbbbbbbb-0000-4000-8000-000000000001",
        preferred_username="adele@contoso.example",
        email="adele@contoso.example",
    )

    assert visit.browser.portal.session["_auth_user_id"] != stranger.browser.portal.session["_auth_user_id"]
    with tenant_context(FABRIKAM):
        assert [str(one.tenant_id) for one in User.objects.all()] == [FABRIKAM]


def test_an_answer_without_an_id_token_signs_nobody_in(visit):
    visit.microsoft.token_replies.append(Reply(body={"token_type": "Bearer", "access_token": "at", "expires_in": 1}))

    response = visit.browser.portal.get("/accounts/entra/login/callback/", {"code": "1.AX", "state": visit.state})

    assert response.status_code == 403
    assert nobody_is_in(visit)


ODD = [
    Reply(200, {"access_token": "at", "id_token": odd}) for odd in ("", "x", 7, ["a"], {"a": 1}, None, "e30.e30.e30")
]


@pytest.mark.parametrize("reply", [Reply(503, b"busy"), Reply(200, b"<html>"), Reply(200, {"id_token": "x.y.z"}), *ODD])
def test_a_token_endpoint_in_trouble_signs_nobody_in(visit, reply):
    visit.microsoft.token_replies.append(reply)

    response = visit.browser.portal.get("/accounts/entra/login/callback/", {"code": "1.AX", "state": visit.state})

    assert response.status_code in (400, 503)
    assert nobody_is_in(visit)


def test_a_document_that_names_another_host_leads_nobody_there(contoso, microsoft):
    """ASVS 10.5.3: MSAL takes the addresses of sign-in and tokens from it, and does not look at them."""
    microsoft.speaks_as = "login.evil.example"
    browser = Browser(microsoft.url)

    page = browser.send(browser.open("/accounts/sign-in/"), "/accounts/entra/login/")

    assert page.status_code == 503
    assert "evil.example" not in page.content.decode()
    assert not any(name.startswith("consentry_trip") for name in page.cookies)
