"""Every URL, for everyone, in their own tenant and in another. A new URL without a row in `access_table` fails here."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.html import escape

from accounts.access import Actor
from accounts.models import Tenant, User
from accounts.roles import Role
from accounts.tenancy import operator_context, tenant_context
from audit.models import AuditEvent
from audit.services import record
from tests.access_table import CLOSED, IN_WORKSPACE, NAMES_A_THING, ROLES, TABLE
from tests.factories import Person, make_person, make_tenant
from tests.sandbox_client import CONTOSO, FABRIKAM, Sandbox
from tests.stage import Stage, set_up, stranger_from

pytestmark = pytest.mark.django_db

TOKEN = r'(?<=X-CSRFToken": ")\w{64}|(?<=name="csrfmiddlewaretoken" value=")\w{64}'
AHEAD = 20  # each tenant counts its own record: the foreign one has a number here that ours has not got to
OPEN = frozenset({200, 204, 302, 422})
WANT_AN_ANSWER_OF_MICROSOFT = {"entra_callback", "tenants:onboarding-callback", "tenants:onboarding-waiting"}
WANT_A_SIGNED_LINK = {"consent:sign-out-proof": 410, "consent:sign-out-proof-progress": 410, "inbox:mail-off": 404}


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
    with tenant_context(abroad.pk):
        for _ in range(AHEAD):
            record(AuditEvent.SIGNED_IN, tenant_id=abroad.pk, actor=Actor.of(foreigner.membership))
    return set_up(abroad, foreigner, stranger_from(home, "Our Provider"))


def send(
    client: Client, name: str, stage: Stage, *, tenant: Tenant | None = None, unknown: bool = False
) -> HttpResponse:
    """Use a URL for what is on `stage`, or for ids nobody has, in the workspace of `tenant` where it is in one."""
    ids = TABLE[name].ids(stage)
    if unknown:
        ids = {key: {UUID: uuid4(), int: 2**31 - 1}.get(type(value), value) for key, value in ids.items()}
    where = {"tenant": (tenant or stage.tenant).slug} if name in IN_WORKSPACE else {}
    return getattr(client, TABLE[name].method)(reverse(name, kwargs=where | ids), TABLE[name].form)


def is_open(answer: HttpResponse) -> bool:
    leads = answer.headers.get("Location", "")
    return answer.status_code in OPEN and not leads.startswith(("/accounts/sign-in/", "/accounts/step-up/"))


def said(answer: HttpResponse) -> str:
    """What an answer says, without what is different each time: what was asked for, the request's id, the tokens."""
    text = answer.content.decode().replace(escape(answer.wsgi_request.get_full_path()), "(asked for)")
    if "X-Request-ID" in answer.headers:
        text = text.replace(answer.headers["X-Request-ID"], "(request id)")
    return re.sub(TOKEN, "(token)", text)


# --- what they get --------------------------------------------------------------------------------------


@contextmanager
def for_its_own() -> Iterator[None]:
    """What one URL does is taken back, so that the next finds the stage as it was set up."""
    before = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(before)


def tried(names: Iterable[str], use: Callable[[str, Client], str], sign_in: Callable, person: Person | None) -> dict:
    """Each of these URLs with a browser of its own; by name what is wrong with the answer, where anything is."""
    found, signed_in = {}, Client()
    if person:
        sign_in(signed_in, person)
    for name in names:
        with for_its_own():
            client = Client()
            client.cookies.load({key: one.value for key, one in signed_in.cookies.items()})
            if wrong := use(name, client):
                found[name] = wrong
    return found


def unless(right: bool, *answers: HttpResponse) -> str:
    return "" if right else " and ".join(f"{one.status_code} {one.headers.get('Location', '')}" for one in answers)


@pytest.mark.parametrize("role", ROLES)
def test_in_ones_own_tenant(sign_in: Callable, actor: Person, stage: Stage, role: str):
    def use(name: str, client: Client) -> str:
        answer = send(client, name, stage)
        return unless(is_open(answer) if role in TABLE[name].roles else answer.status_code == 403, answer)

    assert tried(CLOSED, use, sign_in, actor) == {}


@pytest.mark.parametrize("role", ROLES)
def test_another_tenants_workspace_is_absent(
    sign_in: Callable, actor: Person, stage: Stage, foreign_stage: Stage, role: str
):
    def use(name: str, client: Client) -> str:
        answers = send(client, name, foreign_stage), send(client, name, stage, tenant=foreign_stage.tenant)
        return unless(all(answer.status_code == 404 for answer in answers), *answers)

    assert tried(IN_WORKSPACE, use, sign_in, actor) == {}


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN])
def test_another_tenants_things_look_like_things_that_never_were(
    sign_in: Callable, actor: Person, stage: Stage, foreign_stage: Stage, role: str
):
    def use(name: str, client: Client) -> str:
        foreign = send(client, name, foreign_stage, tenant=stage.tenant)
        unknown = send(client, name, stage, unknown=True)
        alike = foreign.status_code == unknown.status_code == 404 and said(foreign) == said(unknown)
        return unless(alike, foreign, unknown)

    assert tried(NAMES_A_THING, use, sign_in, actor) == {}


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN])
def test_a_colleagues_own_things_are_absent(
    sign_in: Callable, actor: Person, stage: Stage, colleague_stage: Stage, role: str
):
    def use(name: str, client: Client) -> str:
        answer = send(client, name, colleague_stage)
        return unless(answer.status_code == 404, answer)

    assert tried([name for name in NAMES_A_THING if TABLE[name].owned], use, sign_in, actor) == {}


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN])
def test_a_provider_may_what_their_membership_says(sign_in: Callable, stage: Stage, role: str):
    """Helpdesk in this tenant, whatever they are at home."""

    def use(name: str, client: Client) -> str:
        answer = send(client, name, stage)
        if Role.HELPDESK not in TABLE[name].roles:
            return unless(answer.status_code == 403, answer)
        return unless(answer.status_code == 404 if TABLE[name].owned else is_open(answer), answer)

    assert tried(IN_WORKSPACE, use, sign_in, stage.provider) == {}


@pytest.mark.parametrize("role", [Role.USER])
def test_strangers_are_asked_to_sign_in(sign_in: Callable, stage: Stage, role: str):
    def use(name: str, client: Client) -> str:
        answer = send(client, name, stage)
        to_sign_in = answer.headers.get("Location", "").startswith("/accounts/sign-in/")
        return unless(answer.status_code == 302 and to_sign_in, answer)

    assert tried(CLOSED, use, sign_in, None) == {}


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN])
def test_no_address_takes_a_method_that_no_page_sends(sign_in: Callable, actor: Person, stage: Stage, role: str):
    def use(name: str, client: Client) -> str:
        where = {"tenant": stage.tenant.slug} if name in IN_WORKSPACE else {}
        answer = client.delete(reverse(name, kwargs=where | TABLE[name].ids(stage)))
        return unless(answer.status_code == 405, answer)

    assert tried(CLOSED, use, sign_in, actor) == {}


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.public])
def test_public_pages_are_open(client: Client, entra: Sandbox, settings, name: str):
    settings.METRICS_TOKEN = "for Prometheus"

    address = reverse(name, kwargs=TABLE[name].ids(None))
    answer = getattr(client, TABLE[name].method)(address, headers={"Authorization": "Bearer for Prometheus"})

    if name in WANT_AN_ANSWER_OF_MICROSOFT:
        assert answer.status_code == 400
    elif name in WANT_A_SIGNED_LINK:
        assert answer.status_code == WANT_A_SIGNED_LINK[name]
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
