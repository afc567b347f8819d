"""The helpdesk's job from the command line: the same services, the same record, the same figures."""

import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.tenancy import tenant_context
from audit.models import AuditEntry, AuditEvent
from revocation import drafting
from revocation.models import RevocationRequest
from tests.revocation.spine import remove_grant, valid_from


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_somebody_is_signed_out_and_the_shell_is_named_in_the_record(at_contoso, entra, adele):
    before = timezone.now().replace(microsecond=0)

    said = run("sign_out", "--tenant", "contoso", "--user", adele.upn, "--reason", "Stolen", "--ticket", "INC-1")

    assert "Sign out Adele Vance everywhere" in said
    assert valid_from(entra, at_contoso, adele.object_id) >= before
    entry = AuditEntry.objects.get(event=AuditEvent.REVOCATION_REQUESTED)
    assert (entry.actor_id, entry.reason, entry.ticket) == ("command-line", "Stolen", "INC-1")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--tenant", "nowhere", "--user", "adele@contoso.example", "--reason", "x"], "No tenant is called nowhere"),
        (["--tenant", "contoso", "--user", "nobody@contoso.example", "--reason", "x"], "has no user"),
        (["--tenant", "contoso", "--user", "adele@contoso.example", "--reason", " "], "Say why"),
    ],
)
def test_what_cannot_be_done_is_said(at_contoso, entra, arguments, why):
    with pytest.raises(CommandError, match=why):
        run("sign_out", *arguments)
    assert not RevocationRequest.objects.exists()


def test_a_guest_is_refused_with_the_reason(at_contoso, entra, world):
    guest = next(one for one in world["tenants"][0]["users"] if one["guest"])

    with pytest.raises(CommandError, match="Signs in at"):
        run("sign_out", "--tenant", "contoso", "--user", guest["id"], "--reason", "x")
    assert AuditEntry.objects.filter(event=AuditEvent.REVOCATION_REFUSED).exists()


def test_revocations_are_listed_with_their_figures(at_contoso, entra, adele):
    request = remove_grant(adele)

    listed = run("revocations", "--tenant", "contoso")
    assert "Finished               1 of 1 step  Remove an app  (Adele Vance)" in listed
    one = run("revocations", "--request", str(request.pk))
    assert request.digest in one
    assert "Verified     1" in one


def test_an_unknown_revocation_is_an_error(at_contoso):
    with pytest.raises(CommandError):
        run("revocations", "--request", str(uuid.uuid4()))


def test_drafting_a_sign_out_of_many_asks_the_database_no_more_than_of_one(contoso, django_assert_num_queries):
    people = [(uuid.uuid4(), f"Person {number}", None) for number in range(30)]

    with tenant_context(contoso.pk), django_assert_num_queries(1):
        steps = list(drafting.sign_out_all(contoso, people))
    with tenant_context(contoso.pk), django_assert_num_queries(1):
        assert list(drafting.sign_out(contoso, *people[0][:2])) == steps[:2]

    assert len(steps) == 60
