"""The computed columns, and what the spine writes into the copy after a proved change."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from directory import selectors, sync
from directory.models import (
    Collection,
    PermissionDefinition,
    PermissionGrant,
    PermissionUse,
    RecentChange,
    Risk,
    ServicePrincipal,
)
from directory.sync import recent, rows
from graph import types
from tests.directory.rows import a_grant, an_app, an_assignment, graph_api, somebody


def derived(tenant, app: ServicePrincipal, ids=None) -> ServicePrincipal:
    with rows.writing(tenant):
        sync.derive(tenant, ids)
    app.refresh_from_db()
    return app


def rules(app: ServicePrincipal) -> set[str]:
    return {reason["rule"] for reason in app.risk_reasons}


def test_counts_are_those_of_the_grants_and_assignments(inside):
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    adele, megan = somebody(inside, "Adele Vance"), somebody(inside, "Megan Bowen")
    a_grant(app, api, "Mail.Read offline_access", adele)
    a_grant(app, an_app(inside, "Other API"), "read", adele)  # one person, two grants
    a_grant(app, api, "User.Read", megan)
    an_assignment(app, "Adele Vance")
    an_assignment(app, "Sales", "Group")
    an_assignment(api, "Mail Sidekick", "ServicePrincipal", principal_id=app.pk)
    app = derived(inside, app)
    assert (app.user_consent_count, app.has_admin_consent, app.works_offline) == (2, False, True)
    assert (app.assigned_count, app.app_permission_count) == (2, 1)
    assert derived(inside, api).assigned_count == 0  # an app that may call it is nobody assigned


def test_an_app_is_as_risky_as_the_worst_it_may_do(inside):
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    a_grant(app, api, "Mail.ReadWrite Mail.Send offline_access", somebody(inside, "Adele Vance"))
    app = derived(inside, app)
    assert app.risk == Risk.HIGH
    assert {"mail_write", "mail_send", "offline_unverified", "unverified"} <= rules(app)
    assert PermissionGrant.objects.get().risk == Risk.HIGH


def test_a_grant_keeps_its_own_risk(inside):
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    harmless = a_grant(app, api, "User.Read", somebody(inside, "Adele Vance"), risk=Risk.HIGH)
    alarming = a_grant(app, api, "Mail.Read", somebody(inside, "Megan Bowen"))
    derived(inside, app)
    harmless.refresh_from_db()
    alarming.refresh_from_db()
    assert (harmless.risk, alarming.risk) == (Risk.LOW, Risk.HIGH)


def test_a_name_that_imitates_another_apps_is_found(inside):
    an_app(inside, "Northwind Expenses", publisher_verified=True, owner_tenant_id=uuid4())
    imitator = an_app(inside, "Northw1nd Expenses")
    (reason,) = [one for one in derived(inside, imitator).risk_reasons if one["rule"] == "imitates"]
    assert reason["params"] == {"name": "Northwind Expenses"}


def test_consents_of_the_first_reading_are_no_campaign(inside):
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    now = timezone.now()
    for number in range(30):
        a_grant(app, api, "User.Read", somebody(inside, f"Person {number}"))
    walk = Collection.objects.create(tenant=inside, kind="grants", first_complete_at=now + timedelta(minutes=1))
    assert "spread" not in rules(derived(inside, app))
    Collection.objects.filter(pk=walk.pk).update(first_complete_at=now - timedelta(days=3))
    assert "spread" in rules(derived(inside, app))


@pytest.mark.parametrize(("count", "queries"), [(3, 27), (60, 27)])  # many are copied, which is no query
def test_the_cost_does_not_grow_with_the_number(inside, count, queries, django_assert_num_queries):
    api, adele = graph_api(inside), somebody(inside, "Adele Vance")
    for number in range(count):
        a_grant(an_app(inside, f"App {number}"), api, "Mail.Read", adele)
    with rows.writing(inside), django_assert_num_queries(queries):
        sync.derive(inside)
    assert ServicePrincipal.objects.filter(risk=Risk.HIGH).count() == count


def test_a_part_is_computed_as_the_whole_would_be(inside):
    api, adele = graph_api(inside), somebody(inside, "Adele Vance")
    one, other = an_app(inside, "One"), an_app(inside, "Other")
    for app in (one, other):
        a_grant(app, api, "Mail.Read", adele)
    derived(inside, one, {one.pk})
    other.refresh_from_db()
    assert (one.user_consent_count, other.user_consent_count) == (1, 0)
    reasons = one.risk_reasons
    assert derived(inside, one).risk_reasons == reasons


def uses(tenant) -> dict[str, tuple]:
    found = PermissionUse.objects.filter(tenant=tenant).values_list("value", "apps", "consents", "for_everyone")
    return {value: tuple(numbers) for value, *numbers in found}


def test_how_many_hold_a_permission_is_the_same_app_by_app_and_for_all_at_once(inside):
    api, adele = graph_api(inside), somebody(inside, "Adele Vance")
    one, other = an_app(inside, "One"), an_app(inside, "Other")
    a_grant(one, api, "Mail.Read User.Read", adele)
    narrowed = a_grant(other, api, "Mail.Read")
    for app in (one, other):
        derived(inside, app, {app.pk})
    singly = uses(inside)
    assert singly == {"Mail.Read": (2, 1, 1), "User.Read": (1, 1, 0)}
    derived(inside, one)
    assert uses(inside) == singly
    narrowed.delete()
    derived(inside, other, {other.pk})
    assert uses(inside) == {"Mail.Read": (1, 1, 0), "User.Read": (1, 1, 0)}


def test_two_roles_of_one_name_are_one_permission(inside):
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    for role in (uuid4(), uuid4()):
        PermissionDefinition.objects.create(
            tenant=inside, resource=api, kind="application", permission_id=role, value="Mail.ReadWrite", admin_only=True
        )
        an_assignment(api, app.display_name, "ServicePrincipal", principal_id=app.pk, role=role)
    app = derived(inside, app)
    assert app.app_permission_count == 2
    assert uses(inside) == {"Mail.ReadWrite": (1, 0, 1)}


def test_a_forgotten_grant_is_gone_and_stays_gone_over_a_lagging_read(inside):
    api, app, adele = graph_api(inside), an_app(inside, "Mail Sidekick"), somebody(inside, "Adele Vance")
    grant = a_grant(app, api, "Mail.Read", adele)
    derived(inside, app)
    sync.forget_grants(inside, [grant.graph_id, "never seen"])
    app.refresh_from_db()
    assert (app.user_consent_count, app.risk) == (0, Risk.LOW)
    assert recent.corrected_grants(inside, [grant]) == []
    RecentChange.objects.update(expires_at=timezone.now())
    assert recent.corrected_grants(inside, [grant]) == [grant]


def test_a_narrowed_grant_keeps_only_what_was_left(inside):
    api, app, adele = graph_api(inside), an_app(inside, "Mail Sidekick"), somebody(inside, "Adele Vance")
    grant = a_grant(app, api, "Mail.Read User.Read", adele)
    sync.put_grant(
        inside, grant.graph_id, client_id=app.pk, resource_id=api.pk, principal_id=adele.pk, scopes=["User.Read"]
    )
    (lagging,) = recent.corrected_grants(inside, [grant])
    assert lagging.scopes == ["User.Read"]
    stored = PermissionGrant.objects.get(graph_id=grant.graph_id)
    assert stored.scopes == ["User.Read"]
    assert stored.first_seen_at == grant.first_seen_at


def test_an_apps_states_add_up(inside):
    app = an_app(inside, "Mail Sidekick")
    a_grant(app, graph_api(inside), "Mail.Read", somebody(inside, "Adele Vance"))
    sync.mark_disabled(inside, app.pk)
    sync.mark_deleted(inside, app.pk)
    app.refresh_from_db()
    assert (app.account_enabled, app.deleted_at is not None) == (False, True)
    assert not PermissionGrant.objects.exists()
    (lagging,) = recent.corrected_apps(inside, [ServicePrincipal(id=app.pk, account_enabled=True)])
    assert (lagging.account_enabled, lagging.deleted_at) == (False, app.deleted_at)
    sync.mark_restored(inside, app.pk)
    sync.mark_enabled(inside, app.pk)
    app.refresh_from_db()
    assert (app.account_enabled, app.deleted_at) == (True, None)
    sync.forget_app(inside, app.pk)
    assert not ServicePrincipal.objects.filter(pk=app.pk).exists()
    assert recent.corrected_apps(inside, [app]) == []


def test_assignments_come_and_go(inside):
    app = an_app(inside, "Expenses")
    row = an_assignment(app, "Adele Vance")
    sync.forget_assignment(inside, row.graph_id)
    app.refresh_from_db()
    assert app.assigned_count == 0
    sync.put_assignment(
        inside,
        "put-back",
        resource_id=app.pk,
        principal_id=row.principal_id,
        principal_type="User",
        app_role_id=row.app_role_id,
    )
    app.refresh_from_db()
    assert app.assigned_count == 1
    assert recent.corrected_assignments(inside, [row]) == []


def test_a_secret_that_was_added_here_and_one_that_ends_soon_are_told(inside):
    now = timezone.now()
    read = types.ServicePrincipal.read(
        {
            "id": str(uuid4()),
            "appId": str(uuid4()),
            "displayName": "Trey Research",
            "passwordCredentials": [
                {
                    "startDateTime": (now - timedelta(days=400)).isoformat(),
                    "endDateTime": (now - timedelta(1)).isoformat(),
                },
                {
                    "startDateTime": (now - timedelta(days=3)).isoformat(),
                    "endDateTime": (now + timedelta(9)).isoformat(),
                },
            ],
        }
    )
    with rows.writing(inside):
        rows.save_apps([rows.app(inside, read, now)])
    app = derived(inside, ServicePrincipal.objects.get(pk=read.id))

    assert {"secret_added", "secret_expires"} <= set(app.facts)
    assert selectors.apps(inside, fact="secret_added").items == [app]


def test_a_wave_that_the_first_reading_found_is_told_by_the_dates_of_microsofts_log(inside):
    api, app, now = graph_api(inside), an_app(inside, "Mail Sidekick"), timezone.now()
    Collection.objects.create(
        tenant=inside, kind=Collection.Kind.GRANTS, complete_at=now, first_complete_at=now + timedelta(minutes=1)
    )
    for number in range(6):
        a_grant(app, api, "Mail.Read", somebody(inside, f"Person {number}"))
    assert "spread" not in derived(inside, app).facts  # found by the first reading: who knows when they were given

    PermissionGrant.objects.update(consented_at=now - timedelta(days=2))
    assert "spread" in derived(inside, app).facts
    PermissionGrant.objects.update(consented_at=now - timedelta(days=200))
    assert "spread" not in derived(inside, app).facts
