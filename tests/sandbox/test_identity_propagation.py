"""Consent that the token servers learn of late, and tokens that nobody but Microsoft Graph can read."""

import pytest

from sandbox.catalogue import CONTOSO, PORTAL_APP_ID, PORTAL_PERMISSIONS, TAILSPIN
from sandbox.identity import state
from tests.sandbox.client import claims, refused

REDIRECT = "http://127.0.0.1:8000/onboarding/callback/"


@pytest.fixture
def consent(browser):
    """Tara lets the portal into Tailspin."""

    def consent() -> None:
        values = {"client_id": PORTAL_APP_ID, "redirect_uri": REDIRECT, "state": "s"}
        page = browser.open("/organizations/adminconsent", **values)
        assert browser.press(browser.press(page, "Tara Nowak"), "Accept").answer["tenant"] == TAILSPIN

    return consent


@pytest.fixture
def switch(browser, served):
    """Set switches as a test of another process does."""

    def switch(**values):
        return browser.http.post(f"{served.url}/_sandbox/identity", json=values, timeout=10)

    return switch


def test_roles_come_some_seconds_after_consent(portal, consent, served):
    """https://github.com/microsoftgraph/microsoft-graph-docs/issues/10907"""
    served.world.set_consent_lag(30)
    consent()

    assert "roles" not in claims(portal.app_only(TAILSPIN).json()["access_token"])
    assert sorted(claims(portal.app_only(CONTOSO).json()["access_token"])["roles"]) == sorted(PORTAL_PERMISSIONS)

    served.world.clock.advance(31)
    assert sorted(claims(portal.app_only(TAILSPIN).json()["access_token"])["roles"]) == sorted(PORTAL_PERMISSIONS)


def test_the_app_itself_may_not_be_there_yet(portal, consent, switch, served):
    """https://learn.microsoft.com/entra/identity-platform/reference-error-codes: AADSTS7000229, AADSTS700016"""
    assert switch(consent_late="principal").status_code == 200
    served.world.set_consent_lag(30)
    consent()

    refused(portal.app_only(TAILSPIN), 7000229, "invalid_client")
    body = portal.sign_in("Tara Nowak")
    refused(portal.refresh(body, authority=TAILSPIN), 700016, "unauthorized_client")

    served.world.clock.advance(31)
    assert portal.app_only(TAILSPIN).status_code == 200
    assert portal.refresh(body, authority=TAILSPIN).status_code == 200


def test_a_token_for_graph_need_not_be_a_jwt(portal, switch, served, browser):
    """https://learn.microsoft.com/entra/identity-platform/access-tokens: its format is the API's own affair."""
    switch(opaque_graph_tokens=True)
    token = portal.app_only(CONTOSO).json()["access_token"]
    assert "." not in token

    headers = {"Authorization": f"Bearer {token}"}
    answer = browser.http.get(f"{served.url}/v1.0/users?$top=1", headers=headers, timeout=10)
    assert answer.status_code == 200

    served.world.clock.advance(3601)
    assert browser.http.get(f"{served.url}/v1.0/users", headers=headers, timeout=10).status_code == 401


@pytest.mark.parametrize(
    "values", [{"nonsense": 1}, {"consent_late": "nothing"}, {"federated": []}, {"opaque_graph_tokens": 1}]
)
def test_a_switch_that_is_not_there_is_refused_and_nothing_changes(switch, served, values):
    before = state.of(served.world).switches

    answer = switch(**({"opaque_graph_tokens": True} | values))

    assert answer.status_code == 400
    assert state.of(served.world).switches == before == type(before)()


def test_a_reset_puts_the_switches_back(switch, served):
    switch(consent_late="principal", opaque_graph_tokens=True)

    served.world.reset()

    assert state.of(served.world).switches.consent_late == "roles"
