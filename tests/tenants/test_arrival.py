"""Consent that reaches all of Microsoft a little later: waited for, on a page of its own."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Tenant
from tenants import arrival, onboarding
from tenants.arrival import Connected, Waiting
from tenants.connecting import NotConnected
from tests.accounts.browser import Browser, onward
from tests.sandbox_client import CONTOSO, PORTAL_CLIENT_ID
from tests.tenants.test_onboarding import CALLBACK, TAILSPIN, TARA, answer_of, signed_in, tailspin

pytestmark = pytest.mark.django_db
WAITING = "/onboarding/waiting/"


@pytest.fixture
def browser(entra) -> Browser:
    return Browser(entra.url)


@pytest.fixture
def passes(entra, monkeypatch):
    """Let time pass, for Microsoft and for us."""
    moved = [0.0]
    real = arrival.time.time
    monkeypatch.setattr(arrival.time, "time", lambda: real() + moved[0])

    def passes(seconds: float) -> None:
        moved[0] += seconds
        entra.clock(advance=seconds)

    return passes


def identity(entra, **switches) -> None:
    entra.control("POST", "identity", json=switches)


@pytest.mark.parametrize("late", ["roles", "principal"])
def test_a_late_consent_is_waited_for_and_then_the_tenant_is_connected(browser, entra, passes, late):
    """https://github.com/microsoftgraph/microsoft-graph-docs/issues/10907, and AADSTS7000229 from the token endpoint"""
    identity(entra, consent_late=late)
    entra.lag(consent_seconds=40)
    session: dict = {}
    signed_in(browser, session)

    first = arrival.proceed(session)
    passes(10)
    second = arrival.proceed(session)  # a reload is harmless

    assert isinstance(first, Waiting)
    assert isinstance(second, Waiting)
    assert second.seconds >= 10
    assert tailspin() is None
    passes(40)
    assert isinstance(arrival.proceed(session), Connected)
    assert "User.RevokeSessions.All" in tailspin().granted_permissions
    assert isinstance(arrival.proceed(session), Connected)  # and says so again


def test_what_does_not_come_is_told_and_can_be_asked_for_again(browser, entra, passes):
    entra.lag(consent_seconds=400)
    identity(entra, consent_late="principal")
    session: dict = {}
    signed_in(browser, session)
    passes(arrival.PATIENCE + 1)

    with pytest.raises(NotConnected) as told:
        arrival.proceed(session)

    assert told.value.code == "AADSTS7000229"
    assert told.value.passing
    passes(300)
    assert isinstance(arrival.proceed(session), Connected)


def test_a_part_is_waited_upon_until_it_stops_growing(browser, entra, passes, monkeypatch):
    session: dict = {}
    signed_in(browser, session)
    shown = [frozenset({"User.Read.All"})]
    monkeypatch.setattr("graph.client.GraphClient.own_permissions", lambda self, *, fresh=False: shown[0])

    first = arrival.proceed(session)
    passes(15)
    shown[0] |= {"Application.Read.All"}
    grown = arrival.proceed(session)
    passes(15)
    still = arrival.proceed(session)
    passes(10)
    done = arrival.proceed(session)

    assert [type(one) for one in (first, grown, still, done)] == [Waiting, Waiting, Waiting, Connected]
    assert grown.granted == ("Application.Read.All", "User.Read.All")
    assert tailspin().granted_permissions == ["Application.Read.All", "User.Read.All"]


def test_what_is_not_told_is_not_none(browser, entra, passes, monkeypatch):
    """Tokens are opaque and the portal's own entry may not be read: connected, and nothing is said to be missing."""
    session: dict = {}
    signed_in(browser, session)
    monkeypatch.setattr("graph.client.GraphClient.own_permissions", lambda self, *, fresh=False: None)

    assert isinstance(arrival.proceed(session), Waiting)
    passes(arrival.PATIENCE)
    assert isinstance(arrival.proceed(session), Connected)
    assert tailspin().permissions_checked_at is None
    assert tailspin().permissions_unknown_since


def test_graph_out_of_order_is_waited_for_too(browser, entra):
    session: dict = {}
    signed_in(browser, session)
    entra.faults({"path": "/organization", "status": 503})

    assert isinstance(arrival.proceed(session), Waiting)
    assert tailspin() is None


# --- The page -----------------------------------------------------------------------------------------


def test_the_page_waits_and_ends_in_what_was_granted(browser, entra, passes):
    entra.lag(consent_seconds=30)
    left = browser.send(browser.open(reverse("tenants:onboarding")), reverse("tenants:onboarding"))
    back = browser.open(browser.at_microsoft(onward(left), TARA))
    answer = browser.at_microsoft(back["Location"], TARA)
    came = browser.open(answer)
    assert came["Location"] == WAITING
    page = browser.open(WAITING)
    text = page.content.decode()

    assert page.status_code == 200
    assert "Waited for 0 of at most 120 seconds" in text
    assert re.search(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript>', text)
    assert 'hx-trigger="every 5s"' in text
    assert browser.open(answer)["Location"] == WAITING  # the way back, or a reload of Microsoft's answer
    part = browser.open(WAITING, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    passes(31)
    assert browser.open(WAITING, headers={"HX-Request": "true"})["HX-Redirect"] == WAITING
    done = browser.open(WAITING).content.decode()
    assert "Tailspin Toys is connected" in done
    assert "User.RevokeSessions.All" in done
    assert Tenant.objects.filter(pk=TAILSPIN).count() == 1


def test_nobody_else_learns_anything_from_the_page(client: Client, db):
    page = client.get(WAITING)

    assert page.status_code == 400
    assert "Nothing is being connected in this browser" in page.content.decode()


# --- Who may ------------------------------------------------------------------------------------------


def registration(entra, **asks) -> None:
    asked = {"tenant": CONTOSO, "do": "registration", "app": PORTAL_CLIENT_ID, **asks}
    entra.control("POST", "world", json=asked)


def test_an_administrator_whose_sign_in_tells_of_no_role_is_looked_up(browser, entra):
    """https://learn.microsoft.com/entra/identity-platform/optional-claims: `wids` only by groupMembershipClaims."""
    registration(entra, group_membership_claims=None)
    session: dict = {}
    signed_in(browser, session)

    assert isinstance(arrival.proceed(session), Connected)


def test_who_is_no_administrator_is_refused_though_the_sign_in_tells_of_no_role(browser, entra):
    registration(entra, group_membership_claims=None)
    session: dict = {}
    state = dict(parse(onboarding.begin(session, CALLBACK)))["state"]
    sent = onboarding.returned(session, {"admin_consent": "True", "tenant": CONTOSO, "state": state})
    onboarding.returned(session, answer_of(browser, sent.address, "adele@contoso.example"))

    with pytest.raises(NotConnected, match="not an administrator"):
        arrival.proceed(session)
    assert not Tenant.objects.exists()


def test_where_roles_may_not_be_read_that_is_said_with_what_helps(browser, entra, passes):
    registration(entra, group_membership_claims=None)
    session: dict = {}
    signed_in(browser, session)
    entra.faults({"path": "/roleManagement/", "status": 403})

    assert isinstance(arrival.proceed(session), Waiting)
    passes(arrival.PATIENCE)
    with pytest.raises(NotConnected, match="is not known") as told:
        arrival.proceed(session)
    assert "RoleManagement.Read.Directory" in told.value.fix
    assert tailspin() is None


def parse(address: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(address).query)
