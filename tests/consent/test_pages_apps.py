"""An administrator looks through the tenant's apps and takes consent, or the app, away."""

import csv
import io

import pytest
from django.urls import reverse

from accounts.tenancy import tenant_context
from audit.models import AuditEntry, AuditEvent
from directory import selectors
from directory.models import ServicePrincipal
from revocation.models import RevocationRequest
from tests.accounts.browser import forms
from tests.consent.pages import app_named, fill
from tests.copied import read_directory

pytestmark = pytest.mark.django_db(transaction=True)

WHY = {"reason": "Not allowed here", "ticket": "INC-1"}


@pytest.fixture
def contoso(contoso, entra):
    """Contoso, with a copy of its directory."""
    return read_directory(contoso)


@pytest.fixture
def sidekick(contoso):
    return app_named(contoso, "Mail Sidekick")


@pytest.fixture
def travel(contoso):
    return app_named(contoso, "Contoso Travel")


@pytest.fixture
def admin(client, sign_in, megan):
    return sign_in(client, megan)


def address(name, tenant, *ids):
    return reverse(f"consent:{name}", args=[tenant.slug, *ids])


def text(client, where):
    answer = client.get(where)
    assert answer.status_code == 200
    return answer.content.decode()


def requests_of(tenant, kind):
    with tenant_context(tenant.pk):
        return list(RevocationRequest.objects.filter(tenant=tenant, kind=kind))


def grants_of(entra, app):
    return [grant for grant in entra.grants().values() if grant["clientId"] == str(app.pk)]


def app_in_entra(entra, app):
    return entra.get(f"servicePrincipals/{app.pk}?$select=id,displayName,accountEnabled")


# --- Looking ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("q=sidekick", "Mail Sidekick", "Northwind Expenses"),
        ("risk=3", "Mail Sidekick", "Northwind Expenses"),
        ("publisher=microsoft", "Microsoft Graph", "Mail Sidekick"),
        ("consent=admin", "Contoso Travel", "Mail Sidekick"),
        ("consent=app_only", "Proseware Backup", "Mail Sidekick"),
        ("enabled=no", "Relecloud Forms", "Mail Sidekick"),
        ("use=unused", "Northwind Expenses", "Mail Sidekick"),
        ("q=Mail.Send", "Mail Sidekick", "Northwind Expenses"),
        ("q=johanna", "Mail Sidekick", "Northwind Expenses"),
        ("may=mail&alone=yes", "Proseware Backup", "Mail Sidekick"),
        ("fact=imitates", "Micros0ft Office Viewer", "Mail Sidekick"),
        ("off=here", "Relecloud Forms", "Mail Sidekick"),
    ],
)
def test_apps_are_found_by_words_and_filters(admin, contoso, query, shown, hidden):
    listed = text(admin, f"{address('apps', contoso)}?{query}")

    assert shown in listed
    assert hidden not in listed


@pytest.mark.parametrize("query", ["risk=9", "sort=;drop", "publisher=%00", "after=x", "q=%00", "enabled=maybe"])
def test_filters_that_make_no_sense_are_ignored(admin, contoso, query):
    assert "Mail Sidekick" in text(admin, f"{address('apps', contoso)}?{query}")


def test_the_worst_comes_first_and_neither_the_portal_nor_what_is_stopped(admin, contoso):
    listed = text(admin, address("apps", contoso))
    sidekick, consentry = listed.index("Mail Sidekick"), listed.index("Consentry</a>")

    assert listed.index("Micros0ft Office Viewer</a>") < sidekick < consentry
    assert sidekick < listed.index("Relecloud Forms</a>")
    assert "Its name looks like" in listed
    assert 'aria-sort="descending"' in listed


def test_all_that_match_can_be_chosen_where_they_are_more_than_a_page(admin, contoso, megan):
    few = text(admin, address("apps", contoso) + "?q=sidekick")
    fill(contoso, megan, 40)
    many = text(admin, address("apps", contoso) + "?enabled=yes")
    counted = admin.get(address("count-apps", contoso) + "?enabled=yes").content.decode()

    assert ("data-tick-whole" in few, "data-tick-whole" in many) == (False, True)
    with tenant_context(contoso.pk):
        assert counted == f"{selectors.all_apps(contoso, enabled='yes').count():,}"


def test_the_file_holds_exactly_what_is_filtered(admin, contoso, nestor):
    answer = admin.get(address("apps-csv", contoso) + "?may=mail&sort=name")
    lines = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

    with tenant_context(contoso.pk):
        expected = [app.display_name for app in selectors.all_apps(contoso, may="mail", sort="name")]
        entry = AuditEntry.objects.get(event=AuditEvent.LIST_EXPORTED)
    assert [line["name"] for line in lines] == expected != []
    assert entry.after == {"filters": {"may": "mail", "sort": "name"}}


