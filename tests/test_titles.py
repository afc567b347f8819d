"""A title says which page it is: no two kinds of page share one, whatever they are about."""

import re
from collections import defaultdict

import pytest
from django.urls import NoReverseMatch, reverse

from tests.access_table import ROLES, TABLE
from tests.factories import make_person, make_tenant
from tests.sandbox_client import CONTOSO, FABRIKAM
from tests.stage import set_up, stranger_from

pytestmark = pytest.mark.django_db

# Not pages of their own: files, parts of a page, and what a form leads to.
PARTS = {
    "consent:my-apps-list",
    "consent:count-apps",
    "consent:sign-out-progress",
    "revocation:own-timeline",
    "revocation:listed",
    "revocation:progress",
    "revocation:toast",
}


def title_of(html: str) -> str:
    return " ".join(re.search(r"<title>(.*?)</title>", html, re.S)[1].split())


def address(name: str, ids: dict) -> str:
    try:
        return reverse(name, kwargs={"tenant": "contoso", **ids})
    except NoReverseMatch:
        return reverse(name, kwargs=ids)


def test_no_two_kinds_of_page_have_one_title(client, sign_in):
    home, abroad = make_tenant(CONTOSO, "Contoso", "contoso.example"), make_tenant(FABRIKAM, "Fabrikam", "f.example")
    somebody = make_person(home, "11111111-2222-4333-8444-555555555555", "Megan Bowen", *ROLES)
    stage = set_up(home, somebody, stranger_from(abroad, "Robin Counts"))
    sign_in(client, somebody)
    about = [one.display_name for one in (stage.app, stage.deleted_app, stage.person)]
    about += [one.title for one in (stage.request, stage.removal, stage.own_sign_out)]

    kinds = defaultdict(list)
    for name, row in TABLE.items():
        if row.method != "get" or row.public or name in PARTS:
            continue
        answer = client.get(address(name, row.ids(stage)))
        if answer.status_code != 200 or "html" not in answer["Content-Type"]:
            continue
        title = title_of(answer.content.decode()).partition(" · ")[0]
        for what in about:
            title = title.replace(what, "…")
        assert title.strip(" ?…:"), f"{name} is called by its subject alone"
        kinds[title].append(name)

    assert {title: names for title, names in kinds.items() if len(names) > 1} == {}
    assert len(kinds) >= 28
