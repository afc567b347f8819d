"""The same done to many apps: shown first, asked for as one revocation, and put back from its before-images."""

from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import Tenant
from accounts.tenancy import tenant_context
from directory import sync
from directory.models import ConsentRules, ServicePrincipal
from directory.sync import consents
from directory.sync.consents import save_dates
from graph.client import GraphClient
from graph.consents import ConsentEvent
from revocation.models import RevocationRequest
from revocation.spine import executor
from tests.consent.pages import app_named
from tests.copied import read_directory

pytestmark = pytest.mark.django_db(transaction=True)

WHY = {"reason": "A wave of consents", "ticket": "INC-7"}
FROM_THE_OUTSIDE = "publisher=third_party&enabled=yes"


@pytest.fixture
def contoso(contoso, entra):
    return read_directory(contoso)


@pytest.fixture
def admin(client, sign_in, megan):
    return sign_in(client, megan)


def address(tenant, query, name="change-apps"):
    return f"{reverse(f'consent:{name}', args=[tenant.slug])}?{query}"


def digest_on(page) -> str:
    return page.content.decode().partition('name="digest" value="')[2].partition('"')[0]


def do(admin, tenant, query) -> RevocationRequest:
    """Look at the plan, send it, and let the workers finish it."""
    where = address(tenant, query)
    answer = admin.post(where, WHY | {"digest": digest_on(admin.get(where))})
    assert answer.status_code == 302, answer.content.decode()
    with tenant_context(tenant.pk):
        made = RevocationRequest.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])
        return finish(made)


def finish(request) -> RevocationRequest:
    for _round in range(20):
        executor.run_request(request, seconds=5)
        request.refresh_from_db()
        if not request.is_open:
            break
    return request


def grants_of(entra, *apps):
    ids = {str(app.pk) for app in apps}
    return {
        (grant["clientId"], grant["principalId"], grant["resourceId"], frozenset(grant["scope"].split()))
        for grant in entra.grants().values()
        if grant["clientId"] in ids
    }


def is_enabled(entra, app):
    return entra.get(f"servicePrincipals/{app.pk}?$select=id,accountEnabled")["accountEnabled"]


def test_what_is_ticked_is_taken_out_and_comes_back_from_its_images(admin, contoso, entra):
    sidekick, backup = app_named(contoso, "Mail Sidekick"), app_named(contoso, "Proseware Backup")
    before, alone = grants_of(entra, sidekick, backup), entra.get(f"servicePrincipals/{backup.pk}/appRoleAssignments")

    made = do(admin, contoso, f"deed=take_out&id={sidekick.pk}&id={backup.pk}")

    assert (made.title, made.state, made.reason) == ("Take out 2 apps", "finished", WHY["reason"])
    assert grants_of(entra, sidekick, backup) == set()
    assert entra.get(f"servicePrincipals/{backup.pk}/appRoleAssignments")["value"] == []
    assert not is_enabled(entra, sidekick)
    assert "Undo" in admin.get(reverse("revocation:detail", args=[contoso.slug, made.pk])).content.decode()

    undone = admin.post(reverse("revocation:undo", args=[contoso.slug, made.pk]))
    with tenant_context(contoso.pk):
        finish(RevocationRequest.objects.get(pk=undone["Location"].rstrip("/").rpartition("/")[2]))

    assert grants_of(entra, sidekick, backup) == before  # each person's own among them
    assert len(before) > 3
    back = entra.get(f"servicePrincipals/{backup.pk}/appRoleAssignments")["value"]
    assert {one["appRoleId"] for one in back} == {one["appRoleId"] for one in alone["value"]}
    assert is_enabled(entra, sidekick)