def test_pages_follow_one_another_without_losing_an_app(admin, contoso, megan):
    fill(contoso, megan, 120)
    listed, where = "", address("apps", contoso) + "?sort=name"
    for _page in range(5):
        shown = text(admin, where)
        listed += shown
        where = shown.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        where = address("apps", contoso) + where if where else where

    assert where == ""
    with tenant_context(contoso.pk):
        alive = ServicePrincipal.objects.filter(tenant=contoso, deleted_at__isnull=True)
        assert all(f"/apps/{pk}/" in listed for pk in alive.values_list("pk", flat=True))


def test_htmx_gets_the_rows_alone(admin, contoso):
    rows = admin.get(address("apps", contoso), headers={"HX-Request": "true"}).content.decode()

    assert "Mail Sidekick" in rows
    assert "<html" not in rows


def test_one_app_tells_who_consented_what_and_why_it_is_risky(admin, contoso, sidekick):
    page = text(admin, address("app", contoso, sidekick.pk))

    for words in ("Adele Vance", "Mail.ReadWrite", "Why high risk", "What deleting would hit", "5 lose access"):
        assert words in page


@pytest.mark.parametrize(
    ("name", "tab", "words"),
    [
        ("Contoso Travel", "organisation", "for everyone in the organisation"),
        ("Proseware Backup", "alone", "with nobody signed in"),
        ("Northwind Expenses", "assigned", "default access"),
        ("Mail Sidekick", "facts", "Application id"),
        ("Mail Sidekick", "alone", "It can do nothing by itself"),
    ],
)
def test_each_part_of_an_app_has_a_tab(admin, contoso, name, tab, words):
    assert words in text(admin, address("app", contoso, app_named(contoso, name).pk) + f"?tab={tab}")


def test_an_auditor_sees_the_app_and_no_buttons(client, sign_in, nestor, contoso, sidekick):
    sign_in(client, nestor)

    page = text(client, address("app", contoso, sidekick.pk))

    assert "Adele Vance" in page
    for button in ("Delete", "Disable", ">Revoke"):
        assert button not in page.partition("<main")[2].replace("What deleting would hit", "")


@pytest.mark.parametrize("name", ["Microsoft Graph", "Consentry"])
def test_protected_apps_say_why_and_have_no_buttons(admin, contoso, entra, name):
    app = app_named(contoso, name)
    grants = entra.grants()

    page = text(admin, address("app", contoso, app.pk))
    answer = admin.post(address("delete-app", contoso, app.pk), {**WHY, "typed": name}, follow=True)

    assert address("delete-app", contoso, app.pk) not in page
    assert requests_of(contoso, "delete_app") == []
    assert app_in_entra(entra, app)["displayName"] == name
    assert entra.grants() == grants
    assert answer.status_code == 200


# --- Changing -----------------------------------------------------------------------------------------


def test_one_persons_consent_is_revoked_and_the_others_stay(admin, contoso, entra, adele, sidekick):
    before = len(grants_of(entra, sidekick))
    where = address("revoke-user-consent", contoso, sidekick.pk, adele.object_id)

    said = text(admin, where)
    answer = admin.post(where, WHY)

    assert "Everybody may let in any app themselves" in said  # so it may come back
    (asked,) = requests_of(contoso, "revoke_user_consent")
    assert answer["Location"] == address("app", contoso, sidekick.pk) + "?tab=people"
    assert (asked.reason, asked.ticket) == (WHY["reason"], WHY["ticket"])
    left = grants_of(entra, sidekick)
    assert len(left) == before - 1
    assert str(adele.object_id) not in {grant["principalId"] for grant in left}


def test_the_organisations_consent_is_revoked(admin, contoso, entra, travel):
    admin.post(address("revoke-tenant-consent", contoso, travel.pk), WHY)

    assert [grant for grant in grants_of(entra, travel) if grant["consentType"] == "AllPrincipals"] == []


def test_an_app_is_disabled_and_enabled_again(admin, contoso, entra, sidekick):
    admin.post(address("disable-app", contoso, sidekick.pk), WHY)
    disabled = app_in_entra(entra, sidekick)["accountEnabled"]
    page = text(admin, address("app", contoso, sidekick.pk))
    admin.post(address("enable-app", contoso, sidekick.pk), WHY)

    assert disabled is False
    assert address("enable-app", contoso, sidekick.pk) in page
    assert app_in_entra(entra, sidekick)["accountEnabled"] is True


@pytest.mark.parametrize("typed", ["", "mail", "Mail Sidekick 2"])
def test_nothing_is_deleted_without_its_name(admin, contoso, entra, sidekick, typed):
    answer = admin.post(address("delete-app", contoso, sidekick.pk), {**WHY, "typed": typed})

    assert answer.status_code == 422
    assert app_in_entra(entra, sidekick)["displayName"] == "Mail Sidekick"
    assert requests_of(contoso, "delete_app") == []


