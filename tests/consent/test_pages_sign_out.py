"""A person signs themselves out everywhere and sees what became of it."""

import re
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.access import Actor
from accounts.tenancy import tenant_context
from consent.views import sign_out
from directory.models import Person
from revocation import services
from revocation.models import RevocationRequest
from tests.copied import read_directory

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/sign-out-everywhere/"


@pytest.fixture
def adele(adele, entra, contoso):
    read_directory(contoso)
    return adele


@pytest.fixture
def come_back(client, sign_in):
    """Sign somebody in whose earlier sessions have ended."""

    def sign_in_again(person):
        with tenant_context(person.tenant.pk):
            person.user.refresh_from_db()
        return sign_in(client, person)

    return sign_in_again


def in_copy(tenant, person):
    return Person.objects.get(tenant=tenant, pk=person.object_id)


@contextmanager
def time_machine(later):
    """Signatures are looked at as if it were `later`."""
    now = signing.time.time()
    with patch.object(signing.time, "time", lambda: now + later.total_seconds()):
        yield


def asked(tenant):
    with tenant_context(tenant.pk):
        return list(RevocationRequest.objects.filter(tenant=tenant, kind="sign_out_self"))


def test_the_page_says_what_ends_and_what_does_not(client, sign_in, adele, contoso):
    page = sign_in(client, adele).get(PAGE).content.decode()

    for words in ("Within minutes", "usually within 15 minutes", "What this does not end", "Your password"):
        assert words in page
    assert asked(contoso) == []


def test_every_session_ends_the_present_one_too(client, sign_in, adele, contoso, entra):
    before = entra.user(contoso, adele.object_id)["signInSessionsValidFromDateTime"]
    sign_in(client, adele)

    client.post(PAGE)

    assert entra.user(contoso, adele.object_id)["signInSessionsValidFromDateTime"] > before
    assert client.get(PAGE)["Location"].startswith(reverse("accounts:sign-in"))


def test_after_signing_in_again_the_page_tells_when_it_was_accepted_and_proved(client, come_back, adele, contoso):
    come_back(adele).post(PAGE)
    come_back(adele)

    page = client.get(PAGE).content.decode()

    (request,) = asked(contoso)
    assert "Microsoft accepted it" in page
    assert "The last access ends" in page
    assert client.get(reverse("consent:sign-out-progress", args=[request.pk])).status_code == 200


def test_a_second_click_while_it_is_under_way_asks_nothing_new(come_back, adele, contoso, entra):
    entra.lag(seconds=60)
    come_back(adele).post(PAGE)
    again = come_back(adele).post(PAGE)

    assert again["Location"].startswith(f"{PAGE}proof/")
    assert len(asked(contoso)) == 1
    revocations = [one for one in entra.requests() if "revokeSignInSessions" in one["path"]]
    assert len(revocations) == 1


def test_nobody_follows_a_colleagues_sign_out(client, sign_in, adele, isaiah, contoso):
    sign_in(client, adele).post(PAGE)
    (request,) = asked(contoso)
    sign_in(client, isaiah)

    assert client.get(reverse("consent:sign-out-progress", args=[request.pk])).status_code == 404
    assert "Signed out at" not in client.get(PAGE).content.decode()


# --- Proof without a session --------------------------------------------------------------------------


def plain(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_the_click_leads_to_the_proof_which_needs_no_sign_in(client, sign_in, adele, contoso):
    link = sign_in(client, adele).post(PAGE)["Location"]
    stranger = Client()

    page = stranger.get(link)
    told = plain(page)

    assert "You are signed out everywhere" in told
    assert "Microsoft accepted it" in told
    assert "Nothing was removed" in told
    for private in ("Adele", "adele@", str(adele.object_id), contoso.name):
        assert private not in page.content.decode()
    assert page["Cache-Control"].find("no-store") > 0
    assert stranger.get(f"{link}part/").status_code == 200


def test_a_link_that_is_forged_too_old_or_of_something_else_shows_nothing_and_costs_nothing(
    client, sign_in, adele, isaiah, contoso
):
    link = sign_in(client, adele).post(PAGE)["Location"]
    (request,) = asked(contoso)
    with tenant_context(contoso.pk):
        other = services.sign_out(contoso, [in_copy(contoso, isaiah)], actor=Actor.system(contoso.pk), reason="Test")
    signed = partial(reverse, "consent:sign-out-proof")
    tenant, pk = str(contoso.pk), str(request.pk)
    others = [
        signed(args=[signing.dumps(of, salt=salt)])
        for of, salt in (
            ([tenant, str(other.pk)], sign_out.PROOF_SALT),  # not one's own sign-out
            ([str(uuid4()), pk], sign_out.PROOF_SALT),  # another tenant's
            ([tenant, str(uuid4())], sign_out.PROOF_SALT),
            (["x", "y"], sign_out.PROOF_SALT),
            ([tenant, pk, pk], sign_out.PROOF_SALT),
            ([tenant, pk], "another salt"),
        )
    ]
    forged = link[:-4] + ("A" if link[-4] != "A" else "B") + link[-3:]

    with time_machine(sign_out.PROOF_FOR + timedelta(minutes=1)):
        late = Client().get(link)
    answers = [Client().get(one) for one in (*others, forged)]

    assert {answer.status_code for answer in (late, *answers)} == {410}
    assert {"Microsoft accepted it" in plain(answer) for answer in (late, *answers)} == {False}
    stranger = Client()
    with CaptureQueriesContext(connection) as done:
        stranger.get(forged)
        stranger.get(f"{forged}part/")
    assert {query["sql"].partition("(")[0] for query in done} == {"SELECT set_config"}
    assert not stranger.cookies
