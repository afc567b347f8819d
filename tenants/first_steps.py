"""What is left to do after a tenant was connected, each thing ticked by what is so and by nobody's word."""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _, ngettext

from accounts.models import Membership, Tenant
from accounts.roles import APP_ROLES, CAPABILITIES, Capability, Role
from accounts.selectors import security_contact
from directory import selectors
from directory.models import AppRoleAssignment, Collection, PermissionDefinition
from graph import entra_pages
from graph.sentences import grouped

READ = (
    Collection.Kind.SERVICE_PRINCIPALS,
    Collection.Kind.GRANTS,
    Collection.Kind.ASSIGNMENTS,
    Collection.Kind.PEOPLE,
    Collection.Kind.ROLES,
)


class State(StrEnum):
    DONE = "done"
    OPEN = "open"
    NOT_KNOWN = "not_known"  # the directory does not tell, or not yet


@dataclass(frozen=True)
class Step:
    """One thing to do: what is so now, and where it is done."""

    title: str
    text: str
    state: State
    address: str = ""
    word: str = ""  # of the link

    @property
    def is_done(self) -> bool:
        return self.state == State.DONE


def first_steps(membership: Membership) -> list[Step]:
    """The whole list, as this administrator sees it."""
    tenant = membership.tenant
    return [_directory(tenant), _roles(tenant), _emergency(tenant), _contact(tenant), _second_approver(membership)]


def settings_are_open(tenant: Tenant) -> bool:
    """Whether something that only the tenant's settings hold is missing. Asks nobody and nothing."""
    return not tenant.break_glass_ids or security_contact(tenant) is None


def _directory(tenant: Tenant) -> Step:
    title, fresh = _("The directory is read"), selectors.freshness(tenant)
    connection = reverse("tenants:connection", args=[tenant.slug])
    missing = [fresh[kind] for kind in READ if not fresh[kind].complete_at]
    if not missing:
        apps = fresh[Collection.Kind.SERVICE_PRINCIPALS].row_count
        text = ngettext("All of it: %(n)s app.", "All of it: %(n)s apps.", apps) % {"n": grouped(apps)}
        return Step(title, text, State.DONE, connection, _("Connection"))
    words = ", ".join(str(one.get_kind_display()) for one in missing)
    parts = {"n": len(READ) - len(missing), "of": len(READ), "words": words}
    text = _("%(n)d of %(of)d parts are complete. Still being read: %(words)s.") % parts
    return Step(title, text, State.OPEN, connection, _("Connection"))


def _roles(tenant: Tenant) -> Step:
    """Whether somebody was given our app roles for helpdesk and audit, as the directory says; or works here by them."""
    title = _("Helpdesk and auditors have their roles")
    wanted = {Role.HELPDESK, Role.AUDITOR}
    values = {value: role for value, role in APP_ROLES.items() if role in wanted}
    definitions = PermissionDefinition.objects.filter(
        tenant=tenant, resource_id=tenant.own_service_principal_id, value__in=values, kind="application"
    )
    ids = dict(definitions.values_list("permission_id", "value"))
    given = AppRoleAssignment.objects.filter(
        tenant=tenant, resource_id=tenant.own_service_principal_id, app_role_id__in=ids
    ).exclude(principal_type="ServicePrincipal")
    have = {values[ids[role_id]] for role_id in given.values_list("app_role_id", flat=True).distinct()}
    for role in wanted - have:
        if Membership.objects.filter(tenant=tenant, roles__contains=[role]).exists():
            have.add(role)
    known = selectors.is_read(tenant, Collection.Kind.ASSIGNMENTS)
    left = [str(role.label) for role in (Role.HELPDESK, Role.AUDITOR) if role not in have]
    if not left:
        text, state = _("Somebody works as each of them."), State.DONE
    elif known:
        text, state = _("Nobody has these roles yet: %(roles)s.") % {"roles": ", ".join(left)}, State.OPEN
    else:
        text, state = _("Not known yet for: %(roles)s.") % {"roles": ", ".join(left)}, State.NOT_KNOWN
    return Step(title, text, state, _app_roles(tenant), _("Give roles in Entra"))


def _app_roles(tenant: Tenant) -> str:
    """Where people and groups get our app roles."""
    return entra_pages.users_and_groups(tenant.pk, tenant.own_service_principal_id, settings.ENTRA_CLIENT_ID)


def _emergency(tenant: Tenant) -> Step:
    count = len(tenant.break_glass_ids)
    text = (
        ngettext("%(n)d account is never touched.", "%(n)d accounts are never touched.", count) % {"n": count}
        if count
        else _("Name the accounts you would get in with if everything else failed: no mass action touches them.")
    )
    title, state = _("Break-glass accounts are named"), State.DONE if count else State.OPEN
    return Step(title, text, state, reverse("tenants:settings", args=[tenant.slug]), _("Settings"))


def _contact(tenant: Tenant) -> Step:
    contact = security_contact(tenant)
    text = (
        ", ".join(filter(None, (contact.name, contact.phone, contact.mail)))
        if contact
        else _("Whom a worried person may call or write to. It is shown to everybody of your organisation.")
    )
    title, state = _("A security contact is named"), State.DONE if contact else State.OPEN
    return Step(title, text, state, reverse("tenants:settings", args=[tenant.slug]), _("Settings"))


def _second_approver(membership: Membership) -> Step:
    tenant = membership.tenant
    may = [role for role, can in CAPABILITIES.items() if Capability.APPROVE in can]
    others = Membership.objects.filter(tenant=tenant, roles__overlap=may).exclude(pk=membership.pk).count()
    words = ngettext("%(n)d person besides you may approve.", "%(n)d people besides you may approve.", others)
    nobody = _("Nobody besides you who may approve has signed in here yet: what needs two persons would wait in vain.")
    text = words % {"n": others} if others else nobody
    title, state = _("A second approver is there"), State.DONE if others else State.OPEN
    return Step(title, text, state, _app_roles(tenant), _("Give roles in Entra"))
