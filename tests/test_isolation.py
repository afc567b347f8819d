"""The second wall: PostgreSQL shows a tenant's rows to that tenant only, whatever the code above forgets."""

from uuid import uuid4

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.db.models.query import QuerySet
from django.utils import timezone

from accounts.models import Membership, Tenant
from accounts.tenancy import no_context, operator_context, tenant_context, user_context
from directory import selectors
from directory.models import ServicePrincipal
from tests.factories import Person

pytestmark = pytest.mark.django_db

# Tables without a tenant, and why that is right.
SHARED = {
    "accounts.Tenant": "the operator's registry of tenants",
    "accounts.Bucket": "how much an account may still do; a number and a time",
    "accounts.Silence": "which of Microsoft's hosts answers nobody; a name and two times",
    "accounts.Duration": "how long things took; numbers",
    "accounts.EndedSession": "found by a digest of a secret key only; names nobody",
    "revocation.WriteQuota": "counters of Microsoft's quotas; one of them spans all tenants",
    "admin.LogEntry": "the operator's own actions",
    "auth.Group": "Django's; unused",
    "auth.Permission": "Django's; unused",
    "contenttypes.ContentType": "Django's",
    "sessions.Session": "found by a secret key only; names a person",
    "account.EmailAddress": "allauth's; stays empty, accounts have no e-mail",
    "account.EmailConfirmation": "allauth's; stays empty",
    "socialaccount.SocialApp": "allauth's; stays empty, registrations come from settings",
    "socialaccount.SocialAccount": "allauth's link from Entra's ids to an account, without anything to read",
    "socialaccount.SocialToken": "allauth's; stays empty, tokens are in accounts.TokenCache",
    "usersessions.UserSession": "read through one's own account only",
    "revocation.Heartbeat": "when the sweeper last ran; of no tenant",
}
TENANT_RULE = "(tenant_id = (NULLIF(current_setting('consentry.tenant'::text, true), ''::text))::uuid)"


def owned_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if "tenant_id" in {field.attname for field in model._meta.fields}]


def name(model: type[models.Model]) -> str:
    return model._meta.label


@pytest.fixture
def apps_of_both(contoso: Tenant, fabrikam: Tenant) -> tuple[ServicePrincipal, ServicePrincipal]:
    return make_app(contoso, "Mail Sidekick"), make_app(fabrikam, "Fabrikam Planner")


def make_app(tenant: Tenant, display_name: str) -> ServicePrincipal:
    with tenant_context(tenant.pk):
        return ServicePrincipal.objects.create(
            id=uuid4(), tenant=tenant, app_id=uuid4(), display_name=display_name, synced_at=timezone.now()
        )


# --- every table ---------------------------------------------------------------------------------------


def test_every_table_belongs_to_tenants_or_says_why_not():
    unexplained = {name(model) for model in apps.get_models()} - {name(model) for model in owned_models()} - set(SHARED)

    assert unexplained == set()


@pytest.mark.parametrize("model", owned_models(), ids=name)
def test_row_level_security_binds_even_the_owner_of_the_table(model: type[models.Model]):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table]
        )
        assert cursor.fetchone() == (True, True)


