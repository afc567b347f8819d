"""A person looks at their apps, takes one out, takes one permission back, and changes their mind."""

import re
from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tenancy import tenant_context
from consent import own_removals
from directory import sync
from inbox.models import Report
from revocation.models import RevocationRequest
from revocation.spine import executor
from tests.consent.pages import app_named
from tests.copied import read_directory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def adele(adele, entra, contoso):
    """Adele, with a copy of her directory."""
    read_directory(contoso)
    return adele


@pytest.fixture
def sidekick(adele, contoso):
    return app_named(contoso, "Mail Sidekick")


@pytest.fixture
def travel(adele, contoso):
    return app_named(contoso, "Contoso Travel")


@pytest.fixture
def page(client, sign_in, adele):
    """What Adele sees at an address, as text."""
    sign_in(client, adele)
    return lambda address: client.get(address).content.decode()


def own_scopes(entra, adele, app):
    """What the directory says Adele lets the app do, or None where she has no grant."""
    held = [
        grant["scope"].split()
        for grant in entra.grants().values()
        if grant["clientId"] == str(app.pk) and grant.get("principalId") == str(adele.object_id)
    ]
    return sorted(held[0]) if held else None


def test_every_app_is_shown_with_who_granted_it(page):
    listed = page("/")

    for name in ("Mail Sidekick", "Trey Research Scheduler", "Northwind Expenses", "Contoso Travel"):
        assert name in listed
    assert "Granted by your organisation" in listed
    assert "while you are away" in listed
    assert "High risk" in listed


def test_the_list_is_narrowed_by_words_and_by_risk(page):
    assert "Northwind Expenses" not in page("/?q=sidekick")
    assert "Mail Sidekick" in page("/?show=look")
    assert "Contoso Travel" not in page("/?show=look")
    assert "Northwind Expenses" not in page("/?show=organisation")
    assert "No app fits" in page("/?q=nothing+like+it")


def test_the_first_paint_asks_nobody_and_then_asks_once(client, sign_in, adele, entra, page, sidekick):
    first = page("/")
    for grant_id, grant in entra.grants().items():
        if grant["clientId"] == str(sidekick.pk) and grant.get("principalId") == str(adele.object_id):
            entra.graph("DELETE", f"oauth2PermissionGrants/{grant_id}").raise_for_status()

    assert "Mail Sidekick" in page("/")
    fresh = client.post("/refresh/", headers={"HX-Request": "true"}).content.decode()

    assert 'hx-trigger="load"' in first
    assert 'hx-trigger="load"' not in fresh
    assert "straight from Microsoft" in fresh
    assert "Mail Sidekick" not in fresh


def test_removing_an_app_removes_the_grant_from_the_directory(client, entra, adele, sidekick, page):
    said = page(reverse("consent:remove-app", args=[sidekick.pk]))

    client.post(reverse("consent:remove-app", args=[sidekick.pk]))

    for words in ("Stops now", "Stays", "agree again"):
        assert words in said
    assert own_scopes(entra, adele, sidekick) is None
    listed = page("/")
    assert "Undo until" in listed
    assert reverse("consent:remove-app", args=[sidekick.pk]) not in listed


def test_an_app_whose_removal_is_not_proved_yet_is_shown_once_and_as_such(client, entra, adele, sidekick, page):
    page("/")
    entra.lag(seconds=60)

    client.post(reverse("consent:remove-app", args=[sidekick.pk]))

    listed = page("/")
    assert listed.count("Mail Sidekick</s>") == 1
    assert reverse("consent:remove-app", args=[sidekick.pk]) not in listed
    assert "we are reading back" in listed
    assert 'hx-trigger="every 2s"' in listed


def test_one_poll_brings_the_whole_list_and_what_stands_above_it(client, entra, adele, contoso, sidekick, page):
    page("/")
    entra.lag(seconds=60)
    for app in (sidekick, app_named(contoso, "Wingtip Notes")):
        client.post(reverse("consent:remove-app", args=[app.pk]))
    listed = page("/")

    (seen,) = re.findall(r"&quot;If-None-Match&quot;: &quot;(.+?)&quot;, ", listed)
    address = reverse("consent:my-apps-list")
    same = client.get(address, headers={"If-None-Match": seen.replace(r"\&quot;", '"')})
    changed = client.get(address, headers={"If-None-Match": "an earlier one"}).content.decode()

    assert re.findall(r'hx-trigger="every', listed) == ['hx-trigger="every']
    assert same.status_code == 304
    assert changed.count("</s>") == 2
    assert 'id="my-apps-summary" hx-swap-oob' in changed
    assert "Mail Sidekick:" in changed.partition('id="live"')[2]


def test_a_double_click_removes_once(client, sign_in, adele, contoso, sidekick):
    sign_in(client, adele)

    for _ in range(2):
        client.post(reverse("consent:remove-app", args=[sidekick.pk]))

    with tenant_context(contoso.pk):
        assert RevocationRequest.objects.filter(tenant=contoso, kind="remove_own_app").count() == 1


