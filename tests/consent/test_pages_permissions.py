"""Who can read all mail? From a permission to the apps that hold it, and to the people who gave it."""

import csv
import io

import pytest
from django.urls import reverse

from accounts.tenancy import tenant_context
from audit.models import AuditEntry, AuditEvent
from directory.models import InheritedGrant, PermissionUse, ServicePrincipal
from directory.sync import derive
from tests.directory.rows import a_grant, an_app, an_assignment, graph_api, somebody

pytestmark = pytest.mark.django_db

ALONE = "810c84a8-4a9e-49e6-bf7d-12d183f40d01"  # Mail.Read, the application permission


@pytest.fixture
def admin(client, sign_in, megan):
    return sign_in(client, megan)


@pytest.fixture
def api(contoso):
    """Microsoft Graph at Contoso, where one app reads everyone's mail by itself and another that of its user."""
    with tenant_context(contoso.pk):
        api = graph_api(contoso)
        api.definitions.create(
            tenant=contoso,
            kind="application",
            permission_id=ALONE,
            value="Mail.Read",
            admin_display_name="Read mail in all mailboxes",
        )
        backup = an_app(contoso, "Proseware Backup")
        an_assignment(
            api,
            "Proseware Backup",
            "ServicePrincipal",
            principal_id=backup.pk,
            role="810c84a8-4a9e-49e6-bf7d-12d183f40d01",
        )
        a_grant(an_app(contoso, "Mail Sidekick"), api, "Mail.Read", somebody(contoso, "Adele Vance"))
        agent = an_app(contoso, "Minutes Helper", kind=ServicePrincipal.Kind.AGENT)
        InheritedGrant.objects.create(
            tenant=contoso, agent=agent, resource=api, kind="delegated", scopes=["Mail.Read"], synced_at=agent.synced_at
        )
        derive(contoso)
    return api


def test_everyones_mail_is_asked_apart_from_that_of_whoever_uses_an_app(admin, contoso, api):
    where = reverse("consent:permissions", args=[contoso.slug])
    everyones = admin.get(where, {"may": "mail", "alone": "yes"}).content.decode()
    users = admin.get(where, {"may": "mail", "alone": "no"}).content.decode()

    assert "Read mail in all mailboxes" in everyones
    assert "Proseware Backup" in everyones
    assert "Mail Sidekick" not in everyones
    assert "Mail Sidekick" in users
    assert "Proseware Backup" not in users


def test_a_permission_names_its_apps_why_it_is_rated_so_and_who_inherits_it(admin, contoso, api):
    address = reverse("consent:permission", args=[contoso.slug, api.pk, "delegated", "Mail.Read"])
    page = admin.get(address).content.decode()

    for words in (
        "Mail Sidekick",
        "1 person",
        "Reads its users&#x27; mail",
        "level 2, raised",
        "1 AI agent has it through",
    ):
        assert words in page
    assert "Proseware Backup" not in page


def test_a_permission_nobody_holds_any_more_is_absent(admin, contoso, api):
    with tenant_context(contoso.pk):
        PermissionUse.objects.all().delete()

    assert (
        admin.get(reverse("consent:permission", args=[contoso.slug, api.pk, "delegated", "Mail.Read"])).status_code
        == 404
    )


def test_the_file_holds_exactly_what_is_filtered(admin, api, contoso):
    answer = admin.get(reverse("consent:permissions-csv", args=[contoso.slug]) + "?may=mail&alone=yes")
    lines = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

    with tenant_context(contoso.pk):
        entry = AuditEntry.objects.get(event=AuditEvent.LIST_EXPORTED)
    assert [(line["permission"], line["kind"], line["words"], line["apps"]) for line in lines] == [
        ("Mail.Read", "application", "Read mail in all mailboxes", "1")
    ]
    assert entry.after == {"filters": {"may": "mail", "alone": "yes"}}


def test_heads_sort_and_what_was_chosen_stays_in_the_address_and_in_the_file(admin, contoso, api):
    with tenant_context(contoso.pk):
        a_grant(an_app(contoso, "Wingtip Notes"), api, "User.Read")
        derive(contoso)
    where = reverse("consent:permissions", args=[contoso.slug])
    page = admin.get(where, {"sort": "name", "q": "read"}).content.decode()
    turned = admin.get(where, {"sort": "-name"}).content.decode()
    file = admin.get(reverse("consent:permissions-csv", args=[contoso.slug]), {"sort": "-name"})
    lines = list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig"))))

    assert page.index("<code>Mail.Read</code>") < page.index("<code>User.Read</code>")
    assert turned.index("<code>User.Read</code>") < turned.index("<code>Mail.Read</code>")
    assert [line["permission"] for line in lines] == ["User.Read", "Mail.Read", "Mail.Read"]
    assert f'{where}?sort=-name&amp;q=read"' in page
    assert 'aria-sort="ascending"' in page
    assert 'name="sort" value="name"' in page
    assert "sort=-name" in turned.partition("Export CSV")[0].rpartition("href=")[2]
