"""Two clicks, two people, one moment: one of them wins, and the record says which."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit import chain
from audit.models import AuditEntry
from revocation import services
from revocation.models import RevocationRequest
from revocation.rules.refusals import Refused
from tests.revocation.spine import remove_grant, sign_out_many

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(tenant, *doings: Callable) -> list:
    """What each came to, or the rule that refused it; all begin together."""
    start, found = threading.Barrier(len(doings)), [None] * len(doings)

    def run(place: int, do: Callable) -> None:
        try:
            with tenant_context(tenant.pk):
                start.wait()
                found[place] = do()
        except Refused as refused:
            found[place] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(doings)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_two_people_who_approve_at_once_give_one_yes(entra, world, contoso, megan, isaiah, adele):
    people = next(one["users"] for one in world["tenants"] if one["id"] == str(contoso.id))[:2]
    with tenant_context(contoso.pk):
        asked = sign_out_many(contoso, adele, people, needs_approval=True)

    first, second = at_once(
        contoso,
        lambda: services.approve(asked, Actor.of(megan.membership), asked.digest),
        lambda: services.approve(asked, Actor.of(isaiah.membership), asked.digest),
    )

    assert sorted([isinstance(first, Refused), isinstance(second, Refused)]) == [False, True]
    with tenant_context(contoso.pk):
        assert AuditEntry.objects.filter(event="revocation.request.approved").count() == 1
        assert chain.verify(contoso.pk).ok


def test_a_yes_and_a_no_at_once_leave_one_of_them(entra, world, contoso, megan, isaiah, adele):
    people = next(one["users"] for one in world["tenants"] if one["id"] == str(contoso.id))[:2]
    with tenant_context(contoso.pk):
        asked = sign_out_many(contoso, adele, people, needs_approval=True)

    found = at_once(
        contoso,
        lambda: services.approve(asked, Actor.of(megan.membership), asked.digest),
        lambda: services.reject(asked, Actor.of(isaiah.membership), asked.digest, reason="No"),
    )

    assert sum(isinstance(one, Refused) for one in found) == 1
    with tenant_context(contoso.pk):
        decided = AuditEntry.objects.filter(event__in=["revocation.request.approved", "revocation.request.rejected"])
        assert decided.count() == 1


def test_undo_clicked_twice_at_once_is_one_undo(entra, contoso, adele):
    with tenant_context(contoso.pk):
        done = remove_grant(adele)
    me = Actor.of(adele.membership)

    first, second = at_once(contoso, lambda: services.undo(done, me), lambda: services.undo(done, me))

    with tenant_context(contoso.pk):
        assert RevocationRequest.objects.filter(kind="undo").count() == 1
    assert first.pk == second.pk
