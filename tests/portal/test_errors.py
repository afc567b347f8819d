"""What a form that is not accepted leads back to."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("referrer", "way_back"),
    [
        ("https://testserver/t/contoso/revocations/new/?source=paste", None),
        ("https://elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_it_is_the_page_of_the_form_and_never_another_host(referrer: str, way_back: str | None):
    client = Client(enforce_csrf_checks=True)

    answer = client.post("/refresh/", secure=True, headers={"Referer": referrer})

    assert answer.status_code == 403
    assert f'href="{way_back or referrer}"' in answer.text
    assert "Sign in and go on" in answer.text


def test_a_form_that_was_a_dialog_is_the_page_it_was_sent_to():
    client = Client(enforce_csrf_checks=True)

    answer = client.post("/refresh/?a=b", {"kept": "yes"}, secure=True, headers={"Referer": "https://testserver/"})

    assert 'href="/refresh/?a=b"' in answer.text
