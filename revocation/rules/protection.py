"""Who may sign out whom, and what nobody may touch: Microsoft's own table, applied by us.

The portal acts with an app-only permission that knows no such limits, so a helpdesk agent could otherwise sign out a
Global Administrator. Where it is not known which roles somebody holds, nobody is signed out on a guess: the refusal
says what to grant. https://learn.microsoft.com/entra/identity/role-based-access-control/privileged-roles-permissions
"""

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings

from accounts.access import Actor
from accounts.directory_roles import PLAIN_USER, DirectoryRole, role_names
from accounts.ids import id_or_none
from accounts.models import Tenant
from accounts.permissions import Standing, standing
from accounts.roles import Capability, Role, capabilities
from directory import features
from directory.many import among
from directory.models import MICROSOFT_TENANT_IDS, Person, ServicePrincipal
from directory.roles import KnownRoles, Roles
from graph import types
from graph.sentences import gettext as _
from revocation.rules import two_persons

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
    if why := _no_sessions_here(person.is_agent, person.is_external, person.home_domain):
        return why
    if _is_self(person.pk, actor):
        return None
    emergency = person.pk in two_persons.emergency_accounts(tenant)
    if emergency and not _is_operator(actor) and Role.TENANT_ADMIN not in actor.roles:
        return _("This is an emergency access account; only a tenant admin may sign it out.")
    known = KnownRoles(tenant)
    return _by_table(tenant, known.of_person(person), _Reach.of(tenant, actor, known))


def refusals(tenant: Tenant, person_ids: Iterable[UUID], actor: Actor) -> dict[UUID, str]:
    """The same for a list, as a mass action: the actor and emergency accounts are protected too.

    Three queries, whatever the length. People we do not know are not in the answer.
    """
    known = KnownRoles(tenant)
    reach = _Reach.of(tenant, actor, known)
    break_glass = two_persons.emergency_accounts(tenant)
    found: dict[UUID, str] = {}
    for is_agent, is_external, home, *roles in _people(tenant, person_ids):
        pk = roles[0]
        if _is_self(pk, actor):
            why = _("You asked for this: a mass action leaves its own author out.")
        elif pk in break_glass:
            why = _("An emergency access account: mass actions leave it out.")
        else:
            why = _no_sessions_here(is_agent, is_external, home) or _by_table(tenant, known.of(*roles), reach)
        if why:
            found[pk] = why
    return found


class Guard:
    """Whom some actors together may not sign out, for who asks again and again: one query each time.

    Args:
        actors: all of whom must be allowed to. Nobody is protected from themselves.
        alone: it is about one person, not about a list.
    """

    def __init__(self, tenant: Tenant, actors: Iterable[Actor], *, alone: bool) -> None:
        self.tenant, self.alone = tenant, alone
        self._known = KnownRoles(tenant)
        self._reaches = [(actor, _Reach.of(tenant, actor, self._known)) for actor in actors]
        self._emergency = two_persons.emergency_accounts(tenant)

    def refusals(self, person_ids: Iterable[UUID]) -> dict[UUID, str]:
        """By id, in a sentence. People we do not know are not in the answer."""
        found: dict[UUID, str] = {}
        for _is_agent, _is_external, _home, *roles in _people(self.tenant, person_ids):
            holds = self._known.of(*roles)
            found[roles[0]] = next(filter(None, (self._refusal(roles[0], holds, *one) for one in self._reaches)), "")
        return {pk: why for pk, why in found.items() if why}

    def _refusal(self, pk: UUID, holds: Roles, actor: Actor, reach: "_Reach") -> str | None:
        if _is_self(pk, actor):
            return None
        if pk in self._emergency and not (self.alone and (reach.everyone or Role.TENANT_ADMIN in actor.roles)):
            return _("An emergency access account: mass actions leave it out.")
        return _by_table(self.tenant, holds, reach)


def _people(tenant: Tenant, person_ids: Iterable[UUID]):
    """Rows of `is_agent`, `is_external`, `home_domain` and what `KnownRoles.of` takes."""
    people = Person.objects.filter(among("directory_person.id", person_ids), tenant=tenant)
    return people.values_list("is_agent", "is_external", "home_domain", *KnownRoles.FIELDS).iterator()


def _no_sessions_here(is_agent: bool, is_external: bool, home_domain: str) -> str | None:
    """https://learn.microsoft.com/graph/api/user-revokesigninsessions: external users sign in through their home."""
    if is_agent:
        return _("An agent's account, and no person: it stops when the agent is disabled.")
    if is_external:
        home = home_domain or _("another organisation")
        return _("Signs in at %(home)s: the sessions belong to it, and only it can end them.") % {"home": home}
    return None


def restricted_unit() -> str:
    """What is to be expected of somebody in a restricted unit. No refusal of ours: a role may be given to the portal.

    https://learn.microsoft.com/entra/identity/role-based-access-control/admin-units-restricted-management
    """
    return _(
        "In a restricted administrative unit: Microsoft will refuse the portal, unless a role in that unit was given"
        " to it. An administrator of the unit can end these sessions in Entra."
    )


