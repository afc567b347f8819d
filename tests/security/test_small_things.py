"""Small doors: what other sites can lead somebody to, what a name can hide, what a cookie can be called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from accounts.tenancy import tenant_context
from audit.models import AuditEntry
from consent.apps_now import is_name, spelled_out
from consent.forms import TypedForm
from directory.models import ServicePrincipal
from tests.access_table import TABLE
from tests.stage import set_up
from tests.test_titles import address

PROJECT = Path(__file__).resolve().parents[2]
APP_ID = "7a7a7a7a-0000-4000-8000-0000000000aa"


def test_no_other_site_fills_the_record(client, sign_in, contoso, megan, robin):
    stage = set_up(contoso, megan, robin)
    sign_in(client, megan)
    downloads = ["revocation:results-csv", "revocation:results-json", "revocation:report-json", "consent:apps-csv"]
    for site, noted in (("cross-site", 0), ("same-site", 0), ("same-origin", 4), ("none", 8)):
        for name in downloads:
            client.get(address(name, TABLE[name].ids(stage)), headers={"Sec-Fetch-Site": site})

        with tenant_context(contoso.pk):
            assert AuditEntry.objects.filter(event__endswith=".exported").count() == noted


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Mail Sidekick", "Mail Sidekick"),
        ("\u202egnp.exe", "\\u{202e}gnp.exe"),
        ("\u200b\u200b", "\\u{200b}\\u{200b}"),
        ("Zoë 😀 ꙮ", "Zoë 😀 ꙮ"),
    ],
)
def test_a_name_that_nobody_can_type_is_spelled_out_and_the_id_will_do(name, shown):
    app = ServicePrincipal(display_name=name, app_id=APP_ID)
    form = TypedForm({"reason": "Clean up", "typed": APP_ID}, app=app)

    assert spelled_out(name) == shown
    assert shown in form.fields["typed"].label
    assert (APP_ID in form.fields["typed"].label) is (shown != name)
    assert form.is_valid()
    assert is_name(name, name, APP_ID) is bool(" ".join(name.split()))
    assert not is_name("", name, APP_ID)


@pytest.mark.parametrize(("url", "bound"), [("https://consentry.example", True), ("http://127.0.0.1:8000", False)])
def test_cookies_are_of_this_very_host_over_https(url, bound, tmp_path):
    program = "import portal.settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE)"
    environment = os.environ | {"PORTAL_URL": url, "VAR_DIR": str(tmp_path)}

    said = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == [
        "__Host-consentry_session" if bound else "consentry_session",
        "__Host-csrftoken" if bound else "csrftoken",
        str(bound),
    ]


def test_pages_run_no_code_of_others_and_stand_in_no_frame(client, sign_in, contoso, megan):
    sign_in(client, megan)
    for page in ("/", "/accounts/sign-in/", "/t/contoso/", "/nowhere/"):
        answer = client.get(page)
        policy = dict(
            part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";") if part.strip()
        )
        assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'", page
        assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
    assert (settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE) == (True, "Lax")


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_no_page_of_another_site_steers_the_sandbox(entra, headers):
    answer = entra.http.post(f"{entra.url}/_sandbox/reset", data="{}", headers=headers, timeout=10)

    assert answer.status_code == 403


def test_sessions_are_found_by_what_microsoft_calls_them(db):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT * FROM usersessions_usersession WHERE (data -> 'sid') = '\"x\"'::jsonb")
        assert "usersession_by_sid" in str(cursor.fetchall())
