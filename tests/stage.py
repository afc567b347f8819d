"""One of each thing a URL can name, in a tenant, and belonging to one person: for tests that go over every page."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Membership, SavedView, Tenant
from accounts.tenancy import tenant_context
from audit.models import AuditEntry, AuditEvent
from audit.services import record
from b2c.models import GateCredential, RefreshRule
from directory.models import (
    AgentTie,
    InheritedGrant,
    PermissionGrant,
    PermissionUse,
    Person as DirectoryPerson,
    ServicePrincipal,
)
from inbox.models import Dealt, Report
from revocation.lists import kept
from revocation.lists.selection import Selection
from revocation.models import ListDraft, ListUpload, RevocationRequest, RevocationStep
from tests.factories import Person, make_person

GRAPH_APP_ID = UUID("00000003-0000-0000-c000-000000000000")


@dataclass(frozen=True)
class Stage:
    """What exists in one tenant. Removal, sign-out, draft and session are their owner's alone."""

    tenant: Tenant
    app: ServicePrincipal
    resource: ServicePrincipal
    deleted_app: ServicePrincipal
    agent: ServicePrincipal  # the owner sponsors it
    blueprint: ServicePrincipal  # of that agent, to which it passes on Mail.Read
    person: DirectoryPerson
    request: RevocationRequest
    removal: RevocationRequest
    own_sign_out: RevocationRequest
    draft: ListDraft
    upload: ListUpload
    listed_request: RevocationRequest  # made from a list
    provider: Person  # of another tenant, let in by this one's admin
    provider_membership: Membership
    session: UserSession
    owner: Person
    rule: RefreshRule
    credential: GateCredential
    report: Report  # the owner does not recognise the app
    dealt: Dealt  # with the app, as a risky one
    entry: AuditEntry  # the owner signed in
    view: SavedView  # the owner's, of the apps


def set_up(tenant: Tenant, owner: Person, stranger: Person) -> Stage:
    """Fill the tenant. `owner` gets what only they may see; `stranger` is let in as a provider."""
    store = SessionStore()
    store.create()
    with tenant_context(tenant.pk):
        actor = Actor.of(owner.membership)
        blueprint = _app(tenant, "Minutes", kind=ServicePrincipal.Kind.BLUEPRINT)
        app, resource = _app(tenant, "Mail Sidekick"), _app(tenant, "Microsoft Graph", app_id=GRAPH_APP_ID)
        owner_in_copy = _person(tenant, owner.user.display_name, owner.object_id)
        PermissionGrant.objects.create(
            tenant=tenant,
            graph_id=f"grant-{uuid4()}",
            client=app,
            resource=resource,
            principal=owner_in_copy,
            consent_type=PermissionGrant.ConsentType.ONE,
            scopes=["Mail.Read"],
            synced_at=timezone.now(),
        )
        PermissionUse.objects.create(
            tenant=tenant, resource_id=resource.pk, kind="delegated", value="Mail.Read", reason="mail", apps=1
        )
        person = _person(tenant, "Pradeep Gupta", uuid4())
        listed = _request(tenant, actor, "sign_out", "revoke_sessions", person.pk)
        draft = kept.keep(tenant, actor, Selection([]), recipe="sign_out", actions=[], source="paste")
        ListDraft.objects.filter(pk=draft.pk).update(request=listed)
        return Stage(
            tenant=tenant,
            app=app,
            resource=resource,
            deleted_app=_app(tenant, "Old Notes", deleted_at=timezone.now()),
            agent=_agent(blueprint, resource, owner),
            blueprint=blueprint,
            person=person,
            request=_request(tenant, Actor.system(tenant.pk), "sign_out", "revoke_sessions", person.pk),
            removal=_request(tenant, actor, "remove_own_app", "delete_grant", uuid4()),
            own_sign_out=_request(tenant, actor, "sign_out_self", "revoke_sessions", owner.object_id),
            draft=kept.keep(tenant, actor, Selection([]), recipe="sign_out", actions=[], source="paste"),
            upload=ListUpload.objects.create(
                tenant=tenant,
                actor_id=actor.id,
                user_id=owner.user.pk,
                source="paste",
                recipe="sign_out",
                lines=1,
                expires_at=timezone.now() + kept.KEPT,
            ),
            listed_request=listed,
            provider=stranger,
            rule=RefreshRule.objects.create(
                tenant=tenant,
                person_id=person.pk,
                person_label=person.display_name,
                app_id=app.app_id,
                app_label=app.display_name,
                issued_before=timezone.now(),
                author_id=actor.id,
                author_label=actor.label,
                request_id=listed.pk,
            ),
            report=Report.objects.create(
                tenant=tenant,
                app_id=app.pk,
                app_label=app.display_name,
                actor_id=actor.id,
                actor_label=actor.label,
                user_id=owner.user.pk,
            ),
            dealt=Dealt.objects.create(
                tenant=tenant,
                kind=Dealt.Kind.RISKY,
                subject_id=app.pk,
                subject_label=app.display_name,
                by_id=actor.id,
                by_label=actor.label,
            ),
            view=SavedView.objects.create(
                tenant=tenant, membership=owner.membership, list="apps", name="Mine", query="q=mail"
            ),
            entry=record(AuditEvent.SIGNED_IN, tenant_id=tenant.pk, actor=actor),
            credential=GateCredential.objects.create(tenant=tenant, digest="0" * 80, created_by=actor.label),
            session=UserSession.objects.create(
                user=owner.user, session_key=store.session_key, ip="192.0.2.1", user_agent="Firefox"
            ),
            owner=owner,
            provider_membership=Membership.objects.create(
                tenant=tenant,
                user=stranger.user,
                roles=["helpdesk"],
                source=Membership.Source.GRANTED,
                granted_by="their admin",
            ),
        )


