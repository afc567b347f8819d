"""Every service that changes something leaves entries in the record: enumerated, so that none is forgotten."""

import importlib
import inspect
from collections.abc import Callable
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import user_context
from audit import chain
from audit.models import AuditEntry, AuditEvent
from b2c import services as gate
from b2c.models import RefreshRule
from b2c.terms import Terms
from consent import agent_changes, services as consent
from directory import sync
from directory.models import PermissionGrant, Person as Person_, ServicePrincipal
from revocation import services
from revocation.models import RevocationRequest
from revocation.rules import approval
from revocation.spine import executor, sweeper
from sandbox.agents import RESEARCH
from sandbox.catalogue import app_id
from tenants import connecting, services as tenants
from tests.copied import read_directory
from tests.factories import Person
from tests.revocation import of_own_apps, of_the_inbox
from tests.revocation.no_entry import EXEMPT
from tests.revocation.spine import actor, copy_of, grants_of, one_round, remove_grant, sign_out_many
from tests.sandbox_client import Sandbox

E = AuditEvent


class Stage:
    """Everything a service may be asked about."""

    def __init__(self, tenant: Tenant, entra: Sandbox, world: dict, *people: Person) -> None:
        self.tenant, self.entra, self.world = tenant, entra, world
        self.adele, self.megan, self.isaiah, self.robin = people

    def synced(self) -> "Stage":
        read_directory(self.tenant)
        return self

    def app(self, name: str = "Mail Sidekick") -> ServicePrincipal:
        return self.synced() and ServicePrincipal.objects.get(display_name=name)

    def list_of(self, count: int = 3, **options) -> RevocationRequest:
        approver = str(self.isaiah.object_id)  # who may not say no to their own sign-out
        people = [one for one in self.world["tenants"][0]["users"] if not one["guest"] and one["id"] != approver]
        people = people[:count]
        return sign_out_many(self.tenant, self.megan, people, **options)

    def awaiting(self) -> RevocationRequest:
        return self.list_of(needs_approval=True)

    def failed(self) -> RevocationRequest:
        self.entra.faults({"path": "oauth2PermissionGrants", "method": "DELETE", "status": 403, "count": 1})
        return remove_grant(self.adele)


@pytest.fixture
def stage(at_contoso, entra, world, adele, megan, isaiah, robin) -> Stage:
    return Stage(at_contoso, entra, world, adele, megan, isaiah, robin)


def _approve(stage: Stage):
    request = stage.awaiting()
    services.approve(request, actor(stage.isaiah), request.digest)


def _override(stage: Stage):
    request = stage.awaiting()
    stage.tenant.allow_emergency_override = True
    stage.tenant.save()
    request.tenant.allow_emergency_override = True
    services.override(request, actor(stage.megan), request.digest, reason="Now")


def _void(stage: Stage):
    request = stage.awaiting()
    services.approve(request, actor(stage.isaiah), request.digest)
    approval.void(request, "Because")


def _expire(stage: Stage):
    stage.awaiting()
    RevocationRequest.objects.update(approval_expires_at=timezone.now())
    approval.expire_due(stage.tenant.id)


def _resume(stage: Stage):
    request = stage.list_of()
    services.pause(request, actor(stage.megan))
    services.resume(request, actor(stage.megan))


def _revoke_user_consents(stage: Stage):
    app = stage.app()
    people = [grant.principal_id for grant in PermissionGrant.objects.filter(client=app)][:2]
    consent.revoke_user_consents(stage.tenant, app, people, actor=actor(stage.megan))


def _secure(stage: Stage):
    app, person = stage.app(), Person_.objects.get(upn__startswith="adele@")
    services.secure_account(stage.tenant, person, actor=actor(stage.megan), apps=[app.pk], reason="Stolen")


def _purge(stage: Stage):
    app = stage.app()
    consent.delete_app(stage.tenant, app, app.display_name, actor=actor(stage.megan))
    consent.purge_app(stage.tenant, app, app.display_name, actor=actor(stage.megan))


