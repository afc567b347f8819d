"""Opening a page changes nothing and asks Microsoft nothing: what costs quota or writes is sent as a form."""

import re

import pytest
from django.db import connection

from graph import transport
from tests.access_table import ROLES, TABLE
from tests.factories import make_person, make_tenant
from tests.sandbox_client import CONTOSO, FABRIKAM
from tests.stage import set_up, stranger_from
from tests.test_titles import address

pytestmark = pytest.mark.django_db

# Microsoft leads people to these: they are one step of a sign-in or of a consent, begun by a form of ours.
ANSWERS_OF_MICROSOFT = {"entra_callback", "tenants:onboarding-callback", "tenants:onboarding-waiting"}
# Who was seen when, and that somebody took a result away.
OWN_NOTES = ("usersessions_usersession", "audit_")
# What is searched for is not in our copy, and so could only be found by asking.
WRITES = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
SEARCHES = {"revocation:people": "?q=Johanna", "revocation:new": "?source=group&q=All"}


def test_no_page_asks_microsoft_or_writes_when_it_is_opened(client, sign_in, entra):
    home, abroad = make_tenant(CONTOSO, "Contoso", "contoso.example"), make_tenant(FABRIKAM, "Fabrikam", "f.example")
    somebody = make_person(home, "11111111-2222-4333-8444-555555555555", "Megan Bowen", *ROLES)
    stage = set_up(home, somebody, stranger_from(abroad, "Robin Counts"))
    sign_in(client, somebody)
    asked, wrote, opened = [], [], []

    def watch(execute, sql, parameters, many, context):
        if (found := WRITES.match(sql)) and not found[1].startswith(OWN_NOTES):
            wrote.append((name, found[0]))
        return execute(sql, parameters, many, context)

    heard = transport.witnessed(lambda request, answer: asked.append((name, request.url)))
    with heard, connection.execute_wrapper(watch):
        for name, row in TABLE.items():
            if row.method != "get" or name in ANSWERS_OF_MICROSOFT:
                continue
            answer = client.get(address(name, row.ids(stage)) + SEARCHES.get(name, ""))
            opened.append(answer.status_code)

    assert asked == []
    assert wrote == []
    assert opened.count(200) >= 40