def test_a_deleted_app_comes_back_with_its_grants(admin, contoso, entra, sidekick):
    before = {(grant["principalId"], grant["scope"]) for grant in grants_of(entra, sidekick)}

    admin.post(address("delete-app", contoso, sidekick.pk), {**WHY, "typed": "mail sidekick"})
    binned, listed = text(admin, address("deleted-apps", contoso)), text(admin, address("apps", contoso))
    its_page = text(admin, address("app", contoso, sidekick.pk))
    admin.post(address("restore-app", contoso, sidekick.pk), WHY)

    assert "Deleted by Megan Bowen" in its_page
    assert address("restore-app", contoso, sidekick.pk) in its_page

    assert "Mail Sidekick" in binned
    assert "Mail Sidekick" not in listed
    assert {(grant["principalId"], grant["scope"]) for grant in grants_of(entra, sidekick)} == before
    assert "Mail Sidekick" in text(admin, address("apps", contoso))


def test_a_deleted_app_is_purged_by_its_name(admin, contoso, entra):
    binned = app_named(contoso, "Fourth Coffee Loyalty")
    where = address("purge-app", contoso, binned.pk)

    refused = admin.post(where, {**WHY, "typed": "Fourth"})
    left = entra.all("directory/deletedItems/microsoft.graph.servicePrincipal")
    admin.post(where, {**WHY, "typed": "Fourth Coffee Loyalty"})

    assert refused.status_code == 422
    assert str(binned.pk) in {item["id"] for item in left}
    assert entra.all("directory/deletedItems/microsoft.graph.servicePrincipal") == []


@pytest.mark.parametrize("name", ["revoke-tenant-consent", "disable-app", "enable-app", "delete-app"])
def test_changes_need_a_fresh_sign_in(client, sign_in, megan, contoso, entra, sidekick, name):
    sign_in(client, megan, auth_age=3600)
    grants = entra.grants()

    answer = client.post(address(name, contoso, sidekick.pk), {**WHY, "typed": "Mail Sidekick"})

    assert answer["Location"].startswith(reverse("accounts:step-up"))
    assert entra.grants() == grants


def test_changes_need_a_reason(admin, contoso, entra, sidekick):
    answer = admin.post(address("disable-app", contoso, sidekick.pk), {"reason": "  "})

    assert answer.status_code == 422
    assert app_in_entra(entra, sidekick)["accountEnabled"] is True


def test_an_app_deleted_meanwhile_is_absent(admin, contoso, entra, sidekick):
    entra.graph("DELETE", f"servicePrincipals/{sidekick.pk}").raise_for_status()

    assert admin.post(address("disable-app", contoso, sidekick.pk), WHY).status_code == 404


def test_one_stays_on_the_app_and_undoes_from_there(admin, contoso, entra, adele, sidekick):
    before, where = grants_of(entra, sidekick), address("revoke-user-consent", contoso, sidekick.pk, adele.object_id)

    page = admin.post(where, WHY, follow=True)
    (asked,) = requests_of(contoso, "revoke_user_consent")
    details = reverse("revocation:detail", args=[contoso.slug, asked.pk])
    undo = next(one.action for one in forms(page.content.decode()) if "/undo/" in one.action)
    undone = admin.post(undo.replace("&amp;", "&"), follow=True)

    for one in (page, undone):
        assert one.request["PATH_INFO"] == address("app", contoso, sidekick.pk)
    assert f'href="{details}"' in page.content.decode()  # in the toast, and among what was done to this app
    assert "Done, and proved" in " ".join(page.content.decode().split())
    assert len(grants_of(entra, sidekick)) == len(before)
    assert address("app", contoso, sidekick.pk) in admin.get(details).content.decode()


def test_when_microsoft_refuses_the_page_says_so_and_nothing_changes(admin, contoso, entra, sidekick):
    entra.faults({"status": 403, "path": "servicePrincipals", "code": "Authorization_RequestDenied"})

    answer = admin.post(address("disable-app", contoso, sidekick.pk), WHY, follow=True).content.decode()

    entra.faults()
    assert "Nothing was changed" in answer
    assert app_in_entra(entra, sidekick)["accountEnabled"] is True


def test_deleting_waits_for_a_second_person_where_the_tenant_wants_that(admin, contoso, entra, sidekick):
    contoso.approve_app_deletion = True
    contoso.save()

    admin.post(address("delete-app", contoso, sidekick.pk), {**WHY, "typed": "Mail Sidekick"})

    (asked,) = requests_of(contoso, "delete_app")
    assert asked.state == RevocationRequest.State.AWAITING_APPROVAL
    assert app_in_entra(entra, sidekick)["displayName"] == "Mail Sidekick"
    assert "Waiting for approval" in text(admin, address("overview", contoso))


def test_the_overview_counts_new_grants_from_the_first_reading_on(client, sign_in, copied, megan):
    """What was there at the first reading is older than anybody knows, so the figure is not about the whole week."""
    sign_in(client, megan)

    page = client.get(reverse("consent:overview", args=["contoso"])).content.decode()

    assert "New grants since" in page
    assert "New grants this week" not in page
    assert "No new grants in 1 week." in page
