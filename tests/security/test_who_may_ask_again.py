"""Asking again for what failed is asking: the same rules protect the same people."""

import pytest

from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit.models import AuditEntry
from directory.models import Person
from revocation import services
from revocation.rules import protection
from tests.revocation.spine import calls


def failed_sign_out(entra, copied, by, person):
    entra.faults({"path": "revokeSignInSessions", "status": 403})
    done = services.sign_out(copied, [person], actor=Actor.of(by.membership), reason="Incident")
    entra.faults()
    assert "failed" in {step.state for step in done.steps.all()}
    return done


def test_a_helpdesk_agent_cannot_sign_an_administrator_out_by_repeating_an_admins_request(
    entra, copied, megan, henrietta
):
    target = Person.objects.get(pk=megan.object_id)
    assert protection.refusal(copied, target, Actor.of(henrietta.membership))
    done = failed_sign_out(entra, copied, megan, target)
    sent = len(calls(entra, "POST", "revokeSignInSessions"))

    with pytest.raises(services.Protected):
        services.retry_failed(done, Actor.of(henrietta.membership))

    assert len(calls(entra, "POST", "revokeSignInSessions")) == sent
    assert AuditEntry.objects.filter(event="revocation.request.refused", actor_id=str(henrietta.object_id)).exists()


def test_the_page_of_a_retry_refuses_it_too(client, sign_in, entra, copied, megan, henrietta):
    done = failed_sign_out(entra, copied, megan, Person.objects.get(pk=megan.object_id))
    sent = len(calls(entra, "POST", "revokeSignInSessions"))

    sign_in(client, henrietta).post(f"/t/contoso/revocations/{done.pk}/retry/")

    with tenant_context(copied.pk):
        assert not done.followers.exists()
    assert len(calls(entra, "POST", "revokeSignInSessions")) == sent


def test_a_helpdesk_agent_may_repeat_the_sign_out_of_an_ordinary_person(entra, copied, adele, henrietta):
    done = failed_sign_out(entra, copied, henrietta, Person.objects.get(pk=adele.object_id))

    again = services.retry_failed(done, Actor.of(henrietta.membership))

    assert {step.state for step in again.steps.all()} == {"verified"}


def test_whoever_signed_themselves_out_may_repeat_it(entra, copied, megan):
    entra.faults({"path": "revokeSignInSessions", "status": 403})
    done = services.sign_out_self(megan.membership)
    entra.faults()

    again = services.retry_failed(done, Actor.of(megan.membership))

    assert {step.state for step in again.steps.all()} == {"verified"}