def app_refusal(tenant: Tenant, app: ServicePrincipal | types.ServicePrincipal) -> str | None:
    """Why nobody may change this app here, whether our copy shows it or Graph does; None where one may.

    https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
    """
    if str(app.app_id) == settings.ENTRA_CLIENT_ID.lower() or app.id == tenant.own_service_principal_id:
        return _("This is Consentry itself. Taking it out would cut the portal off from this organisation.")
    if app.kind == types.AppKind.MANAGED_IDENTITY:
        return _(
            "A managed identity belongs to a resource in Azure, and ends with it: Entra lets nobody disable, delete or"
            " restore it here."
        )
    if str(app.owner_tenant_id) in MICROSOFT_TENANT_IDS:
        return _("This app is Microsoft's own, and parts of Microsoft 365 or Azure depend on it. It stays as it is.")
    return None


class _Reach:
    """Whom an actor may sign out: everyone, nobody, or holders of no roles but these."""

    def __init__(
        self,
        everyone: bool = False,
        roles: frozenset[str] = frozenset(),
        all_but_highest: bool = False,
        nobody: bool = False,
    ):
        self.everyone = everyone
        self.nobody = nobody
        self.roles = roles
        self.all_but_highest = all_but_highest

    @classmethod
    def of(cls, tenant: Tenant, actor: Actor, known: KnownRoles) -> "_Reach":
        if _is_operator(actor):
            return cls(everyone=True)
        if Capability.SIGN_OUT_PEOPLE not in capabilities(actor.roles):
            return cls(nobody=True)  # as Entra gives an Application Administrator none of people's sessions
        held = _directory_roles(tenant, actor, known)
        if held & EVERYONE:
            return cls(everyone=True)
        reach = frozenset().union(*(TABLE.get(role, frozenset()) for role in held))
        if Role.HELPDESK in actor.roles:
            reach |= _HELPDESK_ROW
        return cls(roles=reach, all_but_highest=Role.TENANT_ADMIN in actor.roles)

    def beyond(self, roles: frozenset[str]) -> frozenset[str]:
        """Those of these roles whose holders are out of reach."""
        if self.everyone:
            return frozenset()
        return roles & HIGHEST if self.all_but_highest else roles - self.roles - {PLAIN_USER}


def _by_table(tenant: Tenant, roles: Roles, reach: _Reach) -> str | None:
    if reach.everyone:
        return None
    if reach.nobody:
        return _("Your role gives you apps, and nobody's sessions: helpdesk or a tenant admin may end them.")
    if beyond := reach.beyond(roles.held):
        return _("Holds %(roles)s: by Microsoft's rules your role may not sign out such an administrator.") % {
            "roles": ", ".join(role_names(sorted(beyond)))
        }
    # Two rows of the table are about no role. Whether a unit is a restricted one the portal may not see.
    if roles.scoped and not reach.all_but_highest:
        return _("Holds a role in an administrative unit: by Microsoft's rules your role may not sign them out.")
    if roles.in_role_group and not reach.all_but_highest:
        return _("Belongs to a group that can hold directory roles: your role may not sign out such a person.")
    return _not_known(tenant, roles, reach)


def _not_known(tenant: Tenant, roles: Roles, reach: _Reach) -> str | None:
    """Why what is not known stands in the way; None where it makes no difference to this actor."""
    if not roles.known:
        return _lacking(
            tenant,
            features.ROLES.any_of,
            _("It is not known which directory roles this person holds, so nobody may end their sessions."),
        )
    if beyond := reach.beyond(roles.possible):
        text = _("Whether this person holds %(roles)s through a group is not known, so you may not end their sessions.")
        return _lacking(tenant, features.GROUPS.any_of, text % {"roles": ", ".join(role_names(sorted(beyond)))})
    if roles.in_role_group is None and not reach.all_but_highest:
        text = _("It is not known whether this person belongs to a group that can hold directory roles.")
        return _lacking(tenant, features.GROUPS.any_of, text)
    return None


def _lacking(tenant: Tenant, any_of: tuple[str, ...], text: str) -> str:
    """The sentence with what helps: the permission to grant, or another reading where it is granted."""
    if standing(tenant, any_of) == Standing.GRANTED:
        return _("%(text)s It could not be read lately; read the directory again, on the connection page.") % {
            "text": text
        }
    return _("%(text)s An administrator can grant the portal %(permission)s; the connection page shows how.") % {
        "text": text,
        "permission": any_of[0],
    }


def _directory_roles(tenant: Tenant, actor: Actor, known: KnownRoles) -> frozenset[str]:
    """The actor's own roles in this tenant's directory, as our copy knows them; none where it does not."""
    people = Person.objects.filter(tenant=tenant, pk=id_or_none(actor.id))
    person = people.values_list(*KnownRoles.FIELDS).first()
    roles = known.of(*person) if person else None
    return roles.held if roles and roles.known else frozenset()


def _is_self(person_id: UUID, actor: Actor) -> bool:
    return str(person_id) == actor.id


def _is_operator(actor: Actor) -> bool:
    """Whoever has a shell on the server, and the portal itself, act for the operator."""
    return actor.user_id is None and actor.id in {Actor.command_line().id, Actor.system().id}
