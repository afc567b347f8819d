"""What a page weighs on its way, and what of it stays behind in the browser."""

import gzip
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.test.utils import override_settings

from portal.statics import JOINED, plain

PROJECT = Path(__file__).parent.parent.parent
ASKED_BY_OURSELVES = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def at_audit(client, sign_in, megan) -> Client:
    return sign_in(client, megan)


def test_a_page_that_we_ask_for_is_compressed(at_audit):
    page = at_audit.get("/t/contoso/audit/", headers=ASKED_BY_OURSELVES)

    assert page["Content-Encoding"] == "gzip"
    assert b"</html>" in gzip.decompress(page.content)
    assert len(page.content) < 30_000


@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
def test_the_length_of_what_another_site_asks_for_says_nothing(at_audit, site: str | None):
    headers = ASKED_BY_OURSELVES | {"Sec-Fetch-Site": site}
    page = at_audit.get("/t/contoso/audit/", headers={name: value for name, value in headers.items() if value})

    assert not page.has_header("Content-Encoding")


def test_the_length_of_one_page_is_another_each_time(at_audit):
    lengths = {len(at_audit.get("/t/contoso/audit/", headers=ASKED_BY_OURSELVES).content) for _ in range(8)}

    assert len(lengths) > 1


def test_what_is_on_its_way_to_microsoft_is_not_compressed(at_audit):
    page = at_audit.get("/accounts/sign-in/", headers=ASKED_BY_OURSELVES)

    assert "no-store" in page["Cache-Control"]
    assert not page.has_header("Content-Encoding")


def test_a_page_that_did_not_change_is_not_sent_again_and_its_forms_still_work(at_audit):
    page = at_audit.get("/accounts/sessions/")
    again = at_audit.get("/accounts/sessions/", headers={"If-None-Match": page["ETag"]})

    assert (page.status_code, again.status_code, again.content) == (200, 304, b"")
    token = re.search(rb'csrfmiddlewaretoken" value="(\w+)', page.content).group(1).decode()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = at_audit.cookies
    assert strict.post("/accounts/sessions/end-others/", {"csrfmiddlewaretoken": token}).status_code == 302


def test_another_person_in_the_same_browser_never_gets_the_page_of_the_one_before(at_audit, sign_in, henrietta):
    page = at_audit.get("/accounts/sessions/")
    sign_in(at_audit, henrietta)

    assert at_audit.get("/accounts/sessions/", headers={"If-None-Match": page["ETag"]}).status_code == 200


def test_files_parts_and_refusals_do_not_stay(at_audit):
    answers = [
        at_audit.post("/t/contoso/audit/export/"),
        at_audit.get("/t/contoso/apps/", headers={"HX-Request": "true"}),
        at_audit.get("/t/contoso/apps/00000000-0000-4000-8000-000000000000/"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert ["no-store" in answer["Cache-Control"] for answer in answers] == [True] * 3


def test_who_signs_out_leaves_nothing_behind(at_audit):
    at_audit.get("/accounts/sessions/")
    before = at_audit.cookies["consentry_mark"].value

    out = at_audit.post("/accounts/sign-out/")

    assert out["Clear-Site-Data"] == '"cache"'
    assert at_audit.cookies["consentry_mark"].value != before


def test_whose_session_was_ended_leaves_nothing_behind_either(at_audit, megan):
    at_audit.get("/accounts/sessions/")
    megan.user.usersession_set.all().delete()
    at_audit.session.flush()

    assert at_audit.get("/accounts/sessions/")["Clear-Site-Data"] == '"cache"'


def test_what_was_sent_makes_older_pages_old(at_audit):
    at_audit.get("/accounts/sessions/")
    marks = [at_audit.cookies["consentry_mark"].value]
    at_audit.get("/accounts/sessions/")
    marks.append(at_audit.cookies["consentry_mark"].value)
    at_audit.post("/accounts/sessions/end-others/")
    marks.append(at_audit.cookies["consentry_mark"].value)

    assert marks[0] == marks[1] != marks[2]


def test_the_collected_files_are_one_stylesheet_and_one_script(tmp_path):
    storage = {"BACKEND": "portal.statics.JoinedStorage"}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES={"staticfiles": storage}):
        call_command("collectstatic", interactive=False, verbosity=0)

    for name, parts in JOINED.items():
        stem, suffix = name.split(".")
        (whole,) = tmp_path.glob(f"{stem}.*.{suffix}")
        assert whole.with_name(f"{whole.name}.gz").exists()
        said = whole.read_text()
        for part in parts:
            last = (PROJECT / "static" / part).read_text().split("\n")[-3].strip()
            assert last in said
        assert "/*" not in said
        assert "\n//" not in said


def test_what_is_joined_is_the_same_without_words_for_readers():
    script = "// Why.\n(() => {\n  const address = `//host`; // here\n\n  go(address);\n})();\n"
    style = "/* Why:\n   so. */\n@layer base {\n  a {\n    color: red; /* here */\n  }\n}\n"

    assert plain(script, "js/all.js") == "(() => {\nconst address = `//host`; // here\ngo(address);\n})();"
    assert plain(style, "css/all.css") == "@layer base {\na {\ncolor: red;\n}\n}"
