"""Light or dark, technical names, language: remembered in this browser, for everyone."""

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

pytestmark = pytest.mark.django_db

LOOKS = reverse("looks")


def test_the_first_paint_is_as_it_was_chosen_and_by_default_as_the_system_is(client):
    sign_in = reverse("accounts:sign-in")
    assert "data-appearance" not in client.get(sign_in).content.decode()

    answer = client.post(LOOKS, {"appearance": "dark", "next": "/activity/"})
    page = client.get(sign_in).content.decode()
    client.post(LOOKS, {"appearance": ""})

    assert answer["Location"] == "/activity/"
    assert '<html lang="en" data-appearance="dark">' in page
    assert '<meta name="color-scheme" content="dark">' in page
    assert "data-appearance" not in client.get(sign_in).content.decode()
    assert not Session.objects.exists()


@pytest.mark.parametrize("said", ["blue", 'dark"><script>'])
def test_what_cannot_be_chosen_is_refused_and_changes_nothing(client, said):
    answer = client.post(LOOKS, {"appearance": said, "technical": "on"})
    client.cookies["consentry_appearance"] = said

    assert answer.status_code == 400
    assert answer.cookies == {}
    assert "data-appearance" not in client.get(reverse("accounts:sign-in")).content.decode()


def test_nobody_is_led_elsewhere_afterwards(client):
    for name, data in (("looks", {"appearance": "dark"}), ("set_language", {"language": "en"})):
        answer = client.post(reverse(name), data | {"next": "https://evil.example/"})

        assert answer["Location"] == "/"


def test_the_menu_leads_to_what_is_ones_own(client, sign_in, adele):
    page = sign_in(client, adele).get("/").content.decode()

    for address in ("accounts:sessions", "accounts:sign-out", "looks"):
        assert f'"{reverse(address)}"' in page
    assert 'aria-pressed="true"' in page