def test_all_that_match_are_disabled_and_the_protected_are_left_alone(admin, contoso, entra):
    with tenant_context(contoso.pk):
        portal = ServicePrincipal.objects.get(tenant=contoso, app_id="c0c0c0c0-0000-4000-8000-000000000001")
        microsoft = ServicePrincipal.objects.get(tenant=contoso, display_name="Microsoft Graph")

    page = admin.get(address(contoso, "deed=disable_apps&all=1&enabled=yes")).content.decode()
    made = do(admin, contoso, "deed=disable_apps&all=1&enabled=yes")

    assert "chosen apps are left alone" in page
    assert "This is Consentry itself" in page
    with tenant_context(contoso.pk):
        made.refresh_from_db()
        targets = set(made.steps.values_list("target_id", flat=True))
        assert {str(portal.pk), str(microsoft.pk)} & targets == set()
        assert len(targets) > 5
        third = ServicePrincipal.objects.filter(tenant=contoso, account_enabled=True, deleted_at=None)
        assert {app.display_name for app in third} >= {"Consentry", "Microsoft Graph"}
        assert not third.filter(display_name="Mail Sidekick").exists()


def test_revoking_consents_leaves_the_app_and_what_it_does_alone(admin, contoso, entra):
    sidekick = app_named(contoso, "Mail Sidekick")

    made = do(admin, contoso, f"deed=revoke_consents&id={sidekick.pk}")

    assert made.title == "Revoke the consents to Mail Sidekick"
    assert grants_of(entra, sidekick) == set()
    assert is_enabled(entra, sidekick)


def test_what_changed_since_the_plan_is_shown_anew_and_nothing_is_asked_for(admin, contoso, entra):
    sidekick = app_named(contoso, "Mail Sidekick")
    where = address(contoso, f"deed=revoke_consents&id={sidekick.pk}")
    digest = digest_on(admin.get(where))
    with tenant_context(contoso.pk):
        sync.forget_grants(contoso, [sidekick.grants.first().graph_id])

    answer = admin.post(where, WHY | {"digest": digest})

    assert answer.status_code == 422
    assert "Something changed since this plan was shown" in answer.content.decode()
    with tenant_context(contoso.pk):
        assert not RevocationRequest.objects.filter(kind="revoke_consents").exists()


def test_what_needs_a_permission_of_its_own_is_left_alone_and_the_rest_is_done(admin, contoso, entra):
    sidekick = app_named(contoso, "Mail Sidekick")
    with tenant_context(contoso.pk):
        agent = app_named(contoso, "Wingtip Notes")
        ServicePrincipal.objects.filter(pk=agent.pk).update(kind=ServicePrincipal.Kind.AGENT)
        without = [one for one in Tenant.objects.get(pk=contoso.pk).granted_permissions if "AgentIdentity" not in one]
        Tenant.objects.filter(pk=contoso.pk).update(granted_permissions=without)

    page = admin.get(address(contoso, f"deed=disable_apps&id={sidekick.pk}&id={agent.pk}")).content.decode()

    assert "AgentIdentity.EnableDisable.All" in page
    assert "1 chosen app is left alone" in page
    assert "Disable Mail Sidekick" in page


@pytest.mark.parametrize(
    "query", ["deed=disable_apps", f"deed=take_out&id={uuid4()}"], ids=["nothing", "no app of here"]
)
def test_nothing_chosen_is_said(admin, contoso, query):
    assert "No app was chosen" in admin.get(address(contoso, query)).content.decode()


def test_an_app_that_never_came_is_kept_out(admin, contoso, entra, world):
    here = {one["appId"] for one in entra.get("servicePrincipals?$top=999")["value"]}
    stranger = next(one for one in world["applications"] if one["client_id"] not in here)

    made = admin.post(address(contoso, "", "keep-out"), WHY | {"app_id": stranger["client_id"], "name": "Not here"})
    with tenant_context(contoso.pk):
        done = finish(RevocationRequest.objects.get(pk=made["Location"].rstrip("/").rpartition("/")[2]))
        assert [step.state for step in done.steps.all()] == ["verified"]

    found = entra.get(f"servicePrincipals(appId='{stranger['client_id']}')")
    assert found["accountEnabled"] is False


def test_a_client_id_that_names_no_app_is_refused_by_microsoft(admin, contoso, entra):
    made = admin.post(address(contoso, "", "keep-out"), WHY | {"app_id": str(uuid4())})

    with tenant_context(contoso.pk):
        done = finish(RevocationRequest.objects.get(pk=made["Location"].rstrip("/").rpartition("/")[2]))
        (step,) = done.steps.all()
        assert (step.state, "knows no app with this client id" in step.outcome) == ("failed", True)


