"""Views of one's own: kept under a name, shown to nobody else, replaced and deleted; nothing but filters is kept."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import saved_views
from accounts.models import SavedView
from accounts.tenancy import tenant_context
from audit.models import AuditEntry
from tests.factories import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client, sign_in, megan):
    return sign_in(client, megan)


def keep(client, tenant, list_: str, query: str, name: str = "Mine"):
    where = reverse("consent:keep-view", args=[tenant.slug])
    return client.post(where, {"list": list_, "query": query, "name": name})


@pytest.mark.parametrize(
    ("list_", "page", "query"),
    [
        ("apps", "consent:apps", "enabled=yes&may=mail"),
        ("permissions", "consent:permissions", "q=mail&sort=name"),
        ("people", "revocation:people", "only=guests&q=lynne"),
    ],
)
def test_what_a_list_is_narrowed_to_is_kept_shown_and_deleted(admin, contoso, list_, page, query):
    where = reverse(page, args=[contoso.slug])
    offered = admin.get(f"{where}?{query}").content.decode()
    with tenant_context(contoso.pk):
        before = AuditEntry.objects.count()
    answer = keep(admin, contoso, list_, f"{query}&after=WzFd&nonsense=1")
    shown = admin.get(answer.url).content.decode()
    with tenant_context(contoso.pk):
        view = SavedView.objects.get()
        added = AuditEntry.objects.count() - before
    deleted = admin.post(reverse("consent:delete-view", args=[contoso.slug, view.pk]))

    assert "Keep this view" in offered
    assert (view.query, answer.url, added) == (query, f"{where}?{query}", 0)
    assert "Keep this view" not in shown
    assert f'{where}?{query.replace("&", "&amp;")}" aria-current="page"' in shown
    assert deleted.url == answer.url
    assert "Your own views" not in admin.get(where).content.decode()


def test_nobody_else_sees_or_deletes_it(admin, sign_in, contoso):
    keep(admin, contoso, "apps", "q=sidekick", "Megan's")
    with tenant_context(contoso.pk):
        view = SavedView.objects.get()
    other = sign_in(Client(), make_person(contoso, uuid4(), "Nina Other", "tenant_admin"))

    assert "Megan&#x27;s" not in other.get(reverse("consent:apps", args=[contoso.slug])).content.decode()
    assert other.post(reverse("consent:delete-view", args=[contoso.slug, view.pk])).status_code == 404


def test_another_tenant_has_no_such_rows(contoso, fabrikam, megan):
    with tenant_context(contoso.pk):
        saved_views.keep(megan.membership, "apps", "Mine", {"q": "mail"})
    with tenant_context(fabrikam.pk), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_savedview")
        (seen,) = cursor.fetchone()

    assert seen == 0


def test_a_name_is_kept_once_and_no_more_than_so_many(admin, contoso, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 2)
    for name, query in (("A", "q=one"), ("B", "q=two"), ("A", "q=three"), ("C", "q=four")):
        keep(admin, contoso, "apps", query, name)
    with tenant_context(contoso.pk):
        kept = dict(SavedView.objects.values_list("name", "query"))

    assert kept == {"A": "q=three", "B": "q=two"}


@pytest.mark.parametrize(
    ("query", "name"),
    [("", "Mine"), ("q=mail", " "), ("nonsense=1", "Mine"), ("q=mail", "x" * 65), ("q=" + "😀" * 256, "Mine")],
    ids=["nothing", "no name", "no filter", "a long name", "too long once it is spelled"],
)
def test_what_is_no_view_is_not_kept(admin, contoso, query, name):
    answer = keep(admin, contoso, "apps", query, name)

    assert "Nothing was changed" in admin.get(answer.url).content.decode()
    with tenant_context(contoso.pk):
        assert not SavedView.objects.exists()


def test_a_list_nobody_has_is_refused(admin, contoso):
    assert keep(admin, contoso, "secrets", "q=mail").status_code == 400
