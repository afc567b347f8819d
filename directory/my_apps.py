"""The apps that can act in one person's name. Read through `directory.selectors`."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Tenant
from directory import risk as risks, wording
from directory.models import PermissionGrant, Risk, ServicePrincipal

Types = PermissionGrant.ConsentType


@dataclass(frozen=True)
class MyApp:
    """An app that can act in one person's name.

    Attributes:
        own_grants: given by the person, and theirs to take back.
        organisation_grants: given by an administrator for everyone.
        permissions: the two together, by resource, most powerful first; a sentence names the grants that hold it.
    """

    app: ServicePrincipal
    own_grants: tuple[PermissionGrant, ...]
    organisation_grants: tuple[PermissionGrant, ...]
    permissions: tuple[wording.ResourcePermissions, ...]
    summary: str
    reasons: tuple[risks.Reason, ...]

    @property
    def id(self) -> UUID:
        return self.app.pk

    @property
    def scopes(self) -> list[str]:
        return [sentence.value for group in self.permissions for sentence in group.sentences]

    @property
    def risk(self) -> Risk:
        return Risk(self.app.risk)

    @property
    def is_portal(self) -> bool:
        """Whether this is the very portal that shows the list."""
        return self.app.is_portal

    @property
    def works_offline(self) -> bool:
        return risks.OFFLINE in self.scopes

    @property
    def can_act(self) -> bool:
        """Whether it can use the account now; an app somebody switched off keeps its grants, asleep."""
        return self.app.can_act

    @property
    def removable(self) -> bool:
        """Whether the person can take something back here. The portal itself would ask for it again at once."""
        return bool(self.own_grants) and not self.is_portal

    @property
    def granted_by_me(self) -> bool:
        return bool(self.own_grants)

    @property
    def granted_by_organisation(self) -> bool:
        return bool(self.organisation_grants)

    @property
    def first_seen_at(self) -> datetime:
        return min(grant.first_seen_at for grant in (*self.own_grants, *self.organisation_grants))

    def mine(self, sentence: wording.Sentence) -> tuple[PermissionGrant, ...]:
        """The person's own grants that hold this permission."""
        return tuple(grant for grant in sentence.grants if grant in self.own_grants)


def my_apps(tenant: Tenant, object_id: UUID | str) -> list[MyApp]:
    """Every app allowed to act in this person's name: theirs to remove first, then by risk and name. Three queries.

    Apps somebody switched off come last: they can do nothing until they are switched on again.
    """
    return _my_apps(tenant, _grants_reaching(tenant, object_id))


def my_app(tenant: Tenant, object_id: UUID | str, app_id: UUID | str) -> MyApp:
    """One of `my_apps`.

    Raises:
        ServicePrincipal.DoesNotExist: no such app can act in this person's name.
    """
    found = _my_apps(tenant, _grants_reaching(tenant, object_id).filter(client_id=app_id))
    if not found:
        raise ServicePrincipal.DoesNotExist
    return found[0]


def _grants_reaching(tenant: Tenant, object_id: UUID | str) -> QuerySet[PermissionGrant]:
    mine = Q(principal_id=object_id, consent_type=Types.ONE)
    found = PermissionGrant.objects.filter(mine | Q(consent_type=Types.ALL), tenant=tenant)
    return found.filter(client__deleted_at__isnull=True).select_related("client").order_by("pk")


def _my_apps(tenant: Tenant, grants: Iterable[PermissionGrant]) -> list[MyApp]:
    by_app: dict[UUID, list[PermissionGrant]] = defaultdict(list)
    for grant in grants:
        by_app[grant.client_id].append(grant)
    resources = {grant.resource_id for held in by_app.values() for grant in held}
    definitions = wording.Definitions(tenant, resources) if resources else None
    found = [_my_app(held, definitions) for held in by_app.values()]
    return sorted(found, key=_order)


def _order(one: MyApp) -> tuple:
    return (not one.can_act, not one.removable, -one.risk, one.app.display_name.casefold(), str(one.id))


def _my_app(held: list[PermissionGrant], definitions: wording.Definitions) -> MyApp:
    client = held[0].client
    permissions = tuple(wording.sentences(held, "user", definitions))
    sentences = [sentence for group in permissions for sentence in group.sentences]
    return MyApp(
        app=client,
        own_grants=tuple(grant for grant in held if grant.consent_type == Types.ONE),
        organisation_grants=tuple(grant for grant in held if grant.consent_type == Types.ALL),
        permissions=permissions,
        summary=wording.summary([sentence.value for sentence in sentences], "user"),
        reasons=tuple(risks.reasons(client.risk_reasons)),
    )
