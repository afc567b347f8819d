"""The same gate as External ID's custom authentication extension asks it."""

import time

import pytest

from b2c.gate.callers import EVENTS_SERVICE
from tests.accounts.conftest import Issuer, _no_keys_remembered, microsoft  # noqa: F401 - fixtures
from tests.b2c.conftest import INES, STORE
from tests.sandbox_client import CONTOSO, FABRIKAM

pytestmark = pytest.mark.django_db

EXTENSION = "eeeeeeee-0000-4000-8000-000000000001"
ISSUER = Issuer()
FORGER = Issuer()


def token(by: Issuer = ISSUER, **changes) -> dict[str, str]:
    now = int(time.time())
    claims = {
        "aud": EXTENSION,
        "iss": f"https://{CONTOSO}.ciamlogin.com/{CONTOSO}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "tid": CONTOSO,
        "azp": EVENTS_SERVICE,
        "ver": "2.0",
    }
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return {"Authorization": f"Bearer {by.sign(claims)}"}


def payload(**user) -> dict:
    context = {
        "correlationId": "c-2",
        "client": {"ip": "192.0.2.1", "locale": "en-us", "market": "en-us"},
        "protocol": "OAUTH2.0",
        "clientServicePrincipal": {"id": "s-1", "appId": str(STORE), "displayName": "Contoso Store"},
        "user": {"id": str(INES), "displayName": "Ines Moreau", **user},
    }
    kind = "microsoft.graph.onTokenIssuanceStartCalloutData"
    data = {"@odata.type": kind, "tenantId": CONTOSO, "authenticationContext": context}
    return {"type": "microsoft.graph.authenticationEvent.tokenIssuanceStart", "data": data}


@pytest.fixture
def issuance(gate, settle, microsoft):  # noqa: F811
    """Ask as Microsoft does."""
    microsoft.keys = [ISSUER.published()]
    settle(extension_app_id=EXTENSION, extension_host="contosocustomers.ciamlogin.com")

    def ask(headers=None, body=None):
        return gate.http.post(
            f"/b2c/{gate.tenant.pk}/token-issuance",
            payload() if body is None else body,
            content_type="application/json",
            headers=token() if headers is None else headers,
        )

    return ask


def test_a_token_is_issued_unchanged_where_no_rule_stands_against_it(issuance):
    answer = issuance()

    assert answer.status_code == 200
    assert answer.json() == {
        "data": {
            "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData",
            "actions": [{"@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken", "claims": {}}],
        }
    }


def test_a_refusal_is_a_failure_that_says_nothing_about_anybody(issuance, rule):
    rule(app_id=STORE, condition="missing", claim="country")

    assert issuance().status_code == 403
    assert issuance(body=payload(country="PL")).status_code == 200
    assert issuance().json() == {"error": {"code": "CONSENTRY-REFUSED", "requestId": "c-2"}}


def test_it_is_not_told_since_when_a_session_is_there(issuance, rule, settle):
    """So a rule about time cannot be decided here, and the tenant's choice counts."""
    rule(app_id=STORE)

    assert issuance().status_code == 403
    settle(fails="open")
    assert issuance().status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"by": FORGER},
        {"aud": "00000003-0000-0000-c000-000000000000"},
        {"aud": [EXTENSION, "another"]},
        {"azp": "00000003-0000-0000-c000-000000000000"},
        {"azp": None},
        {"tid": FABRIKAM},
        {"iss": f"https://{FABRIKAM}.ciamlogin.com/{FABRIKAM}/v2.0"},
        {"iss": f"https://evil.example/{CONTOSO}/v2.0"},
        {"exp": int(time.time()) - 600},
        {"nbf": int(time.time()) + 600},
        {"ver": "1.0"},
    ],
    ids=lambda changes: "-".join([*changes]),
)
def test_only_microsofts_own_service_may_ask(issuance, changes):
    assert issuance(headers=token(**changes)).status_code == 401


@pytest.mark.parametrize("host", ["login.microsoftonline.com", "contosocustomers.ciamlogin.com"])
def test_every_name_that_microsoft_signs_by(issuance, host):
    assert issuance(headers=token(iss=f"https://{host}/{CONTOSO}/v2.0")).status_code == 200


def test_the_policies_secret_opens_nothing_here_and_the_other_way_round(issuance, gate):
    assert issuance(headers={"X-Gate-Key": gate.secret}).status_code == 401
    assert gate.ask(headers=token()).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": []},
        {**payload(), "data": {**payload()["data"], "tenantId": FABRIKAM}},
        {**payload(), "data": {**payload()["data"], "authenticationContext": {"user": {"id": "x"}}}},
    ],
    ids=["nothing", "a list", "another tenant", "nobody"],
)
def test_garbage_issues_nothing(issuance, body):
    assert issuance(body=body).status_code == 400
