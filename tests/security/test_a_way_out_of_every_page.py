"""Whoever is signed in finds signing out on the page they are on (ASVS 7.4.4)."""

import pytest
from django.urls import reverse

from tests.access_table import ROLES, TABLE
from tests.factories import make_person
from tests.stage import set_up
from tests.test_titles import PARTS, address

pytestmark = pytest.mark.django_db

SHEETS = {"revocation:report"}  # for the printer; the page it was opened from offers it


def test_every_page_offers_signing_out(client, sign_in, contoso, robin):
    somebody = make_person(contoso, "11111111-2222-4333-8444-555555555555", "Somebody Else", *ROLES)
    stage = set_up(contoso, somebody, robin)
    sign_in(client, somebody)
    button, with_it, without = f'action="{reverse("accounts:sign-out")}"', set(), set()

    for name, row in TABLE.items():
        if row.method != "get" or row.public or name in PARTS:
            continue
        answer = client.get(address(name, row.ids(stage)))
        if answer.status_code == 200 and "html" in answer["Content-Type"]:
            (with_it if button in answer.content.decode() else without).add(name)

    assert without == SHEETS
    assert len(with_it) >= 28