def _app(tenant: Tenant, name: str, **facts) -> ServicePrincipal:
    defaults = {"id": uuid4(), "app_id": uuid4(), "synced_at": timezone.now()}
    return ServicePrincipal.objects.create(tenant=tenant, display_name=name, **(defaults | facts))


def _agent(blueprint: ServicePrincipal, resource: ServicePrincipal, sponsor: Person) -> ServicePrincipal:
    tenant, now = blueprint.tenant, timezone.now()
    made = {"kind": ServicePrincipal.Kind.AGENT, "blueprint_app_id": blueprint.app_id, "ties_read_at": now}
    agent = _app(tenant, "Minutes Helper", **made)
    account = _person(tenant, "Minutes account", uuid4())
    DirectoryPerson.objects.filter(pk=account.pk).update(is_agent=True, agent_id=agent.pk)
    passed = {"tenant": tenant, "resource": resource, "scopes": ["Mail.Read"], "synced_at": now}
    PermissionGrant.objects.create(
        graph_id=f"grant-{uuid4()}", client=blueprint, consent_type="AllPrincipals", **passed
    )
    InheritedGrant.objects.create(agent=agent, blueprint=blueprint, kind=InheritedGrant.Kind.DELEGATED, **passed)
    AgentTie.objects.create(
        tenant=tenant,
        agent=agent,
        role=AgentTie.Role.SPONSOR,
        holder_id=sponsor.object_id,
        holder_type="user",
        holder_name=sponsor.user.display_name,
    )
    return agent


def _person(tenant: Tenant, name: str, object_id: UUID) -> DirectoryPerson:
    upn = f"{name.split()[0].lower()}@{tenant.domain}"
    return DirectoryPerson.objects.create(
        id=object_id, tenant=tenant, display_name=name, upn=upn, synced_at=timezone.now(), roles_known_at=timezone.now()
    )


def _request(tenant: Tenant, actor: Actor, kind: str, action: str, target_id: UUID) -> RevocationRequest:
    """A finished one, so that no worker touches it."""
    now = timezone.now()
    request = RevocationRequest.objects.create(
        tenant=tenant,
        kind=kind,
        title=kind.replace("_", " ").capitalize(),
        state=RevocationRequest.State.FINISHED,
        actor_id=actor.id,
        actor_label=actor.label,
        digest="0" * 64,
        step_count=1,
        actions={action: 1},
        finished_at=now,
    )
    RevocationStep.objects.create(
        tenant=tenant,
        request=request,
        position=0,
        action=action,
        target_type="user",
        target_id=str(target_id),
        target_label="Somebody",
        state=RevocationStep.State.VERIFIED,
        accepted_at=now - timedelta(seconds=2),
        finished_at=now,
    )
    return request


def stranger_from(tenant: Tenant, name: str) -> Person:
    """Somebody of another tenant, for memberships across tenants."""
    return make_person(tenant, uuid4(), name, "helpdesk")
