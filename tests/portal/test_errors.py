"""What a form that is not accepted leads back to, and what the page of a fault says."""

import pytest
from django.test import Client

from portal.request_id import WithRequestId

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


def test_a_request_has_one_id_on_the_page_of_its_fault_and_in_its_lines(settings, monkeypatch, caplog):
    """The proxy's id, where there is a proxy and it is one; nobody else's."""
    client = Client(raise_request_exception=False, headers={"X-Request-ID": "from-the-proxy-1"})

    assert client.get("/nowhere/")["X-Request-ID"] != "from-the-proxy-1"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert client.get("/nowhere/")["X-Request-ID"] == "from-the-proxy-1"
    assert client.get("/nowhere/", headers={"X-Request-ID": "<script>"})["X-Request-ID"] != "<script>"

    monkeypatch.setattr("accounts.middleware.ScopeMiddleware.__call__", broken_page)
    caplog.handler.addFilter(WithRequestId())
    answer = client.get("/nowhere/")

    assert (answer.status_code, answer["X-Request-ID"]) == (500, "from-the-proxy-1")
    assert "<code>from-the-proxy-1</code>" in answer.text
    assert {record.of_request for record in caplog.records if record.levelname == "ERROR"} == {" [from-the-proxy-1]"}


def broken_page(middleware, request):
    raise ValueError("broken")
