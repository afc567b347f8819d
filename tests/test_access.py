"""Every URL, for everyone, in their own tenant and in another. A new URL without a row in `access_table` fails here."""

from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Tenant, User
from accounts.roles import Role
from accounts.tenancy import operator_context
from tests.access_table import CLOSED, IN_WORKSPACE, NAMES_A_THING, ROLES, TABLE
from tests.factories import Person, make_person, make_tenant
from tests.sandbox_client import CONTOSO, FABRIKAM, Sandbox
from tests.stage import Stage, set_up, stranger_from

pytestmark = pytest.mark.django_db

OPEN = frozenset({200, 204, 302, 422})
WANT_AN_ANSWER_OF_MICROSOFT = {"entra_callback", "tenants:onboarding-callback", "tenants:onboarding-waiting"}


# --- the table itself -----------------------------------------------------------------------------------


def url_names(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield prefix + (entry.name or f"(unnamed) {entry.pattern}")
        elif entry.namespace != "admin":  # the operator's: see below
            yield from url_names(entry, prefix + (f"{entry.namespace}:" if entry.namespace else ""))


def test_every_url_has_a_row_and_every_row_a_url():
    names = list(url_names(get_resolver()))

    assert sorted(names) == sorted(TABLE)


# --- people ---------------------------------------------------------------------------------------------


@pytest.fixture
def home(db: None) -> Tenant:
    return make_tenant(CONTOSO, "Contoso", "contoso.example")


@pytest.fixture
def abroad(db: None) -> Tenant:
    return make_tenant(FABRIKAM, "Fabrikam", "fabrikam.example")


@pytest.fixture
def actor(home: Tenant, role: str) -> Person:
    return make_person(home, uuid4(), "Acting Person", role)


@pytest.fixture
def stage(home: Tenant, abroad: Tenant, actor: Person) -> Stage:
    return set_up(home, actor, stranger_from(abroad, "Provider's Person"))


@pytest.fixture
def colleague_stage(home: Tenant, abroad: Tenant) -> Stage:
    colleague = make_person(home, uuid4(), "A Colleague", Role.TENANT_ADMIN)
    return set_up(home, colleague, stranger_from(abroad, "Another Provider's Person"))


@pytest.fixture
def foreign_stage(home: Tenant, abroad: Tenant) -> Stage:
    foreigner = make_person(abroad, uuid4(), "A Foreigner", Role.TENANT_ADMIN)
    return set_up(abroad, foreigner, stranger_from(home, "Our Provider"))


def send(
    client: Client, name: str, stage: Stage, *, tenant: Tenant | None = None, unknown: bool = False
) -> HttpResponse:
    """Use a URL for what is on `stage`, or for ids nobody has, in the workspace of `tenant` where it is in one."""
    ids = TABLE[name].ids(stage)
    if unknown:
        ids = {key: {UUID: uuid4(), int: 2**31 - 1}.get(type(value), value) for key, value in ids.items()}
    where = {"tenant": (tenant or stage.tenant).slug} if name in IN_WORKSPACE else {}
    return getattr(client, TABLE[name].method)(reverse(name, kwargs=where | ids))


def is_open(answer: HttpResponse) -> bool:
    leads = answer.headers.get("Location", "")
    return answer.status_code in OPEN and not leads.startswith(("/accounts/sign-in/", "/accounts/step-up/"))


# --- what they get --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", CLOSED)
def test_in_ones_own_tenant(client: Client, sign_in: Callable, actor: Person, stage: Stage, name: str, role: str):
    sign_in(client, actor)

    answer = send(client, name, stage)

    if role in TABLE[name].roles:
        assert is_open(answer), answer
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", IN_WORKSPACE)
def test_another_tenants_workspace_is_absent(
    client: Client, sign_in: Callable, actor: Person, stage: Stage, foreign_stage: Stage, name: str, role: str
):
    sign_in(client, actor)

    assert send(client, name, foreign_stage).status_code == 404
    assert send(client, name, stage, tenant=foreign_stage.tenant).status_code == 404


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN])
@pytest.mark.parametrize("name", NAMES_A_THING)
def test_another_tenants_things_look_like_things_that_never_were(
    client: Client, sign_in: Callable, actor: Person, stage: Stage, foreign_stage: Stage, name: str, role: str
):
    sign_in(client, actor)

    foreign = send(client, name, foreign_stage, tenant=stage.tenant)
    unknown = send(client, name, stage, unknown=True)

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN])
@pytest.mark.parametrize("name", [name for name in NAMES_A_THING if TABLE[name].owned])
def test_a_colleagues_own_things_are_absent(
    client: Client, sign_in: Callable, actor: Person, stage: Stage, colleague_stage: Stage, name: str, role: str
):
    sign_in(client, actor)

    assert send(client, name, colleague_stage).status_code == 404


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN])
@pytest.mark.parametrize("name", IN_WORKSPACE)
def test_a_provider_may_what_their_membership_says(
    client: Client, sign_in: Callable, stage: Stage, name: str, role: str
):
    """Helpdesk in this tenant, whatever they are at home."""
    sign_in(client, stage.provider)

    answer = send(client, name, stage)

    if Role.HELPDESK not in TABLE[name].roles:
        assert answer.status_code == 403
    elif TABLE[name].owned:
        assert answer.status_code == 404
    else:
        assert is_open(answer), answer


@pytest.mark.parametrize("role", [Role.USER])
@pytest.mark.parametrize("name", CLOSED)
def test_strangers_are_asked_to_sign_in(client: Client, stage: Stage, name: str, role: str):
    answer = send(client, name, stage)

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/sign-in/")


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.public])
def test_public_pages_are_open(client: Client, entra: Sandbox, settings, name: str):
    settings.METRICS_TOKEN = "for Prometheus"

    answer = getattr(client, TABLE[name].method)(reverse(name), headers={"Authorization": "Bearer for Prometheus"})

    if name in WANT_AN_ANSWER_OF_MICROSOFT:
        assert answer.status_code == 400
    else:
        assert is_open(answer), answer


# --- the operator's pages -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_the_operators_pages_are_closed_to_every_tenants_people(
    client: Client, sign_in: Callable, actor: Person, role: str
):
    sign_in(client, actor)

    answer = client.get(reverse("admin:index"))

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("admin:login"))


def test_the_operator_is_nobody_in_a_tenant(client: Client, home: Tenant):
    with operator_context():
        operator = User.objects.create_superuser("operator", "a long passphrase")
        client.force_login(operator, backend="accounts.backends.ScopedBackend")

    assert client.get(reverse("admin:index")).status_code == 200
    for name in ("consent:overview", "audit:list"):
        answer = client.get(reverse(name, args=[home.slug]))
        assert (answer.status_code, answer.headers["Location"]) == (302, reverse("admin:index"))
