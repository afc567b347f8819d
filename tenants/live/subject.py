"""The test user and the test app of a live check: who may be one, read from Microsoft just now."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import Tenant
from directory import sync
from directory.models import Person, ServicePrincipal
from graph import types
from graph.client import GraphClient
from graph.errors import Forbidden, NotFound
from revocation.rules import protection

MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"
DEFAULT_ACCESS = UUID(int=0)  # what an app without roles of its own is assigned with


class Unfit(Exception):
    """This user or this app is not one to try things on. The text says why."""


@dataclass(frozen=True)
class Subject:
    """What the check may touch, and nothing else.

    Attributes:
        graph: Microsoft Graph's own service principal, for which the test grant is given.
        role_id: what the user is assigned to the app with; None where the app has no role for people.
    """

    tenant: Tenant
    person: Person
    app: ServicePrincipal
    graph: types.ServicePrincipal
    role_id: UUID | None

    def names(self) -> dict[str, str]:
        """The placeholders of what is known, by its id."""
        return {
            str(self.tenant.pk): "tenant",
            str(self.person.pk): "user",
            self.person.upn: "upn",
            str(self.app.pk): "app",
            str(self.app.app_id): "appId",
            str(self.graph.id): "resource",
            MICROSOFT_GRAPH: "resourceAppId",
            settings.ENTRA_CLIENT_ID: "ourAppId",
            **({str(self.role_id): "role"} if self.role_id is not None else {}),
        }


def subject(tenant: Tenant, user: str, app: str) -> Subject:
    """The named user and app, once both were found fit.

    Args:
        user: object id or user principal name.
        app: object id or client id.

    Raises:
        Unfit: one of them is not there, or is nobody to try things on.
        GraphError: Microsoft could not be asked.
    """
    client = GraphClient(tenant.pk, priority="high")
    person_id = _person(tenant, client, user)
    found = _app(tenant, client, app)
    sync.refresh_person(tenant, person_id)
    sync.refresh_app(tenant, found.id)
    return Subject(
        tenant=tenant,
        person=Person.objects.get(tenant=tenant, pk=person_id),
        app=ServicePrincipal.objects.get(tenant=tenant, pk=found.id),
        graph=client.service_principal_by_app_id(MICROSOFT_GRAPH),
        role_id=_role(found),
    )


def _person(tenant: Tenant, client: GraphClient, user: str) -> UUID:
    try:
        person = client.user(user)
    except NotFound:
        raise Unfit(_("The organisation has no user %(user)s.") % {"user": user}) from None
    if person.is_external:
        raise Unfit(_("The test user is external: its sessions belong to another organisation."))
    if person.id in tenant.break_glass_ids:
        raise Unfit(_("The test user is an emergency access account."))
    try:
        held = client.roles_of(person.id)
    except Forbidden:
        text = _("Whether the test user holds a directory role is not known: grant RoleManagement.Read.Directory.")
        raise Unfit(text) from None
    if held:
        raise Unfit(_("The test user holds a directory role. Name one without."))
    return person.id


def _app(tenant: Tenant, client: GraphClient, app: str) -> types.ServicePrincipal:
    try:
        wanted = UUID(app)
    except ValueError:
        raise Unfit(_("Name the test app by its object id or client id: names may be ambiguous.")) from None
    try:
        found = client.service_principal(wanted)
    except NotFound:
        try:
            found = client.service_principal_by_app_id(wanted)
        except NotFound:
            raise Unfit(_("The organisation has no app %(app)s.") % {"app": app}) from None
    if why := protection.app_refusal(tenant, found):
        raise Unfit(why)
    if found.kind != types.AppKind.APPLICATION:
        raise Unfit(_("The test app is a %(kind)s, not an ordinary application.") % {"kind": found.kind})
    if not found.account_enabled:
        raise Unfit(_("The test app is disabled. Name one that is enabled, since it will be put back to that."))
    if client.grants_of_client(found.id) or client.assigned_to(found.id) or client.app_permissions_of(found.id):
        raise Unfit(_("The test app is in use: it has consents, assignments or permissions. Name one that has none."))
    return found


def _role(app: types.ServicePrincipal) -> UUID | None:
    """https://learn.microsoft.com/graph/api/resources/approleassignment#properties"""
    if not app.app_roles:
        return DEFAULT_ACCESS
    return next((role.id for role in app.app_roles if role.for_people and role.is_enabled), None)


def nobody() -> str:
    """An id that nothing has."""
    return str(uuid4())
