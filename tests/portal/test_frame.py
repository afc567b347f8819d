"""The frame around pages: which tenant one is in, the way to another, and where a page that is not there leads."""

import re
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts import services as accounts
from accounts.access import Actor
from accounts.tenancy import tenant_context
from directory.models import ServicePrincipal
from inbox import services as inbox
from tests.factories import make_person, make_tenant
from tests.revocation.copies import in_copy

pytestmark = pytest.mark.django_db
NOT_THERE = "00000000-0000-4000-8000-000000000000/"


def test_what_is_not_there_keeps_the_frame_and_leads_to_the_nearest_list(client, sign_in, megan):
    page = sign_in(client, megan).get(f"/t/contoso/people/{NOT_THERE}")

    assert page.status_code == 404
    assert 'aria-label="Workspace"' in page.text
    assert '<a class="button primary" href="/t/contoso/people/">People</a>' in page.text


def test_what_ones_role_does_not_open_keeps_the_frame(client, sign_in, henrietta):
    page = sign_in(client, henrietta).get("/t/contoso/audit/")

    assert page.status_code == 403
    assert 'aria-label="Workspace"' in page.text


@pytest.mark.parametrize("address", ["/t/fabrikam/apps/", "/t/no-such-tenant/apps/", "/no-such-page/"])
def test_another_tenant_is_a_page_that_is_not_there(client, sign_in, megan, fabrikam, address):
    page = sign_in(client, megan).get(address)

    assert page.status_code == 404
    assert 'aria-label="Workspace"' not in page.text
    assert '<a class="button primary" href="/">My apps</a>' in page.text


def test_who_is_not_signed_in_is_told_nothing_more(client, db):
    page = client.get("/no-such-page/")

    assert page.status_code == 404
    assert "Sign out" not in page.text


@pytest.fixture
def provider(contoso, fabrikam):
    """Robin, who may also work in other tenants."""
    robin = make_person(fabrikam, uuid4(), "Robin Counts", "tenant_admin")

    def let_into(count):
        tenants = [make_tenant(uuid4(), f"Customer{number:02}", f"customer{number}.example") for number in range(count)]
        for tenant in tenants:
            with tenant_context(tenant.pk):
                accounts.grant_membership(tenant, robin.user, ["helpdesk"], actor=Actor.system(tenant.pk))
        return robin

    return let_into


def test_two_workspaces_are_two_tabs(client, sign_in, provider):
    page = sign_in(client, provider(1)).get("/t/fabrikam/")

    assert page.text.count(" workspace") >= 2
    assert "popover" not in page.text


def test_thirty_workspaces_are_a_menu_with_a_search(client, sign_in, provider, django_assert_max_num_queries):
    sign_in(client, provider(30)).get("/t/fabrikam/apps/")  # what is asked once
    with django_assert_max_num_queries(60):
        page = client.get("/t/fabrikam/apps/")

    assert page.text.count("data-hue=") == 32
    assert 'data-narrows="workspaces"' in page.text
    assert page.text.count('aria-current="true"') == 2


def test_what_waits_is_one_click_away_where_the_workspaces_are_a_menu(client, sign_in, provider, fabrikam):
    robin = provider(4)
    before = sign_in(client, robin).get("/")
    with tenant_context(fabrikam.pk):
        app = ServicePrincipal.objects.create(
            id=uuid4(), app_id=uuid4(), tenant=fabrikam, display_name="Mail Sidekick", synced_at=timezone.now()
        )
        inbox.report_app(robin.membership, app)

    page = client.get("/")

    assert "popover" in page.text
    assert 'href="/t/fabrikam/inbox/"' not in before.text
    assert re.search(r'href="/t/fabrikam/inbox/">\s*<span class="waits">\s*1\s', page.text)


def test_every_confirmation_says_which_tenant_it_is_about(client, sign_in, megan, entra):
    person = in_copy(megan.membership.tenant, "Alex Wilber")
    page = sign_in(client, megan).get(f"/t/contoso/people/{person.pk}/sign-out/")

    assert "In <b>Contoso</b>" in page.text