def _restore(stage: Stage):
    app = stage.app()
    consent.delete_app(stage.tenant, app, app.display_name, actor=actor(stage.megan))
    consent.restore_app(stage.tenant, app, actor=actor(stage.megan))


def _take(stage: Stage):
    change = {"tenant": str(stage.tenant.pk), "app": app_id(RESEARCH)}
    for more in ({"do": "install_app"}, {"do": "consent", "scopes": ["Mail.Read"]}):
        stage.entra.control("POST", "world", json=change | more)
    sync.sync_tenant(stage.tenant)
    app, graph = (ServicePrincipal.objects.get(display_name=name) for name in (RESEARCH, "Microsoft Graph"))
    agent_changes.take_from_blueprint_of(
        stage.tenant, app, graph.pk, "delegated", "Mail.Read", actor=actor(stage.megan)
    )


def _sign_out_account(stage: Stage):
    app = stage.app()
    account = copy_of(stage.tenant, stage.world, "Adele Vance")
    type(account).objects.filter(pk=account.pk).update(is_agent=True, agent_id=app.pk)
    agent_changes.sign_out_account_of(stage.tenant, app, actor=actor(stage.megan))


def _enable(stage: Stage):
    app = stage.app()
    consent.disable_app(stage.tenant, app, actor=actor(stage.megan))
    consent.enable_app(stage.tenant, app, actor=actor(stage.megan))


def _revoke_user_consent(stage: Stage):
    app = stage.app()
    grant = PermissionGrant.objects.filter(client=app, principal__isnull=False).first()
    consent.revoke_user_consent(stage.tenant, app, grant.principal_id, actor=actor(stage.megan))


def _revoke_tenant_consent(stage: Stage):
    stage.synced()
    grant = PermissionGrant.objects.filter(principal__isnull=True).exclude(client__display_name="Consentry").first()
    consent.revoke_tenant_consent(stage.tenant, grant.client, actor=actor(stage.megan))


def _session_of(person, sid: str = "sid"):
    store = SessionStore()
    store.create()
    return UserSession.objects.create(
        user=person.user, session_key=store.session_key, ip="127.0.0.1", user_agent="x", data={"sid": sid}
    )


def _revoke_membership(stage: Stage):
    given = accounts.grant_membership(stage.tenant, stage.robin.user, ["helpdesk"], actor=actor(stage.megan))
    accounts.revoke_membership(given, actor=actor(stage.megan))


def _end_sessions(stage: Stage):
    session = _session_of(stage.adele)
    with user_context(stage.adele.user.pk):
        accounts.end_sessions(stage.adele.user, [session], reason="x", actor=actor(stage.megan))


def _end_portal_sessions(stage: Stage):
    _session_of(stage.adele)
    accounts.end_portal_sessions(stage.adele.user, reason="x", actor=actor(stage.megan))


def _end_by_sid(stage: Stage):
    _session_of(stage.adele, "the-sid")
    accounts.end_sessions_of_sid("the-sid", None)


def _gate(stage: Stage):
    gate.change(stage.tenant, {"is_b2c": True}, actor=actor(stage.megan))


def _credential(stage: Stage):
    return gate.make_credential(stage.tenant, actor=actor(stage.megan))[0]


def _end_credential(stage: Stage):
    gate.end_credential(stage.tenant, _credential(stage).pk, actor=actor(stage.megan))


def _refuse_refresh(stage: Stage):
    _gate(stage)
    person, terms = copy_of(stage.tenant, stage.world, "Adele Vance"), Terms(app_id=str(uuid4()))
    return services.refuse_refresh(stage.tenant, person, terms, actor=actor(stage.megan), reason="x")


def _end_rule(stage: Stage):
    _refuse_refresh(stage)
    services.end_refresh_rules(stage.tenant, RefreshRule.objects.all(), actor=actor(stage.megan), reason="x")


