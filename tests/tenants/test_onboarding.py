"""Connecting a tenant: two trips to Microsoft, and nothing believed that was not proved."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from accounts.models import Membership, Tenant
from accounts.tenancy import tenant_context
from audit import personal
from audit.models import AuditEntry, AuditEvent
from tenants import arrival, onboarding
from tenants.arrival import Connected
from tenants.connecting import NotConnected
from tenants.onboarding import Onward
from tests.accounts.browser import Browser
from tests.sandbox_client import CONTOSO

TAILSPIN = "33333333-3333-4333-8333-333333333333"
CALLBACK = "http://127.0.0.1:8000/onboarding/callback/"
TARA = "tara@tailspin.example"


@pytest.fixture
def browser(entra) -> Browser:
    return Browser(entra.url)


def answer_of(browser: Browser, address: str, upn: str, **options) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(browser.at_microsoft(address, upn, **options)).query))


def consented(browser: Browser, session: dict, upn: str = TARA) -> Onward:
    onward = onboarding.returned(session, answer_of(browser, onboarding.begin(session, CALLBACK), upn))
    assert isinstance(onward, Onward)
    return onward


def signed_in(browser: Browser, session: dict, upn: str = TARA) -> None:
    """Both trips."""
    onward = consented(browser, session, upn)
    assert onboarding.returned(session, answer_of(browser, onward.address, upn)) is None


def tailspin() -> Tenant | None:
    return Tenant.objects.filter(pk=TAILSPIN).first()


def test_an_unknown_tenant_is_connected_by_its_administrator(browser, db):
    session: dict = {}
    onward = consented(browser, session)
    assert tailspin() is None  # a consent alone writes nothing
    assert onboarding.returned(session, answer_of(browser, onward.address, TARA)) is None
    assert tailspin() is None  # nor does a sign-in
    assert isinstance(arrival.proceed(session), Connected)
    tenant = tailspin()
    assert (tenant.state, tenant.name, tenant.domain, tenant.slug) == (
        Tenant.State.ACTIVE,
        "Tailspin Toys",
        "tailspin.example",
        "tailspin",
    )
    assert "User.RevokeSessions.All" in tenant.granted_permissions
    assert tenant.own_service_principal_id
    with tenant_context(tenant.pk):
        (entry,) = personal.reveal(tenant.pk, list(AuditEntry.objects.filter(event=AuditEvent.TENANT_CONNECTED)))
    assert (entry.actor_label, entry.target_id) == ("Tara Nowak", TAILSPIN)
    assert not Membership.objects.exists()  # signing in is a step of its own


def test_a_pending_tenant_becomes_active(browser, db):
    Tenant.objects.create(pk=TAILSPIN, slug="toys", name="to be connected")
    session: dict = {}
    signed_in(browser, session)
    arrival.proceed(session)
    assert (tailspin().state, tailspin().slug) == (Tenant.State.ACTIVE, "toys")


@pytest.mark.parametrize("state", [Tenant.State.SUSPENDED, Tenant.State.OFFBOARDED])
def test_what_the_operator_closed_stays_closed(browser, db, state):
    Tenant.objects.create(pk=TAILSPIN, slug="toys", name="Tailspin", state=state)
    session: dict = {}
    signed_in(browser, session)
    with pytest.raises(NotConnected, match="closed"):
        arrival.proceed(session)
    assert tailspin().state == state


def test_a_tenant_named_by_hand_is_not_believed(browser, db):
    """Contoso has consented, so acting there works; but whoever names it must also be its administrator."""
    session: dict = {}
    began = onboarding.begin(session, CALLBACK)
    state = dict(parse_qsl(urlsplit(began).query))["state"]
    forged = {"admin_consent": "True", "tenant": CONTOSO, "state": state}
    onward = onboarding.returned(session, forged)
    adele = answer_of(browser, onward.address, "adele@contoso.example")
    with pytest.raises(NotConnected, match="not an administrator"):
        onboarding.returned(session, adele)
    assert not Tenant.objects.exists()


def test_somebody_of_another_tenant_cannot_finish_it(browser, db):
    session: dict = {}
    began = onboarding.begin(session, CALLBACK)
    state = dict(parse_qsl(urlsplit(began).query))["state"]
    onward = onboarding.returned(session, {"admin_consent": "True", "tenant": CONTOSO, "state": state})
    with pytest.raises(NotConnected, match="another organisation"):
        onboarding.returned(session, answer_of(browser, onward.address, "robin@fabrikam.example"))
    assert not Tenant.objects.exists()


def test_a_stranger_learns_nothing_of_a_tenant_they_name(browser, entra, db):
    """Neither whether it consented nor whether it uses this portal: nothing is asked there in their name."""
    Tenant.objects.create(pk=CONTOSO, slug="contoso", name="Contoso", state=Tenant.State.SUSPENDED)
    entra.reset()
    told = set()
    for tenant in (CONTOSO, TAILSPIN):
        session: dict = {}
        state = dict(parse_qsl(urlsplit(onboarding.begin(session, CALLBACK)).query))["state"]
        onward = onboarding.returned(session, {"admin_consent": "True", "tenant": tenant, "state": state})
        assert isinstance(onward, Onward)
        with pytest.raises(NotConnected) as refused:
            onboarding.returned(session, answer_of(browser, onward.address, "robin@fabrikam.example"))
        told.add((str(refused.value), refused.value.fix))
        with pytest.raises(NotConnected, match="Nothing is being connected"):
            arrival.proceed(session)
    assert len(told) == 1
    asked = [one["path"] for one in entra.requests()]
    assert not [path for path in asked if path.startswith("/v1.0") or f"{CONTOSO}/oauth2" in path]


def test_an_answer_counts_once_and_in_its_own_browser(browser, db):
    session: dict = {}
    answer = answer_of(browser, onboarding.begin(session, CALLBACK), TARA)
    with pytest.raises(NotConnected, match="no question of this browser"):
        onboarding.returned({}, answer)
    kept = dict(session)
    onboarding.returned(session, answer)
    with pytest.raises(NotConnected):
        onboarding.returned(session, answer)  # the session waits for the second trip's answer now
    other: dict = {}
    onboarding.begin(other, CALLBACK)
    with pytest.raises(NotConnected):
        onboarding.returned(other, answer)
    assert kept != session


@pytest.mark.parametrize("change", [{"state": "x"}, {"state": ""}, {"tenant": "x"}, {"admin_consent": "False"}])
def test_a_changed_answer_is_refused(browser, db, change):
    session: dict = {}
    answer = answer_of(browser, onboarding.begin(session, CALLBACK), TARA)
    with pytest.raises(NotConnected):
        onboarding.returned(session, answer | change)
    assert onboarding.SESSION_KEY not in session
    assert tailspin() is None


def test_declining_is_no_connection(browser, db):
    session: dict = {}
    answer = answer_of(browser, onboarding.begin(session, CALLBACK), TARA, consent="cancel")
    with pytest.raises(NotConnected):
        onboarding.returned(session, answer)
    assert tailspin() is None


def test_a_signed_in_administrator_connects_their_own_tenant_again(browser, contoso, megan):
    contoso.granted_permissions = []
    contoso.save()
    session: dict = {}
    address = onboarding.begin(session, CALLBACK, membership=megan.membership)
    answer = answer_of(browser, address, megan.upn)
    assert onboarding.returned(session, answer, membership=megan.membership) is None
    assert isinstance(arrival.proceed(session, membership=megan.membership), Connected)
    contoso.refresh_from_db()
    assert contoso.granted_permissions


def test_what_a_signed_in_administrator_began_nobody_else_ends(browser, contoso, megan, robin):
    session: dict = {}
    address = onboarding.begin(session, CALLBACK, membership=megan.membership)
    onboarding.returned(session, answer_of(browser, address, megan.upn), membership=megan.membership)
    for other in (None, robin.membership):
        with pytest.raises(NotConnected, match="no longer signed in"):
            arrival.proceed(session, membership=other)


def test_a_signed_in_administrator_cannot_connect_another_tenant(browser, contoso, megan, robin):
    session: dict = {}
    address = onboarding.begin(session, CALLBACK, membership=megan.membership)
    state = dict(parse_qsl(urlsplit(address).query))["state"]
    with pytest.raises(NotConnected, match="another organisation"):
        onboarding.returned(
            session, {"admin_consent": "True", "tenant": TAILSPIN, "state": state}, membership=megan.membership
        )
    address = onboarding.begin(session, CALLBACK, membership=megan.membership)
    answer = {"admin_consent": "True", "tenant": CONTOSO, "state": dict(parse_qsl(urlsplit(address).query))["state"]}
    with pytest.raises(NotConnected, match="no longer signed in"):
        onboarding.returned(session, answer, membership=robin.membership)
