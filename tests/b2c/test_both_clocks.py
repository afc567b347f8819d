"""A sign-out of a B2C person: both of the account's dates are read back, and the policies say which of them counts."""

from uuid import UUID

import pytest
from django.urls import reverse

from accounts.access import Actor
from accounts.tenancy import tenant_context
from b2c import kept, refreshing, services
from b2c.models import KeptPolicy
from directory import sync
from directory.models import Person
from revocation import services as revocations
from revocation.actions import revoke_sessions
from revocation.models import RevocationStep
from tests.b2c.conftest import ADMIN
from tests.b2c.test_pages import text_of
from tests.factories import PERMISSIONS, make_person, make_tenant, with_known_roles

pytestmark = pytest.mark.django_db

CUSTOMERS = UUID("55555555-5555-4555-8555-555555555555")
SESSIONS, REFRESHES = refreshing.SESSION_CLOCK, refreshing.REFRESH_CLOCK
UNGATED, GATED = "B2C_1A_spa_signup_signin", "B2C_1A_Consentry_spa_signup_signin"


@pytest.fixture
def customers(db, entra):
    granted = [*PERMISSIONS, "Policy.Read.All", "RoleManagement.Read.Directory"]
    tenant = with_known_roles(
        make_tenant(CUSTOMERS, "Customers", "contosocustomers.onmicrosoft.com", granted_permissions=granted)
    )
    with tenant_context(tenant.pk):
        services.change(tenant, {"is_b2c": True}, actor=ADMIN)
        yield tenant


@pytest.fixture
def nadia(customers):
    return make_person(customers, UUID(int=0x77), "Nadia Fischer", "tenant_admin")


@pytest.fixture
def ines(customers, entra):
    found = entra.control("GET", "b2c")["customers"]
    pk = next(one["id"] for one in found if one["name"] == "Ines Moreau")
    sync.refresh_person(customers, pk)
    return Person.objects.get(pk=pk)


def sign_out(customers, ines, by) -> RevocationStep:
    request = revocations.sign_out(customers, [ines], actor=Actor.of(by.membership), reason="x")
    return request.steps.get(action="revoke_sessions")


def test_the_policies_are_read_from_the_tenant_and_kept(customers, client, sign_in, nadia):
    sign_in(client, nadia)
    address = reverse("tenants:why-it-refreshes", args=["customers"])

    assert "have not been read yet" in text_of(client.get(address))
    client.post(reverse("tenants:read-policies", args=["customers"]))
    said = text_of(client.get(address))

    assert KeptPolicy.objects.count() >= 12
    found = {
        one.policy_id: {each.door: each.closed for each in one.answers}
        for one in refreshing.why(kept.kept(customers).policies)
    }
    assert (found[UNGATED]["Silently, in a hidden frame"], found[GATED]["Silently, in a hidden frame"]) == (False, True)
    assert (found[UNGATED]["The gate at a refresh"], found[GATED]["The gate at a refresh"]) == (False, True)
    assert found[GATED]["A sign-out, at a refresh"] is True
    assert "issued less than 5 minutes before the sign-out goes on" in said
    assert "documented to move" in said
    client.post(reverse("tenants:choose-sign-out", args=["customers"]))
    customers.refresh_from_db()
    assert customers.sign_out_action == "invalidate_tokens"


def test_what_cannot_be_read_changes_nothing_that_was_kept(customers, entra, client, sign_in, nadia):
    kept.read_from_graph(customers)
    before = KeptPolicy.objects.count()
    entra.faults({"path": "trustFramework", "status": 403, "count": 5})
    sign_in(client, nadia)

    client.post(reverse("tenants:read-policies", args=["customers"]))

    assert KeptPolicy.objects.count() == before


def test_both_dates_move_and_the_policies_obey(customers, ines, client, sign_in, nadia):
    kept.read_from_graph(customers)

    step = sign_out(customers, ines, nadia)

    assert (step.state, step.outcome) == ("verified", "The directory shows it: both dates moved.")
    assert {"valid_from", "refresh_from"} <= step.observed.keys()
    sign_in(client, nadia)
    said = text_of(client.get(reverse("revocation:person", args=["customers", ines.pk])))
    assert f"{GATED} It compares {REFRESHES}, which moved. refused" in said


def test_where_one_date_alone_moves_it_is_said_which_policies_go_on(
    customers, ines, entra, client, sign_in, nadia, monkeypatch
):
    kept.read_from_graph(customers)
    entra.control("POST", "b2c", json={"switches": {"moved-by-revokeSignInSessions": SESSIONS}})
    monkeypatch.setattr(revoke_sessions, "BOTH_MOVE_WITHIN", revoke_sessions.timedelta())

    step = sign_out(customers, ines, nadia)

    assert (step.state, step.outcome_code) == ("verified", "one_clock")
    assert f"{SESSIONS} moved and {REFRESHES} did not" in step.outcome
    sign_in(client, nadia)
    said = text_of(client.get(reverse("revocation:person", args=["customers", ines.pk])))
    assert f"{REFRESHES} did not move" in said
    assert f"{GATED} It compares {REFRESHES}, which did not move. goes on" in said


def test_elsewhere_nothing_of_this_is_asked(contoso, adele, entra):
    with tenant_context(contoso.pk):
        step = revoke_sessions.step(Person(id=adele.object_id, display_name="Adele", upn="a"))

    assert "both_clocks" not in step.params


def test_a_page_says_what_the_linter_finds_in_them_and_what_would_be_written(
    customers, client, sign_in, nadia, settings
):
    settings.PORTAL_URL = "https://portal.contoso.example"
    sign_in(client, nadia)
    address = reverse("tenants:policies", args=["customers"])

    assert "have not been read yet" in text_of(client.get(address))
    kept.read_from_graph(customers)
    said = text_of(client.get(address))

    assert "B2C_1A_PasswordReset.xml:12" in said
    assert "gate-not-in-refresh" in said
    assert "B2C_1A_ConsentryGate would change" in said  # this tenant names no attribute for its rules
    assert "B2C_1A_Consentry_ProfileEdit" in said
    settings.PORTAL_URL = "http://localhost"
    assert "over HTTPS only" in text_of(client.get(address))
