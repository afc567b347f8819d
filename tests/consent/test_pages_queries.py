"""Every page costs the same small number of queries, whatever the number of rows."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.consent.pages import fill
from tests.factories import make_person

FEW, MANY = 3, 40
MOST = 34  # session, account, membership, the row-level security settings and the badge of the inbox included

PAGES = [
    ("consent:my-apps", ""),
    ("consent:my-apps", "?q=app&show=high"),
    ("consent:my-app", ""),
    ("consent:remove-app", ""),
    ("consent:sign-out-everywhere", ""),
    ("consent:activity", ""),
    ("consent:overview", ""),
    ("inbox:inbox", ""),
    ("consent:apps", ""),
    ("consent:apps", "?q=app&risk=3&publisher=unverified&consent=user&enabled=yes&use=unused&sort=name"),
    ("consent:apps", "?q=mail&may=mail&alone=no&kind=Application&fact=new&sort=-used"),
    ("consent:changes", "?since=2020-01-01"),
    ("consent:permissions", ""),
    ("consent:permissions", "?q=mail&may=mail&alone=no&risk=3"),
    ("consent:app", "?tab=people"),
    ("consent:app", "?tab=organisation"),
    ("consent:app", "?tab=alone"),
    ("consent:app", "?tab=assigned"),
    ("consent:app", "?tab=facts"),
    ("consent:delete-app", ""),
    ("consent:deleted-apps", ""),
    ("tenants:settings", ""),
    ("tenants:providers", ""),
]
OF_AN_APP = {"consent:my-app", "consent:remove-app", "consent:app", "consent:delete-app"}
OUTSIDE = {"consent:my-apps", "consent:my-app", "consent:remove-app", "consent:sign-out-everywhere", "consent:activity"}


@pytest.fixture
def megan(contoso):
    return make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")


@pytest.mark.parametrize(("name", "query"), PAGES)
def test_a_page_costs_the_same_for_few_rows_and_for_many(client, sign_in, contoso, megan, name, query):
    sign_in(client, megan)
    app = fill(contoso, megan, FEW)
    address = _address(name, contoso, app) + query
    client.get(address)  # what is made once per session is not the page's
    few = _queries(client, address)

    fill(contoso, megan, MANY - FEW, app)
    many = _queries(client, address)

    assert many == few <= MOST


def _address(name, tenant, app):
    return reverse(name, args=([] if name in OUTSIDE else [tenant.slug]) + ([app.pk] if name in OF_AN_APP else []))


def _queries(client, address):
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
    assert answer.status_code == 200, answer
    return len(captured)
