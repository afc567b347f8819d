"""A fresh sign-in is asked for when a form is sent, says what for, and the form is there again afterwards."""

import pytest
from django.urls import reverse

from accounts.held import HELD, Held
from accounts.tenancy import tenant_context
from revocation.models import RevocationRequest
from tests.accounts.browser import forms
from tests.revocation.copies import asked, crowd, in_copy

pytestmark = pytest.mark.django_db


@pytest.fixture
def sign_out(contoso) -> str:
    return reverse("revocation:sign-out", args=["contoso", in_copy(contoso, "Adele Vance").pk])


def filled(client, address: str) -> dict[str, str]:
    """The hidden fields of the form on a page that is sent to that address."""
    page = client.get(address).content.decode()
    return next(one.fields for one in forms(page) if one.action == address)


def age(client, seconds: int) -> None:
    session = client.session
    session["auth_time"] -= seconds
    session["deeds"] = {deed: at - seconds for deed, at in session.get("deeds", {}).items()}
    session.save()


def requests_of(tenant) -> int:
    with tenant_context(tenant.pk):
        return RevocationRequest.objects.filter(tenant=tenant).count()


def test_what_was_typed_is_there_again_once_and_nothing_was_sent(client, sign_in, megan, contoso, sign_out):
    sign_in(client, megan, auth_age=3600)
    form = filled(client, sign_out)

    asked_for = client.post(sign_out, form | {"reason": "Left on the 7:12 train", "ticket": "INC-7"})["Location"]
    page = client.get(asked_for).content.decode()
    age(client, -3600)
    again = client.get(client.get(asked_for)["Location"]).content.decode()

    assert "You want to: <b>Sign out Adele Vance everywhere</b>" in page
    assert "Left on the 7:12 train" in again
    assert 'value="INC-7"' in again
    assert "Nothing was sent yet" in again
    assert "Left on the 7:12 train" not in client.get(sign_out).content.decode()
    assert requests_of(contoso) == 0


def test_a_button_without_a_page_of_its_own_waits_for_one_more_click(client, sign_in, megan, contoso):
    request = asked(contoso, megan, crowd(contoso, 3), needs_approval=False)
    detail = reverse("revocation:detail", args=["contoso", request.pk])
    pause = reverse("revocation:pause", args=["contoso", request.pk])
    sign_in(client, megan, auth_age=3600)
    form = next(one for one in forms(client.get(detail).content.decode()) if one.action == pause)

    asked_for = client.post(pause, form.fields)["Location"]
    age(client, -3600)
    go_on = client.get(client.get(asked_for)["Location"]).content.decode()
    assert f"Pause: {request.title}" in go_on
    client.post(pause, next(one.fields for one in forms(go_on) if one.action == pause))

    with tenant_context(contoso.pk):
        request.refresh_from_db()
    assert request.state == RevocationRequest.State.PAUSED
    assert HELD not in client.session


def test_the_same_kind_of_deed_needs_no_second_confirmation_for_a_quarter_of_an_hour(
    client, sign_in, megan, contoso, sign_out
):
    sign_in(client, megan)
    other = reverse("revocation:sign-out", args=["contoso", in_copy(contoso, "Alex Wilber").pk])
    request = asked(contoso, megan, crowd(contoso, 3), needs_approval=False)
    pause = reverse("revocation:pause", args=["contoso", request.pk])

    def asks(address: str) -> bool:
        return client.post(address, {"reason": ""}).headers.get("Location", "").startswith("/accounts/step-up/")

    age(client, 400)
    assert asks(sign_out)  # not before it was done once
    age(client, -400)
    assert not asks(sign_out)
    assert not asks(pause)
    age(client, 800)
    assert not asks(other)
    assert asks(pause)  # steering is confirmed each time
    age(client, 200)
    assert asks(other)


def test_only_the_person_s_own_form_is_given_back_and_no_secret_waits(rf, client, sign_in, megan, henrietta, sign_out):
    sign_in(client, megan, auth_age=3600)
    client.post(sign_out, filled(client, sign_out) | {"reason": "Lost device", "client_secret": "hunter2"})
    session = client.session

    assert "hunter2" not in str(session[HELD])
    for person, found in ((megan, True), (henrietta, False)):
        request = rf.get(sign_out)
        request.session, request.user = session, person.user
        assert bool(Held.of(request)) == found
    session[HELD]["at"] -= 1000
    request.user = megan.user
    assert Held.of(request) is None


def test_what_a_form_says_of_itself_is_ours_or_not_shown(client, sign_in, megan, sign_out):
    sign_in(client, megan, auth_age=3600)

    answer = client.post(sign_out, {"reason": "x", "for_what": "Win a telephone:forged"})

    assert "Win a telephone" not in client.get(answer["Location"]).content.decode()
