"""Every URL, for everyone, in their own tenant and in another. A new URL without a row in `TABLE` fails here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Tenant, User
from accounts.roles import CAPABILITIES, Capability, Role
from accounts.tenancy import operator_context
from tests.factories import Person, make_person, make_tenant
from tests.sandbox_client import CONTOSO, FABRIKAM, Sandbox
from tests.stage import Stage, set_up, stranger_from

pytestmark = pytest.mark.django_db

ROLES = [Role.USER, Role.HELPDESK, Role.APP_ADMIN, Role.TENANT_ADMIN, Role.AUDITOR]
OPEN = frozenset({200, 204, 302, 422})
WANT_AN_ANSWER_OF_MICROSOFT = {"entra_callback", "tenants:onboarding-callback", "tenants:onboarding-waiting"}


def nothing(stage: Stage) -> dict:
    return {}


@dataclass(frozen=True)
class Row:
    """Who may use a URL.

    Attributes:
        needs: the capability; None where being signed in is enough.
        public: open to everyone, signed in or not.
        ids: what the URL names, taken from a stage.
        who: the roles, where the capability alone does not say it.
        owned: whether what it names is the acting person's own, so that a colleague's is absent.
    """

    needs: Capability | None = None
    public: bool = False
    method: str = "get"
    ids: Callable[[Stage], dict] = nothing
    who: frozenset[str] | None = None
    owned: bool = False

    @property
    def roles(self) -> frozenset[str]:
        if self.who is not None:
            return self.who
        return frozenset(role for role in ROLES if self.needs is None or self.needs in allowed(role))


def allowed(role: str) -> frozenset[Capability]:
    return CAPABILITIES[Role.USER] | CAPABILITIES[role]


def permission_in_use(stage: Stage) -> dict:
    return {"resource_id": stage.resource.pk, "kind": "delegated", "value": "Mail.Read"}


def app_id(stage: Stage) -> dict:
    return {"app_id": stage.app.pk}


def agent_id(stage: Stage) -> dict:
    return {"app_id": stage.agent.pk}


def deleted_app_id(stage: Stage) -> dict:
    return {"app_id": stage.deleted_app.pk}


def own_scope(stage: Stage) -> dict:
    return {"app_id": stage.app.pk, "resource_id": stage.resource.pk, "scope": "Mail.Read"}


def removal_id(stage: Stage) -> dict:
    return {"request_id": stage.removal.pk}


def own_sign_out_id(stage: Stage) -> dict:
    return {"request_id": stage.own_sign_out.pk}


def consent_id(stage: Stage) -> dict:
    return {"app_id": stage.app.pk, "person_id": stage.owner.object_id}


def person_pk(stage: Stage) -> dict:
    return {"pk": stage.person.pk}


def request_pk(stage: Stage) -> dict:
    return {"pk": stage.request.pk}


def own_request_pk(stage: Stage) -> dict:
    return {"pk": stage.removal.pk}


def draft_pk(stage: Stage) -> dict:
    return {"pk": stage.draft.pk}


def app_pk(stage: Stage) -> dict:
    return {"pk": stage.app.pk}


def membership_id(stage: Stage) -> dict:
    return {"membership_id": stage.provider_membership.pk}


def own(ids: Callable[[Stage], dict] = nothing, **more) -> Row:
    return Row(Capability.OWN_APPS, ids=ids, owned=True, **more)


PUBLIC = Row(public=True)
SIGNED_IN = Row()
STEERING = Row(
    Capability.VIEW_REVOCATIONS, ids=request_pk, method="post", who=frozenset({Role.HELPDESK, Role.TENANT_ADMIN})
)
APPROVING = Row(Capability.VIEW_REVOCATIONS, ids=request_pk, method="post", who=frozenset({Role.TENANT_ADMIN}))
READS_REQUEST = Row(Capability.VIEW_REVOCATIONS, ids=request_pk)
CHANGES_APP = Row(Capability.CHANGE_APPS, ids=app_id)

TABLE: dict[str, Row] = {
    "healthz": PUBLIC,
    "readyz": PUBLIC,
    "metrics": PUBLIC,
    # Signing in and out
    "accounts:ended": PUBLIC,
    "accounts:sign-in": PUBLIC,
    "accounts:signed-out": PUBLIC,
    "accounts:front-channel-logout": PUBLIC,
    "entra_login": Row(public=True, method="post"),
    "entra_callback": PUBLIC,
    "accounts:sign-out": Row(method="post"),
    "accounts:step-up": SIGNED_IN,
    "accounts:sessions": SIGNED_IN,
    "accounts:end-other-sessions": Row(method="post"),
    "accounts:end-session": Row(method="post", ids=lambda stage: {"pk": stage.session.pk}, owned=True),
    # Me
    "consent:my-apps": own(),
    "consent:my-apps-list": own(),
    "consent:refresh-my-apps": own(method="post"),
    "consent:my-app": own(app_id),
    "consent:my-agent": own(agent_id),
    "consent:remove-app": own(app_id),
    "consent:remove-permission": own(own_scope),
    "consent:undo": own(removal_id, method="post"),
    "consent:sign-out-everywhere": own(),
    "consent:sign-out-progress": own(own_sign_out_id),
    "consent:activity": own(),
    "revocation:own-detail": own(own_request_pk),
    "revocation:own-timeline": own(own_request_pk),
    # Connecting a tenant
    "tenants:onboarding": PUBLIC,
    "tenants:onboarding-callback": PUBLIC,
    "tenants:onboarding-waiting": PUBLIC,
    # Workspace: apps
    "consent:overview": Row(Capability.VIEW_WORKSPACE),
    "consent:apps": Row(Capability.VIEW_APPS),
    "consent:permissions": Row(Capability.VIEW_APPS),
    "consent:permission": Row(Capability.VIEW_APPS, ids=permission_in_use),
    "consent:apps-csv": Row(Capability.VIEW_APPS),
    "consent:app": Row(Capability.VIEW_APPS, ids=app_id),
    "consent:revoke-user-consent": Row(Capability.CHANGE_APPS, ids=consent_id),
    "consent:revoke-tenant-consent": CHANGES_APP,
    "consent:disable-app": CHANGES_APP,
    "consent:enable-app": CHANGES_APP,
    "consent:delete-app": CHANGES_APP,
    "consent:deleted-apps": Row(Capability.CHANGE_APPS),
    "consent:restore-app": Row(Capability.CHANGE_APPS, ids=deleted_app_id),
    "consent:purge-app": Row(Capability.CHANGE_APPS, ids=deleted_app_id),
    "tenants:connection": Row(Capability.MANAGE_TENANT),
    "tenants:settings": Row(Capability.MANAGE_TENANT),
    "tenants:providers": Row(Capability.MANAGE_TENANT),
    "tenants:end-provider": Row(Capability.MANAGE_TENANT, ids=membership_id),
    # Workspace: people and revocations
    "revocation:people": Row(Capability.VIEW_PEOPLE),
    "revocation:person": Row(Capability.VIEW_PEOPLE, ids=person_pk),
    "revocation:sign-out": Row(Capability.SIGN_OUT_PEOPLE, ids=person_pk),
    "revocation:list": Row(Capability.VIEW_REVOCATIONS),
    "revocation:new": Row(Capability.SIGN_OUT_PEOPLE),
    "revocation:preview": Row(Capability.SIGN_OUT_PEOPLE, ids=draft_pk, owned=True),
    "revocation:preview-download": Row(Capability.SIGN_OUT_PEOPLE, ids=draft_pk, owned=True),
    "revocation:confirm": Row(Capability.SIGN_OUT_PEOPLE, ids=draft_pk, owned=True),
    "revocation:contain-app": Row(Capability.CHANGE_APPS, ids=app_pk),
    "revocation:detail": READS_REQUEST,
    "revocation:progress": READS_REQUEST,
    "revocation:pause": STEERING,
    "revocation:resume": STEERING,
    "revocation:cancel": STEERING,
    "revocation:retry": STEERING,
    "revocation:approve": APPROVING,
    "revocation:reject": APPROVING,
    "revocation:override": APPROVING,
    "revocation:list-download": Row(Capability.VIEW_REVOCATIONS, ids=lambda stage: {"pk": stage.listed_request.pk}),
    "revocation:results-csv": READS_REQUEST,
    "revocation:results-json": READS_REQUEST,
    "revocation:report": READS_REQUEST,
    "revocation:report-json": READS_REQUEST,
    # Workspace: the record
    "audit:list": Row(Capability.VIEW_AUDIT),
    "audit:export": Row(Capability.VIEW_AUDIT, method="post"),
    "audit:check": Row(Capability.VIEW_AUDIT),
}
IN_WORKSPACE = [name for name, row in TABLE.items() if row.needs and row.needs != Capability.OWN_APPS]
CLOSED = [name for name, row in TABLE.items() if not row.public]
NAMES_A_THING = [name for name, row in TABLE.items() if row.ids is not nothing]


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