# What each service is asked, and which event that must leave behind.
CASES: dict[str, tuple[AuditEvent, Callable[[Stage], object]]] = {
    "revocation.services.asking.submit": (E.REVOCATION_REQUESTED, lambda s: remove_grant(s.adele)),
    "revocation.services.asking.sign_out": (
        E.STEP_VERIFIED,
        lambda s: services.sign_out(
            s.tenant, [copy_of(s.tenant, s.world, "Adele Vance")], actor=actor(s.megan), reason="x"
        ),
    ),
    "revocation.services.asking.sign_out_self": (
        E.STEP_VERIFIED,
        lambda s: services.sign_out_self(s.adele.membership),
    ),
    "revocation.services.putting_back.undo": (
        E.REVOCATION_REQUESTED,
        lambda s: services.undo(remove_grant(s.adele), actor(s.adele)),
    ),
    "revocation.services.putting_back.retry_failed": (
        E.REVOCATION_REQUESTED,
        lambda s: services.retry_failed(s.failed(), actor(s.adele)),
    ),
    "revocation.services.steering.pause": (E.REVOCATION_PAUSED, lambda s: services.pause(s.list_of(), actor(s.megan))),
    "revocation.services.steering.resume": (E.REVOCATION_RESUMED, _resume),
    "revocation.services.steering.cancel": (
        E.REVOCATION_CANCELLED,
        lambda s: services.cancel(s.list_of(), actor(s.megan)),
    ),
    "revocation.services.approving.approve": (E.REVOCATION_APPROVED, _approve),
    "revocation.services.approving.override": (E.REVOCATION_OVERRIDDEN, _override),
    "revocation.services.approving.reject": (
        E.REVOCATION_REJECTED,
        lambda s: services.reject(s.awaiting(), actor(s.isaiah), reason="No"),
    ),
    "revocation.rules.approval.void": (E.REVOCATION_APPROVAL_VOIDED, _void),
    "revocation.rules.approval.expire_due": (E.REVOCATION_EXPIRED, _expire),
    "revocation.spine.executor.turn": (
        E.REVOCATION_FINISHED,
        lambda s: s.list_of() and executor.turn(s.tenant.id, seconds=10, linger=5),
    ),
    "revocation.spine.executor.run_request": (
        E.STEPS_STARTED,
        lambda s: executor.run_request(s.list_of(), seconds=5),
    ),
    "revocation.spine.sweeper.sweep": (E.STEP_ACCEPTED, lambda s: s.list_of() and sweeper.sweep(seconds=5)),
    "consent.services.revoke_user_consent": (E.STEP_VERIFIED, _revoke_user_consent),
    "consent.services.revoke_user_consents": (E.STEP_VERIFIED, _revoke_user_consents),
    "revocation.services.securing.secure_account": (E.STEP_VERIFIED, _secure),
    "consent.services.revoke_tenant_consent": (E.STEP_VERIFIED, _revoke_tenant_consent),
    "consent.services.disable_app": (
        E.STEP_VERIFIED,
        lambda s: consent.disable_app(s.tenant, s.app(), actor=actor(s.megan)),
    ),
    "consent.services.enable_app": (E.STEP_VERIFIED, _enable),
    "consent.agent_changes.sign_out_account_of": (E.STEP_VERIFIED, _sign_out_account),
    "consent.agent_changes.take_from_blueprint_of": (E.STEP_VERIFIED, _take),
    "consent.services.delete_app": (
        E.STEP_VERIFIED,
        lambda s: consent.delete_app(s.tenant, s.app(), "Mail Sidekick", actor=actor(s.megan)),
    ),
    "consent.services.restore_app": (E.STEP_VERIFIED, _restore),
    "consent.services.purge_app": (E.STEP_VERIFIED, _purge),
    "tenants.connecting.connect": (
        E.TENANT_CONNECTED,
        lambda s: connecting.connect(s.tenant.id, actor=Actor.command_line()),
    ),
    "tenants.services.change": (
        E.TENANT_CHANGED,
        lambda s: tenants.change(s.tenant, {"approval_threshold": 7}, actor=actor(s.megan)),
    ),
    "tenants.services.choose_sign_out": (
        E.TENANT_CHANGED,
        lambda s: tenants.choose_sign_out(s.tenant, "invalidate_tokens", actor=actor(s.megan)),
    ),
    "revocation.services.refusing.refuse": (E.STEP_VERIFIED, _refuse_refresh),
    "revocation.services.refusing.end": (E.STEP_VERIFIED, _end_rule),
    "b2c.services.change": (E.TENANT_CHANGED, _gate),
    "b2c.services.make_credential": (E.GATE_CREDENTIAL_CREATED, _credential),
    "b2c.services.end_credential": (E.GATE_CREDENTIAL_ENDED, _end_credential),
    "accounts.services.end_portal_sessions": (E.SIGNED_OUT, _end_portal_sessions),
    "accounts.services.end_sessions": (E.SIGNED_OUT, _end_sessions),
    "accounts.services.end_sessions_of_sid": (E.SIGNED_OUT, _end_by_sid),
    "accounts.services.grant_membership": (
        E.MEMBERSHIP_GRANTED,
        lambda s: accounts.grant_membership(s.tenant, s.robin.user, ["helpdesk"], actor=actor(s.megan)),
    ),
    "accounts.services.revoke_membership": (E.MEMBERSHIP_REVOKED, _revoke_membership),
    "directory.sync.sync_tenant": (E.DIRECTORY_SYNCED, lambda s: sync.sync_tenant(s.tenant)),
    **of_own_apps.CASES,
    **of_the_inbox.CASES,
}

