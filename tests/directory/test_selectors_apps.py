"""The list of a tenant's apps, and one app."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.tenancy import tenant_context
from directory import app_filters, selectors
from directory.models import Collection, PermissionDefinition, PermissionGrant, Risk, ServicePrincipal
from directory.sync import derive
from tests.directory.rows import MICROSOFT, a_grant, an_app, an_assignment, graph_api, somebody


def names(page) -> list[str]:
    return [app.display_name for app in page.items]


def all_names(tenant, **filters) -> list[str]:
    found, after = [], ""
    while True:
        page = selectors.apps(tenant, after=after, **filters)
        found += names(page)
        if not (after := page.next):
            return found


def test_apps_are_listed_by_name_and_the_deleted_are_elsewhere(inside):
    for name in ("Wingtip Notes", "Mail Sidekick"):
        an_app(inside, name)
    an_app(inside, "Old Sync", deleted_at=timezone.now())
    assert names(selectors.apps(inside)) == ["Mail Sidekick", "Wingtip Notes"]
    assert names(selectors.deleted_apps(inside)) == ["Old Sync"]


@pytest.mark.parametrize("sort", ["name", "risk", "consents", "-used", "added", "-consents"])
def test_pages_follow_each_other_without_gap_or_repeat(inside, sort):
    expected = set()
    for number in range(120):
        name = f"App {number % 7}"  # many share a name, so only the id keeps them apart
        moment = timezone.now() - timedelta(days=number % 4) if number % 3 else None
        facts = {"last_used_at": moment, "created_at": moment}
        app = an_app(inside, name, danger=number % 3, user_consent_count=number % 5, **facts)
        expected.add(app.pk)
    seen, after, pages = [], "", 0
    while True:
        page = selectors.apps(inside, sort=sort, after=after)
        seen += [app.pk for app in page.items]
        pages += 1
        if not (after := page.next):
            break
    assert len(seen) == 120
    assert set(seen) == expected
    assert pages == 4


def test_sorting_by_risk_puts_the_worst_first(inside):
    an_app(inside, "A", danger=10)
    an_app(inside, "B", danger=700)
    an_app(inside, "C", danger=400)
    an_app(inside, "D", danger=900, account_enabled=False)  # what cannot act leads no list
    assert names(selectors.apps(inside, sort="risk")) == ["B", "C", "A", "D"]
    assert names(selectors.apps(inside, sort="-risk")) == ["D", "A", "C", "B"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"q": "side"}, ["Mail Sidekick"]),
        ({"q": "TREY RESEARCH"}, ["Scheduler"]),
        ({"q": "nothing like it"}, []),
        ({"q": "100%"}, []),
        ({"risk": "3"}, ["Mail Sidekick"]),
        ({"risk": "9"}, ["Expenses", "Mail Sidekick", "Microsoft Graph", "Scheduler"]),
        ({"publisher": "microsoft"}, ["Microsoft Graph"]),
        ({"publisher": "own"}, ["Expenses"]),
        ({"publisher": "verified"}, ["Scheduler"]),
        ({"publisher": "unverified"}, ["Mail Sidekick"]),
        ({"publisher": "third_party"}, ["Mail Sidekick", "Scheduler"]),
        ({"consent": "user"}, ["Mail Sidekick"]),
        ({"consent": "admin"}, ["Scheduler"]),
        ({"consent": "app_only"}, ["Expenses"]),
        ({"consent": "none"}, ["Microsoft Graph"]),
        ({"enabled": "no"}, ["Expenses"]),
        ({"enabled": "yes", "consent": "user"}, ["Mail Sidekick"]),
    ],
)
def test_filters(inside, filters, expected):
    an_app(inside, "Mail Sidekick", risk=Risk.HIGH, user_consent_count=3)
    an_app(inside, "Scheduler", publisher_name="Trey Research", publisher_verified=True, has_admin_consent=True)
    an_app(inside, "Expenses", owner_tenant_id=inside.pk, app_permission_count=1, account_enabled=False)
    an_app(inside, "Microsoft Graph", owner_tenant_id=MICROSOFT)
    assert all_names(inside, **filters) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"q": "mail.read"}, ["Backup", "Sidekick"]),
        ({"q": "sidekick mail"}, ["Sidekick"]),
        ({"q": "il.re side"}, ["Sidekick"]),
        ({"q": "read.mail"}, []),
        ({"q": "adele"}, ["Sidekick"]),
        ({"q": "le"}, []),  # two letters name nobody
        ({"permission": "Mail.Read", "alone": "yes"}, ["Backup"]),
        ({"may": "mail"}, ["Backup", "Sidekick"]),
        ({"may": "mail", "alone": "no"}, ["Sidekick"]),
        ({"may": "files"}, []),
        ({"may": "everything"}, ["Backup", "Microsoft Graph", "Sidekick"]),
        ({"kind": "agentIdentity"}, []),
        ({"fact": "unverified", "publisher": "third_party"}, ["Backup", "Sidekick"]),
        ({"fact": "imitates"}, []),
        ({"off": "here"}, ["Backup"]),
        ({"off": "microsoft"}, []),
        ({"use": "unknown", "enabled": "no"}, ["Backup"]),
    ],
)
def test_apps_are_found_by_what_they_may_do_and_who_let_them(inside, filters, expected, monkeypatch):
    api, adele = graph_api(inside), somebody(inside, "Adele Vance")
    role = PermissionDefinition.objects.create(
        tenant=inside, resource=api, kind="application", permission_id=uuid4(), value="Mail.Read", admin_only=True
    )
    a_grant(an_app(inside, "Sidekick"), api, "Mail.Read", adele)
    backup = an_app(inside, "Backup", account_enabled=False)
    an_assignment(api, "Backup", "ServicePrincipal", principal_id=backup.pk, role=role.permission_id)
    derive(inside)
    assert all_names(inside, **filters) == expected
    assert all_names(inside, person=str(adele.pk)) == ["Sidekick"]
    monkeypatch.setattr(app_filters, "FEW", 0)  # as where a great many match
    assert all_names(inside, **filters) == expected


def test_an_app_is_found_by_either_of_its_ids(inside):
    app = an_app(inside, "Mail Sidekick")
    assert names(selectors.apps(inside, q=str(app.pk)[:8])) == ["Mail Sidekick"]
    assert names(selectors.apps(inside, q=str(app.app_id)[:13])) == ["Mail Sidekick"]
    an_app(inside, "Other")
    assert names(selectors.apps(inside, q=str(app.pk))) == ["Mail Sidekick"]
    assert names(selectors.apps(inside, q=str(app.app_id))) == ["Mail Sidekick"]


@pytest.mark.parametrize("after", ["nonsense", "e30", "W10", "WyJhIl0", "%00", "WzEsMiwzXQ", "x" * 5000])
def test_a_cursor_nobody_gave_out_begins_the_list(inside, after):
    an_app(inside, "Mail Sidekick")
    assert names(selectors.apps(inside, after=after)) == ["Mail Sidekick"]


def test_another_tenants_app_does_not_exist(inside, fabrikam):
    with tenant_context(fabrikam.pk):
        theirs = an_app(fabrikam, "Fabrikam's")
    with pytest.raises(ServicePrincipal.DoesNotExist):
        selectors.app(inside, theirs.pk)
    assert names(selectors.apps(inside)) == []


@pytest.mark.parametrize("count", [2, 60])
def test_the_list_costs_the_same_at_any_size(inside, count, django_assert_num_queries):
    for number in range(count):
        an_app(inside, f"App {number}")
    with django_assert_num_queries(4):  # people, permissions and names of what was typed
        page = selectors.apps(inside, q="app", risk="1", sort="risk")
    assert len(page) == min(count, 30)


def test_who_consented_is_named_and_the_unknown_are_not_hidden(inside):
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    megan, adele = somebody(inside, "Megan Bowen"), somebody(inside, "Adele Vance")
    a_grant(app, api, "Mail.Read offline_access", adele)
    a_grant(app, api, "User.Read", megan)
    gone = an_app(inside, "unused").pk  # the id of nobody we know
    a_grant(app, api, "User.Read", principal_id=gone, one=True)
    a_grant(app, api, "User.Read")
    page = selectors.user_consents(app)
    assert [row.person and row.person.display_name for row in page] == [None, "Adele Vance", "Megan Bowen"]
    adeles = page.items[1]
    assert adeles.scopes == ["Mail.Read", "offline_access"]
    assert adeles.works_offline
    assert selectors.user_consent(app, megan.pk).scopes == ["User.Read"]
    assert selectors.user_consent(app, api.pk) is None


def test_people_who_consented_are_paged(inside):
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    for number in range(40):
        a_grant(app, api, "User.Read", somebody(inside, f"Person {number:02}"))
    first = selectors.user_consents(app)
    second = selectors.user_consents(app, after=first.next)
    shown = [row.person.display_name for row in (*first, *second)]
    assert shown == [f"Person {number:02}" for number in range(40)]
    assert not second.next
    app.user_consent_count = selectors.MANY + 1  # so many are not sorted by name, and none is lost or shown twice
    first = selectors.user_consents(app)
    second = selectors.user_consents(app, after=first.next)
    assert sorted(row.person.display_name for row in (*first, *second)) == shown
    assert [row.person.display_name for row in selectors.user_consents(app, q="person 07")] == ["Person 07"]


@pytest.mark.parametrize("count", [1, 20])
def test_who_consented_costs_the_same_at_any_size(inside, count, django_assert_num_queries):
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    for number in range(count):
        a_grant(app, api, "User.Read Mail.Read", somebody(inside, f"Person {number}"))
    with django_assert_num_queries(5):
        assert len(selectors.user_consents(app)) == count


def test_admin_consent_in_the_administrators_words(inside):
    api, app = graph_api(inside), an_app(inside, "Contoso Travel")
    a_grant(app, api, "User.Read Mail.Read")
    a_grant(app, api, "Mail.Read", somebody(inside, "Adele Vance"))
    (group,) = selectors.admin_permissions(app)
    assert group.resource_name == "Microsoft Graph"
    assert next(sentence.text for sentence in group.sentences) == "Read users' mail"


def test_what_deleting_hits(inside, django_assert_num_queries):
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    adele = somebody(inside, "Adele Vance")
    a_grant(app, api, "Mail.Read", adele)
    a_grant(app, an_app(inside, "Other API"), "read", adele)
    a_grant(app, api, "User.Read")
    a_grant(an_app(inside, "Caller"), app, "read", adele)
    an_assignment(app, "Adele Vance")
    an_assignment(app, "Sales", "Group")
    an_assignment(api, "Mail Sidekick", "ServicePrincipal", principal_id=app.pk)
    derive(inside)
    app.refresh_from_db()
    with django_assert_num_queries(3):
        hits = selectors.what_deleting_hits(app)
    assert (hits.people, hits.grants, hits.organisation_wide, hits.resource_grants) == (1, 3, True, 1)
    assert (hits.assigned_people, hits.assigned_groups, hits.assignments, hits.app_permissions) == (1, 1, 2, 1)


def test_assigned_people_and_groups_but_not_apps(inside):
    app = an_app(inside, "Expenses")
    an_assignment(app, "Sales", "Group")
    an_assignment(app, "Adele Vance")
    an_assignment(app, "Some Daemon", "ServicePrincipal")
    assert [row.principal_name for row in selectors.assigned(app)] == ["Adele Vance", "Sales"]


def test_freshness_names_what_was_never_read(inside):
    at = timezone.now()
    Collection.objects.create(tenant=inside, kind=Collection.Kind.GRANTS, complete_at=at, row_count=4)
    fresh = selectors.freshness(inside)
    assert fresh["grants"].complete_at == at
    assert fresh["people"].complete_at is None
    assert set(fresh) == set(Collection.Kind.values)


def test_the_overview_counts_what_others_made(inside, django_assert_num_queries):
    api = graph_api(inside)
    risky = an_app(inside, "Mail Sidekick", risk=Risk.HIGH)
    an_app(inside, "Own", owner_tenant_id=inside.pk, account_enabled=False)
    an_app(inside, "Stale", last_used_at=timezone.now() - timedelta(days=200), owner_tenant_id=None)
    a_grant(risky, api, "Mail.Read", somebody(inside, "Adele Vance"))
    a_year_ago = timezone.now() - timedelta(days=365)
    Collection.objects.create(tenant=inside, kind=Collection.Kind.GRANTS, first_complete_at=a_year_ago)
    with django_assert_num_queries(4):
        seen = selectors.overview(inside)
    assert (seen.apps, seen.by_risk[Risk.HIGH], seen.unverified, seen.disabled, seen.unused) == (3, 1, 2, 1, 1)
    assert [count for _week, count in seen.new_grants] == [0] * 7 + [1]


def test_apps_that_somebody_let_in_this_week_are_those_the_overview_counts(inside):
    api, now = graph_api(inside), timezone.now()
    apps = {name: an_app(inside, name) for name in ("Before we looked", "Last month", "This week")}
    for app in apps.values():
        a_grant(app, api, "Mail.Read", somebody(inside, "Adele Vance"))
    grants = PermissionGrant.objects.filter(tenant=inside)
    grants.filter(client=apps["Before we looked"]).update(first_seen_at=now - timedelta(seconds=2))
    grants.filter(client=apps["Last month"]).update(first_seen_at=now - timedelta(days=30))
    first_walk = now - timedelta(seconds=1)
    Collection.objects.create(tenant=inside, kind=Collection.Kind.GRANTS, first_complete_at=first_walk)

    found = selectors.apps(inside, consent="new").items

    assert [app.display_name for app in found] == ["This week"]
    assert selectors.overview(inside).new_grants[-1][1] == 1
