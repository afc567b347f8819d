"""What no browser sends: answered like any other nonsense, never with a failure of ours."""

import base64
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from accounts.tenancy import tenant_context
from directory.models import ServicePrincipal

ODD = ["%00", "%F0%9F%92%A3", "%ED%A0%80", "'%22;--", "1" * 40, "-1", "%25", "[]", "a" * 5000]


@pytest.mark.parametrize("value", ODD)
def test_front_channel_logout_answers_anything(client, db, value):
    for query in (
        f"sid={value}",
        f"sid={value}&iss={value}",
        f"sid=x&iss=https://login.microsoftonline.com/{value}/v2.0",
    ):
        assert client.get(f"/accounts/front-channel-logout/?{query}").status_code == 200


@pytest.mark.parametrize("value", ODD)
def test_the_doors_without_a_sign_in_answer_anything(client, db, value):
    for path in (
        f"/accounts/sign-in/?next={value}",
        f"/accounts/entra/login/callback/?state={value}&code={value}",
        f"/accounts/entra/login/callback/?state={value}&error={value}&error_description={value}",
        f"/onboarding/callback/?state={value}&tenant={value}&admin_consent=True",
    ):
        assert client.get(path).status_code < 500


CURSORS = [
    base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
    for place in ([10**30, 10**30], ["x", "y"], ["\ud800", "a"], [True, True], [10**30], ["2026-01-01"], [-1], ["", ""])
]


# A cursor and a search alone; a filter's value stands beside the others', as each reads its own.
QUERIES = [("after",), ("q",), ("state", "actor", "kind", "risk", "sort", "person", "app", "request_id", "since")]


@pytest.mark.parametrize("value", ODD + CURSORS)
def test_every_list_answers_any_cursor_and_any_search(client, sign_in, copied, megan, value):
    sign_in(client, megan)
    lists = [f"/t/contoso/{name}/" for name in ("apps", "people", "revocations", "audit", "deleted-apps")]
    for path in (*lists, "/", "/activity/", "/accounts/sessions/"):
        for names in QUERIES if path in lists else [("after",), ("q",), ("show",)]:
            query = "&".join(f"{name}={value}" for name in names)
            assert client.get(f"{path}?{query}").status_code < 500, (path, names)


@pytest.mark.parametrize(
    "value",
    [
        "/\\evil.example",
        "//evil.example",
        "/%5Cevil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "///evil.example",
        "/\t/evil.example",
        "\\\\evil.example",
        "http:///evil.example",
        "/%09/evil.example",
        " //evil.example",
        "https://evil.example/",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in_or_confirming(client, sign_in, contoso, megan, value):
    sign_in(client, megan)
    for path in ("/accounts/sign-in/", "/accounts/step-up/"):
        response = client.get(path, {"next": value})
        assert response.status_code == 302
        target = response["Location"]
        assert target.startswith("/")
        assert not target.startswith(("//", "/\\", "/\t")), target


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/a",
        "//evil.example/a",
        "http://testserver//evil.example",
        "http://testserver/\\evil.example",
        "javascript:alert(1)",
        "http://[bad",
        "http://testserver@evil.example/",
    ],
)
def test_a_step_up_that_htmx_asks_for_leads_back_to_this_portal(client, sign_in, contoso, megan, address):
    sign_in(client, megan, auth_age=3600)
    headers = {"HX-Request": "true", "HX-Current-URL": address}

    response = client.post("/t/contoso/settings/", headers=headers)

    assert response.status_code == 204
    back = parse_qs(urlsplit(response["HX-Redirect"]).query)["next"][0]
    assert back.startswith("/")
    assert not back.startswith(("//", "/\\"))


CODE = "javascript:alert(document.domain)//"


def test_what_an_app_calls_its_addresses_is_shown_and_leads_nowhere(client, sign_in, copied, megan):
    sign_in(client, megan)
    with tenant_context(copied.pk):
        app = ServicePrincipal.objects.get(display_name="Mail Sidekick")
        app.homepage, app.reply_urls = CODE, [CODE, "data:text/html,x"]
        app.save(update_fields=["homepage", "reply_urls"])
    own = reverse("consent:app", args=[copied.slug, app.pk])

    shown = "".join(client.get(page).content.decode() for page in (own, f"{own}?tab=facts", "/", "/activity/"))

    assert shown.count(CODE) >= 2
    assert re.findall(r"""=\s*["']?\s*(?:javascript|data|vbscript):""", shown, re.IGNORECASE) == []