MODULES = [
    "revocation.services.approving",
    "revocation.services.asking",
    "revocation.services.putting_back",
    "revocation.services.refusing",
    "revocation.services.securing",
    "revocation.services.steering",
    "revocation.rules.approval",
    "revocation.spine.executor",
    "revocation.spine.sweeper",
    "consent.agent_changes",
    "consent.own_removals",
    "consent.services",
    "tenants.arrival",
    "tenants.connecting",
    "tenants.onboarding",
    "tenants.services",
    "inbox.services",
    "accounts.services",
    "b2c.services",
    "directory.sync",
]


def _public_functions() -> set[str]:
    found = set()
    for name in MODULES:
        module = importlib.import_module(name)
        for attribute, value in vars(module).items():
            own = inspect.isfunction(value) and value.__module__.startswith(name)
            if own and not attribute.startswith("_"):
                found.add(f"{name}.{attribute}")
    return found


def test_every_service_is_listed_here():
    listed = set(CASES) | set(EXEMPT)

    assert _public_functions() - listed == set(), "a service without an audit case"
    assert listed - _public_functions() == set(), "a case without a service"


@pytest.mark.parametrize("name", CASES)
def test_it_leaves_its_entry(name, stage):
    event, ask = CASES[name]

    ask(stage)

    assert AuditEntry.objects.filter(tenant_id=stage.tenant.id, event=event).exists()
    assert chain.verify(stage.tenant.id).ok


def test_nothing_is_changed_that_cannot_be_recorded(stage, settings):
    """Fail closed: without a key no entry, without an entry no request and no call."""
    grant = grants_of(stage.adele)[0]
    settings.AUDIT_KEYS = []

    with pytest.raises(ImproperlyConfigured):
        remove_grant(stage.adele, grant)

    assert not RevocationRequest.objects.exists()
    assert grant.id in stage.entra.grants()


def test_a_step_whose_intent_cannot_be_recorded_is_not_called(stage, settings):
    grant = grants_of(stage.adele)[0]
    remove_grant(stage.adele, grant, run_inline=False)
    keys, settings.AUDIT_KEYS = settings.AUDIT_KEYS, []

    with pytest.raises(ImproperlyConfigured), transaction.atomic():
        one_round(stage.tenant)
    assert grant.id in stage.entra.grants()
    settings.AUDIT_KEYS = keys
    assert chain.verify(stage.tenant.id).ok