def test_undo_puts_the_permission_back(client, entra, adele, contoso, sidekick, page):
    before = own_scopes(entra, adele, sidekick)
    page("/")
    client.post(reverse("consent:remove-app", args=[sidekick.pk]))
    with tenant_context(contoso.pk):
        removal = RevocationRequest.objects.get(tenant=contoso, kind="remove_own_app")

    client.post(reverse("consent:undo", args=[removal.pk]))

    assert own_scopes(entra, adele, sidekick) == before
    assert "Undo until" not in page("/")


def test_an_undo_is_in_the_list_until_it_is_proved_and_then_the_app_is(client, entra, adele, contoso, sidekick, page):
    page("/")
    client.post(reverse("consent:remove-app", args=[sidekick.pk]))
    with tenant_context(contoso.pk):
        removal = RevocationRequest.objects.get(tenant=contoso, kind="remove_own_app")
    entra.clock(advance=120)  # readers saw the removal
    entra.lag(seconds=60)

    client.post(reverse("consent:undo", args=[removal.pk]))

    under_way = page("/")
    assert "Undo: Accepted, not proved yet." in under_way
    assert 'hx-trigger="every 2s"' in under_way
    entra.lag(seconds=0)
    with tenant_context(contoso.pk):
        executor.run_request(removal.followers.get(), seconds=5)
    proved = page("/")
    assert "Undo: " not in proved
    assert 'hx-trigger="every' not in proved
    assert reverse("consent:remove-app", args=[sidekick.pk]) in proved


def test_a_row_says_the_worst_of_an_app_and_where_it_was_used(page):
    listed = page("/")

    rows = re.findall(r'<li id="app-[^"]+">.*?</li>', listed, re.S)
    words = {row.partition("data-theirs>")[2].partition("<")[0]: " ".join(row.split()) for row in rows}
    assert next(iter(words)) == "Micros0ft Office Viewer"
    assert "Its name looks like" in words["Micros0ft Office Viewer"]
    assert "Used at Contoso" in words["Mail Sidekick"]
    assert "Last used" not in listed


def test_several_go_at_once_as_one_request_that_one_undo_puts_back(
    client, entra, contoso, adele, sidekick, travel, page
):
    other = app_named(contoso, "Wingtip Notes")
    before = own_scopes(entra, adele, sidekick), own_scopes(entra, adele, other)
    page("/")
    strangers = [travel.pk, app_named(contoso, "Proseware Backup").pk, "x", uuid4()]
    address = f"{reverse('consent:remove-apps')}?" + urlencode({"app": [sidekick.pk, other.pk, *strangers]}, doseq=True)

    said = page(address)
    client.post(address)

    assert "Remove 2 apps?" in said
    assert (own_scopes(entra, adele, sidekick), own_scopes(entra, adele, other)) == (None, None)
    with tenant_context(contoso.pk):
        removal = RevocationRequest.objects.get(tenant=contoso, kind="remove_own_app")
    assert "Mail Sidekick, Wingtip Notes</s>" in page("/")
    client.post(reverse("consent:undo", args=[removal.pk]))
    assert (own_scopes(entra, adele, sidekick), own_scopes(entra, adele, other)) == before


def test_where_nothing_was_ticked_nothing_changes_and_it_is_said(client, sign_in, adele, entra):
    grants = entra.grants()

    answer = sign_in(client, adele).post(reverse("consent:remove-apps"), follow=True)

    assert "None of your apps was ticked" in answer.content.decode()
    assert entra.grants() == grants


def test_what_nobody_used_for_long_is_suggested(page, contoso, sidekick):
    assert str(sidekick.pk) not in page("/").partition('<ul class="apps">')[0]

    with tenant_context(contoso.pk):
        type(sidekick).objects.filter(pk=sidekick.pk).update(last_used_at=timezone.now() - timedelta(days=91))

    suggested = page("/").partition('<ul class="apps">')[0]
    assert "for 90 days" in suggested
    assert f"app={sidekick.pk}" in suggested


def test_an_app_nobody_recognises_is_removed_and_reported_with_one_click(client, entra, adele, contoso, sidekick, page):
    page("/")

    client.post(reverse("consent:remove-app", args=[sidekick.pk]), {"report": "yes"})

    assert own_scopes(entra, adele, sidekick) is None
    with tenant_context(contoso.pk):
        assert Report.objects.get(tenant=contoso).removed


def test_technical_names_are_shown_to_whoever_likes(client, page, sidekick):
    about = reverse("consent:my-app", args=[sidekick.pk])
    assert "<code>Mail.Send</code>" not in page(about)

    client.post(reverse("looks"), {"technical": "on"})

    assert "<code>Mail.Send</code>" in page(about)
    assert str(sidekick.app_id) in page(about)