@pytest.mark.parametrize("model", owned_models(), ids=name)
def test_the_policies_of_a_table_compare_its_tenant(model: type[models.Model]):
    """Reading and writing alike; what a rule adds with OR is about one's own rows or the operator."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT cmd, qual, with_check FROM pg_policies WHERE tablename = %s", [model._meta.db_table])
        policies = cursor.fetchall()

    assert policies
    for command, reading, writing in policies:
        for rule in (reading, writing if command in ("ALL", "INSERT", "UPDATE") else reading):
            first, *others = rule.removeprefix("(").removesuffix(")").split(" OR ") if " OR " in rule else [rule]
            assert first == TENANT_RULE
            assert all("consentry.user" in other or "consentry.operator" in other for other in others)


def test_the_role_of_the_application_is_bound_by_policies():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False, False)


# --- rows ----------------------------------------------------------------------------------------------


def test_raw_sql_sees_the_rows_of_one_tenant(contoso: Tenant, fabrikam: Tenant, apps_of_both: tuple):
    assert raw_names(contoso) == ["Mail Sidekick"]
    assert raw_names(fabrikam) == ["Fabrikam Planner"]


def raw_names(tenant: Tenant) -> list[str]:
    with tenant_context(tenant.pk), connection.cursor() as cursor:
        cursor.execute("SELECT display_name FROM directory_serviceprincipal")
        return [row[0] for row in cursor.fetchall()]


def test_without_a_tenant_there_is_nothing(apps_of_both: tuple):
    with no_context():
        assert ServicePrincipal.objects.count() == 0
        assert Membership.objects.count() == 0


def test_a_selector_that_forgot_its_tenant_filter_still_shows_only_ones_own(
    monkeypatch: pytest.MonkeyPatch, contoso: Tenant, fabrikam: Tenant, apps_of_both: tuple
):
    forget_tenant_filters(monkeypatch)

    with tenant_context(fabrikam.pk):
        # Asked for Contoso's apps by code whose filter is gone: the database gives Fabrikam's own.
        found = [app.display_name for app in selectors.apps(contoso).items]

    assert found == ["Fabrikam Planner"]


def forget_tenant_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    original = QuerySet._filter_or_exclude

    def forgetful(self, negate, args, kwargs):
        kept = {key: value for key, value in kwargs.items() if key not in ("tenant", "tenant_id")}
        return original(self, negate, args, kept)

    monkeypatch.setattr(QuerySet, "_filter_or_exclude", forgetful)


def test_a_row_cannot_be_written_for_another_tenant(contoso: Tenant, fabrikam: Tenant):
    row = ServicePrincipal(id=uuid4(), tenant=contoso, app_id=uuid4(), display_name="X", synced_at=timezone.now())

    with tenant_context(fabrikam.pk), pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        row.save(force_insert=True)


def test_a_row_cannot_be_moved_to_another_tenant(contoso: Tenant, fabrikam: Tenant, apps_of_both: tuple):
    own, _ = apps_of_both

    with tenant_context(contoso.pk), pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        ServicePrincipal.objects.filter(pk=own.pk).update(tenant_id=fabrikam.pk)


def test_another_tenants_rows_can_be_neither_changed_nor_deleted(contoso: Tenant, apps_of_both: tuple):
    _, foreign = apps_of_both

    with tenant_context(contoso.pk), connection.cursor() as cursor:
        cursor.execute("UPDATE directory_serviceprincipal SET display_name = 'X' WHERE id = %s", [foreign.pk])
        assert cursor.rowcount == 0
        cursor.execute("DELETE FROM directory_serviceprincipal WHERE id = %s", [foreign.pk])
        assert cursor.rowcount == 0


def test_the_scope_ends_with_its_block(contoso: Tenant, fabrikam: Tenant, apps_of_both: tuple):
    with no_context(), tenant_context(contoso.pk):
        with tenant_context(fabrikam.pk):
            pass
        assert [app.display_name for app in ServicePrincipal.objects.all()] == ["Mail Sidekick"]


def test_an_error_inside_a_transaction_leaves_no_scope_behind(contoso: Tenant, apps_of_both: tuple):
    with no_context():
        with pytest.raises(DatabaseError), transaction.atomic(), tenant_context(contoso.pk):
            connection.cursor().execute("SELECT 1 / 0")
        assert ServicePrincipal.objects.count() == 0


def test_a_person_sees_their_memberships_in_every_tenant_and_nothing_else(adele: Person, robin: Person):
    with no_context(), user_context(robin.user.pk):
        assert [one.user_id for one in Membership.objects.all()] == [robin.user.pk]
        assert ServicePrincipal.objects.count() == 0


def test_the_operator_sees_memberships_but_no_directory(adele: Person, robin: Person, apps_of_both: tuple):
    with no_context(), operator_context():
        assert Membership.objects.count() == 2
        assert ServicePrincipal.objects.count() == 0
