"""A person signs themselves out everywhere and sees what became of it."""

import pytest
from django.urls import reverse

from accounts.tenancy import tenant_context
from directory import sync
from revocation.models import RevocationRequest

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/sign-out-everywhere/"


@pytest.fixture
def adele(adele, entra, contoso):
    sync.sync_tenant(contoso)
    return adele


@pytest.fixture
def come_back(client, sign_in):
    """Sign somebody in whose earlier sessions have ended."""

    def sign_in_again(person):
        with tenant_context(person.tenant.pk):
            person.user.refresh_from_db()
        return sign_in(client, person)

    return sign_in_again


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
    assert "The last access token ends" in page
    assert client.get(reverse("consent:sign-out-progress", args=[request.pk])).status_code == 200


def test_a_second_click_while_it_is_under_way_asks_nothing_new(come_back, adele, contoso, entra):
    entra.lag(seconds=60)
    come_back(adele).post(PAGE)
    again = come_back(adele).post(PAGE)

    assert again["Location"] == PAGE
    assert len(asked(contoso)) == 1
    revocations = [one for one in entra.requests() if "revokeSignInSessions" in one["path"]]
    assert len(revocations) == 1


def test_nobody_follows_a_colleagues_sign_out(client, sign_in, adele, isaiah, contoso):
    sign_in(client, adele).post(PAGE)
    (request,) = asked(contoso)
    sign_in(client, isaiah)

    assert client.get(reverse("consent:sign-out-progress", args=[request.pk])).status_code == 404
    assert "Signed out at" not in client.get(PAGE).content.decode()
