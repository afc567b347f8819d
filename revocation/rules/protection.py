"""Who may sign out whom, and what nobody may touch: Microsoft's own table, applied by us.

The portal acts with an app-only permission that knows no such limits, so a helpdesk agent could otherwise sign out a
Global Administrator. https://learn.microsoft.com/entra/identity/role-based-access-control/privileged-roles-permissions
"""

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.directory_roles import PLAIN_USER, DirectoryRole, role_names
from accounts.models import Tenant
from accounts.roles import Role
from directory.models import MICROSOFT_TENANT_IDS, Person, ServicePrincipal
from graph import types

_HELPDESK_ROW = frozenset(
    {
        DirectoryRole.DIRECTORY_READERS,
        DirectoryRole.GUEST_INVITER,
        DirectoryRole.HELPDESK_ADMINISTRATOR,
        DirectoryRole.MESSAGE_CENTER_READER,
        DirectoryRole.PASSWORD_ADMINISTRATOR,
        DirectoryRole.REPORTS_READER,
        DirectoryRole.USER_EXPERIENCE_SUCCESS_MANAGER,
        DirectoryRole.USAGE_SUMMARY_REPORTS_READER,
    }
)
# Whom a directory role may sign out, by the roles they hold; people without a role are in every row.
TABLE: dict[str, frozenset[str]] = {
    DirectoryRole.HELPDESK_ADMINISTRATOR: _HELPDESK_ROW,
    DirectoryRole.PASSWORD_ADMINISTRATOR: frozenset(
        {DirectoryRole.DIRECTORY_READERS, DirectoryRole.GUEST_INVITER, DirectoryRole.PASSWORD_ADMINISTRATOR}
    ),
    DirectoryRole.AUTHENTICATION_ADMINISTRATOR: _HELPDESK_ROW - {DirectoryRole.HELPDESK_ADMINISTRATOR}
    | {DirectoryRole.AUTHENTICATION_ADMINISTRATOR},
    DirectoryRole.USER_ADMINISTRATOR: _HELPDESK_ROW
    | {DirectoryRole.GROUPS_ADMINISTRATOR, DirectoryRole.USER_ADMINISTRATOR},
}
EVERYONE = frozenset({DirectoryRole.GLOBAL_ADMINISTRATOR, DirectoryRole.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR})
# Only those two may sign out the holders of these, whatever role the portal gives.
HIGHEST = EVERYONE | {DirectoryRole.PRIVILEGED_ROLE_ADMINISTRATOR}


def refusal(tenant: Tenant, person: Person, actor: Actor) -> str | None:
    """Why this actor may not sign this person out; None where they may. A sentence for people."""
    if person.is_guest:
        home = person.home_domain or _("another organisation")
        return _("%(person)s is a guest: the sessions belong to %(home)s, and only it can end them.") % {
            "person": person.display_name or person.upn,
            "home": home,
        }
    if _is_self(person.pk, actor):
        return None
    if person.pk in tenant.break_glass_ids and not _is_operator(actor) and Role.TENANT_ADMIN not in actor.roles:
        return _("This is an emergency access account; only a tenant admin may sign it out.")
    return _by_table(person.role_template_ids, _Reach.of(tenant, actor))


def refusals(tenant: Tenant, person_ids: Iterable[UUID], actor: Actor) -> dict[UUID, str]:
    """The same for a list, as a mass action: the actor and emergency accounts are protected too.

    Two queries, whatever the length. People we do not know are not in the answer.
    """
    reach = _Reach.of(tenant, actor)
    break_glass = set(tenant.break_glass_ids)
    found: dict[UUID, str] = {}
    # One array instead of `pk__in`: tens of thousands of separate parameters cost more than the query itself.
    wanted = {"where": ["directory_person.id = ANY(%s)"], "params": [list(person_ids)]}
    people = Person.objects.filter(tenant=tenant).extra(**wanted)
    for pk, is_guest, home, roles in people.values_list(
        "pk", "is_guest", "home_domain", "role_template_ids"
    ).iterator():
        why = None
        if _is_self(pk, actor):
            why = _("You asked for this: a mass action leaves its own author out.")
        elif pk in break_glass:
            why = _("An emergency access account: mass actions leave it out.")
        elif is_guest:
            home = home or _("another organisation")
            why = _("A guest: the sessions belong to %(home)s, and only it can end them.") % {"home": home}
        else:
            why = _by_table(roles, reach)
        if why:
            found[pk] = why
    return found


def app_refusal(tenant: Tenant, app: ServicePrincipal | types.ServicePrincipal) -> str | None:
    """Why nobody may change this app here, whether our copy shows it or Graph does; None where one may.

    https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
    """
    if str(app.app_id) == settings.ENTRA_CLIENT_ID.lower() or app.id == tenant.own_service_principal_id:
        return _("This is Consentry itself. Taking it out would cut the portal off from this organisation.")
    if str(app.owner_tenant_id) in MICROSOFT_TENANT_IDS:
        return _("This app is Microsoft's own, and parts of Microsoft 365 or Azure depend on it. It stays as it is.")
    return None


class _Reach:
    """Whom an actor may sign out: everyone, or holders of no roles but these."""

    def __init__(self, everyone: bool = False, roles: frozenset[str] = frozenset(), all_but_highest: bool = False):
        self.everyone = everyone
        self.roles = roles
        self.all_but_highest = all_but_highest

    @classmethod
    def of(cls, tenant: Tenant, actor: Actor) -> "_Reach":
        if _is_operator(actor):
            return cls(everyone=True)
        held = _directory_roles(tenant, actor)
        if held & EVERYONE:
            return cls(everyone=True)
        reach = frozenset().union(*(TABLE.get(role, frozenset()) for role in held))
        if Role.HELPDESK in actor.roles:
            reach |= _HELPDESK_ROW
        return cls(roles=reach, all_but_highest=Role.TENANT_ADMIN in actor.roles)


def _by_table(roles: Iterable[UUID | str], reach: _Reach) -> str | None:
    held = {str(role) for role in roles} - {PLAIN_USER}
    if reach.everyone:
        return None
    beyond = held & HIGHEST if reach.all_but_highest else held - reach.roles
    if not beyond:
        return None
    names = ", ".join(role_names(sorted(beyond)))
    return _("Holds %(roles)s: by Microsoft's rules your role may not sign out such an administrator.") % {
        "roles": names
    }


def _directory_roles(tenant: Tenant, actor: Actor) -> set[str]:
    """The actor's own roles in this tenant's directory, as our copy knows them."""
    try:
        object_id = UUID(actor.id)
    except ValueError:
        return set()
    roles = Person.objects.filter(tenant=tenant, pk=object_id).values_list("role_template_ids", flat=True).first()
    return {str(role) for role in roles or ()}


def _is_self(person_id: UUID, actor: Actor) -> bool:
    return str(person_id) == actor.id


def _is_operator(actor: Actor) -> bool:
    """Whoever has a shell on the server, and the portal itself, act for the operator."""
    return actor.user_id is None and actor.id in {Actor.command_line().id, Actor.system().id}