def test_undo_is_over_after_ten_minutes(client, entra, adele, contoso, sidekick, page):
    page("/")
    client.post(reverse("consent:remove-app", args=[sidekick.pk]))
    with tenant_context(contoso.pk):
        removal = RevocationRequest.objects.get(tenant=contoso, kind="remove_own_app")
        RevocationRequest.objects.filter(pk=removal.pk).update(created_at=timezone.now() - timedelta(minutes=11))

    answer = client.post(reverse("consent:undo", args=[removal.pk]), follow=True)

    assert "10 minutes" in answer.content.decode()
    assert own_scopes(entra, adele, sidekick) is None


def test_one_permission_goes_and_the_app_keeps_the_others(client, entra, contoso, adele, sidekick, page):
    before = own_scopes(entra, adele, sidekick)
    graph = app_named(contoso, "Microsoft Graph")
    address = reverse("consent:remove-permission", args=[sidekick.pk, graph.pk, "Mail.Send"])
    said = page(address)

    answer = client.post(address)

    assert answer["Location"] == reverse("consent:my-app", args=[sidekick.pk])
    assert "Undo until" in page(answer["Location"])
    assert "keeps its other permissions" in said
    assert own_scopes(entra, adele, sidekick) == sorted(set(before) - {"Mail.Send"})


def test_what_the_organisation_granted_is_explained_and_not_removable(client, entra, travel, page):
    grants = entra.grants()
    about = page(reverse("consent:my-app", args=[travel.pk]))

    answer = client.post(reverse("consent:remove-app", args=[travel.pk]))

    assert "Only an administrator can withdraw that" in about
    assert "/remove/" not in about
    assert answer.status_code == 302
    assert entra.grants() == grants


@pytest.mark.parametrize("scope", ["Calendars.ReadWrite", "../../Mail.Send", "Mail.Send%00"])
def test_a_permission_the_app_does_not_have_is_absent(client, sign_in, adele, contoso, entra, sidekick, scope):
    sign_in(client, adele)
    graph = app_named(contoso, "Microsoft Graph")
    grants = entra.grants()

    answer = client.post(f"/apps/{sidekick.pk}/permissions/{graph.pk}/{scope}/remove/")

    assert answer.status_code == 404
    assert entra.grants() == grants


def test_the_dialog_says_when_the_organisation_still_covers_the_app(client, sign_in, adele, contoso, entra, sidekick):
    grant = {"clientId": str(sidekick.pk), "consentType": "AllPrincipals", "scope": "Mail.Read"}
    grant["resourceId"] = str(app_named(contoso, "Microsoft Graph").pk)
    entra.graph("POST", "oauth2PermissionGrants", json=grant).raise_for_status()
    sync.refresh_person(contoso, adele.object_id)
    sign_in(client, adele)

    said = client.get(reverse("consent:remove-app", args=[sidekick.pk])).content.decode()
    client.post(reverse("consent:remove-app", args=[sidekick.pk]))
    listed = client.get("/").content.decode()

    assert "Only your part is removed" in said
    assert "permission for it remains" in listed


def test_nobody_undoes_or_follows_a_colleagues_removal(client, sign_in, adele, isaiah, contoso, sidekick):
    sign_in(client, adele)
    client.post(reverse("consent:remove-app", args=[sidekick.pk]))
    with tenant_context(contoso.pk):
        removal = RevocationRequest.objects.get(tenant=contoso, kind="remove_own_app")
    sign_in(client, isaiah)

    assert client.post(reverse("consent:undo", args=[removal.pk])).status_code == 404
    assert "Mail Sidekick</s>" not in client.get(reverse("consent:my-apps-list")).content.decode()


def test_when_microsoft_is_away_the_copy_stays_and_says_so(client, sign_in, adele, entra, sidekick, settings):
    sign_in(client, adele)
    settings.GRAPH_TIMEOUT = 1
    grants = entra.grants()
    entra.faults({"status": 503})

    listed = client.post("/refresh/", headers={"HX-Request": "true"}).content.decode()
    answer = client.post(reverse("consent:remove-app", args=[sidekick.pk]), follow=True).content.decode()

    entra.faults()
    assert "Microsoft could not be asked" in listed
    assert "Mail Sidekick" in listed
    assert "Nothing was changed" in answer
    assert entra.grants() == grants


def test_the_activity_tells_what_was_done(client, sign_in, adele, sidekick, page):
    page("/")
    client.post(reverse("consent:remove-app", args=[sidekick.pk]), {"reason": "The person did not recognise the app"})

    told = page("/activity/")

    assert "did not recognise" in told
    assert "Mail Sidekick" in told


def test_undo_is_not_offered_where_it_would_be_refused(client, sign_in, copied, adele, app_called):
    """Without the permission that tells who may consent for themselves, nobody gives a consent back by undo."""
    own_removals.remove_own_app(adele.membership, app_called("Mail Sidekick"))
    sign_in(client, adele)
    assert "Undo" in client.get("/").content.decode()

    copied.granted_permissions = [one for one in copied.granted_permissions if one != "Policy.Read.All"]
    copied.permissions_checked_at = timezone.now()
    copied.save()

    assert "Undo" not in client.get("/").content.decode()