def test_one_that_is_here_already_is_taken_out_instead(admin, contoso):
    sidekick = app_named(contoso, "Mail Sidekick")

    answer = admin.post(address(contoso, "", "keep-out"), WHY | {"app_id": str(sidekick.app_id)})

    assert answer["Location"] == address(contoso, f"deed=take_out&id={sidekick.pk}")


@pytest.mark.parametrize(
    ("policies", "words"),
    [
        (None, "It is not known whether people may let apps in"),
        ([], "only an administrator can"),
        (["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"], "Everybody may let in any app themselves"),
        (["ManagePermissionGrantsForSelf.microsoft-user-default-low"], "apps of verified publishers"),
        (["ManagePermissionGrantsForSelf.microsoft-user-default-recommended"], "Microsoft decides what people"),
        (["ManagePermissionGrantsForSelf.contoso-own"], "own policies go: contoso-own."),
    ],
)
def test_the_consent_policy_in_force_is_said_beside_a_removal_and_on_the_overview(admin, contoso, policies, words):
    sidekick = app_named(contoso, "Mail Sidekick")
    with tenant_context(contoso.pk):
        ConsentRules.objects.update_or_create(tenant=contoso, defaults={"own_policies": policies})

    for where in (
        address(contoso, f"deed=revoke_consents&id={sidekick.pk}"),
        reverse("consent:overview", args=[contoso.slug]),
    ):
        assert words in admin.get(where).content.decode()


def test_the_policy_is_read_with_the_directory_and_not_known_without_the_permission(contoso, entra):
    with tenant_context(contoso.pk):
        rules = ConsentRules.objects.get(tenant=contoso)
        assert rules.own_policies is not None

        Tenant.objects.filter(pk=contoso.pk).update(granted_permissions=["Application.Read.All"])
        contoso.refresh_from_db()
        consents.read(contoso, GraphClient(str(contoso.pk)))
        rules.refresh_from_db()
        assert rules.own_policies is None


def entry(grant, at, name, everyone="False") -> dict:
    """One entry of the directory's audit log, as Microsoft writes it."""
    changed = {"displayName": "ConsentContext.OnBehalfOfAll", "oldValue": None, "newValue": f'"{everyone}"'}
    return {
        "activityDateTime": at,
        "initiatedBy": {"user": {"id": str(grant.principal_id), "displayName": name}, "app": None},
        "targetResources": [{"id": str(grant.client_id), "modifiedProperties": [changed]}],
    }


def test_who_consented_and_when_is_taken_from_microsofts_log_and_no_date_goes_back(admin, contoso, entra):
    sidekick = app_named(contoso, "Mail Sidekick")
    with tenant_context(contoso.pk):
        grant, other = sidekick.grants.order_by("pk")[:2]
        log = [
            entry(grant, "2026-11-20T08:00:00Z", "Adele Vance"),
            entry(grant, "2026-11-02T08:00:00Z", "Somebody before"),
            entry(other, "2026-11-20T08:00:00Z", "An administrator", "True"),  # for everyone, which is no such grant
        ]
        for part in (log, log[1:]):
            save_dates(contoso, map(ConsentEvent.read, part))
        grant.refresh_from_db()
        other.refresh_from_db()
        assert (grant.consented_by, f"{grant.consented_at:%d.%m}") == ("Adele Vance", "20.11")
        assert other.consented_at is None
        assert ConsentRules.objects.get(tenant=contoso).dates_until is not None


def test_what_people_asked_an_administrator_for_is_listed_where_the_tenant_lets(admin, contoso, entra):
    where = reverse("consent:overview", args=[contoso.slug])
    before = admin.get(where).content.decode()
    with tenant_context(contoso.pk):
        Tenant.objects.filter(pk=contoso.pk).update(granted_permissions=["Application.Read.All"])
        contoso.refresh_from_db()
        consents.read(contoso, GraphClient(str(contoso.pk)))
    after = admin.get(where).content.decode()

    assert ("Fourth Coffee Loyalty" in before, "Decide in Entra" in before) == (True, True)
    assert ("Fourth Coffee Loyalty" in after, "ConsentRequest.Read.All" in after) == (False, True)
