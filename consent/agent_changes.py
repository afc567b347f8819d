"""What administrators decide about blueprints of AI agents; apps and single agents are `consent.services`' own.

Raises `revocation.rules.refusals.Refused` (in words) or `Absent` (a 404) with nothing begun.
"""

from uuid import UUID

from accounts.access import Actor
from accounts.models import Tenant
from consent.apps_now import Absent, app_now, asking_microsoft, client_of
from directory import agents
from directory.models import AppRoleAssignment, InheritedGrant, PermissionDefinition, PermissionGrant, ServicePrincipal
from graph import types
from graph.sentences import gettext as _
from revocation import services as revocation
from revocation.actions import sign_out_agent, take_from_blueprint
from revocation.models import RevocationRequest
from revocation.rules.refusals import NothingToRevoke
from revocation.steps import StepDraft

Kind = InheritedGrant.Kind


def take_from_blueprint_of(
    tenant: Tenant,
    blueprint: ServicePrincipal,
    resource_id: UUID,
    kind: str,
    value: str,
    *,
    actor: Actor,
    reason: str = "",
    ticket: str = "",
) -> RevocationRequest:
    """Take one permission from a blueprint, and with it from every agent made from it.

    Args:
        kind: of `InheritedGrant.Kind`: what it may do for everybody, or with nobody signed in.

    Raises:
        Absent: it is no blueprint of this tenant.
        NothingToRevoke: its principal does not hold the permission (any more).
        Protected: it is Microsoft's own.
    """
    if blueprint.kind != ServicePrincipal.Kind.BLUEPRINT:
        raise Absent
    now = app_now(tenant, blueprint)
    step = _scope(tenant, now, resource_id, value) if kind == Kind.DELEGATED else _role(tenant, now, resource_id, value)
    if step is None:
        raise NothingToRevoke(_("%(app)s does not hold this permission (any more).") % {"app": now.display_name})
    return revocation.submit(
        tenant=tenant,
        actor=actor,
        kind=step.action,
        title=_("Take %(permission)s from %(app)s") % {"permission": value, "app": now.display_name},
        reason=reason,
        ticket=ticket,
        steps=[step],
    )


def sign_out_account_of(
    tenant: Tenant, agent: ServicePrincipal, *, actor: Actor, reason: str = "", ticket: str = ""
) -> RevocationRequest:
    """End the sessions of this agent's own account. The agent itself goes on.

    Raises:
        Absent: the agent has no account here.
        Protected: it is Microsoft's own.
    """
    account = agents.account_of(agent)
    if account is None:
        raise Absent
    app_now(tenant, agent)
    return revocation.submit(
        tenant=tenant,
        actor=actor,
        kind=sign_out_agent.SignOutAgent.name,
        title=_("Sign out the account of %(app)s") % {"app": agent.display_name},
        reason=reason,
        ticket=ticket,
        steps=[sign_out_agent.step(account)],
    )


def _scope(tenant: Tenant, now: types.ServicePrincipal, resource_id: UUID, scope: str) -> StepDraft | None:
    """As Graph shows the blueprint's grants for everybody at this moment."""
    with asking_microsoft():
        grants = client_of(tenant).grants_of_client(now.id)
    for grant in grants:
        for_all = grant.consent_type == PermissionGrant.ConsentType.ALL and grant.resource_id == resource_id
        if for_all and scope in grant.scopes:
            return take_from_blueprint.scope_step(grant, scope, label=now.display_name)
    return None


def _role(tenant: Tenant, now: types.ServicePrincipal, resource_id: UUID, value: str) -> StepDraft | None:
    named = PermissionDefinition.objects.filter(
        tenant=tenant, resource_id=resource_id, kind=PermissionDefinition.Kind.APPLICATION, value=value
    )
    wanted = {str(pk) for pk in named.values_list("permission_id", flat=True)} | {value}
    with asking_microsoft():
        held = client_of(tenant).app_permissions_of(now.id)
    for item in held:
        if item.resource_id == resource_id and str(item.app_role_id) in wanted:
            row = AppRoleAssignment(
                tenant=tenant,
                graph_id=item.id,
                resource=ServicePrincipal.objects.get(tenant=tenant, pk=resource_id),
                principal_id=item.principal_id,
                principal_type=item.principal_type,
                principal_name=item.principal_name,
                app_role_id=item.app_role_id,
            )
            return take_from_blueprint.role_step(row, label=now.display_name)
    return None
