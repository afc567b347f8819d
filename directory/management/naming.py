"""Naming people and apps on the command line."""

from django.core.management.base import CommandError
from django.db.models import Q

from accounts.ids import id_or_none
from accounts.models import Tenant
from directory import sync
from directory.models import Person, ServicePrincipal
from graph.client import GraphClient
from graph.errors import GraphError, NotFound


def person_called(tenant: Tenant, wanted: str) -> Person:
    """A person of this tenant by UPN, mail address or object id, read from Microsoft just now."""
    try:
        object_id = str(GraphClient(tenant.pk, priority="high").user(wanted).id)
    except NotFound:
        people = Person.objects.filter(Q(upn__iexact=wanted) | Q(mail__iexact=wanted), tenant=tenant)
        if people.count() != 1:
            raise CommandError(f"{tenant.name} has no user {wanted}.") from None
        object_id = str(people.get().pk)
    except GraphError as error:
        raise CommandError(f"Microsoft could not be asked about {wanted}: {error}") from error
    try:
        sync.refresh_person(tenant, object_id)
    except GraphError as error:
        raise CommandError(f"Microsoft could not be asked about {wanted}: {error}") from error
    found = Person.objects.filter(tenant=tenant, pk=object_id).first()
    if found is None:
        raise CommandError(f"{tenant.name} has no user {wanted}.")
    return found


def find_app(tenant: Tenant, name: str) -> ServicePrincipal:
    """The app by object id, client id or exact name; names may be ambiguous, ids are not."""
    apps = ServicePrincipal.objects.filter(tenant=tenant)
    if wanted := id_or_none(name):
        found = list(apps.filter(pk=wanted) | apps.filter(app_id=wanted))
    else:
        found = list(apps.filter(display_name__iexact=name)[:3])
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(str(app.pk) for app in found)
        raise CommandError(f"Several apps fit {name}. Name one by its object id: {ids}")
    raise CommandError(f"No app of {tenant.name} is called {name}. Has the directory been read (sync_directory)?")


def find_person(tenant: Tenant, name: str) -> Person:
    """A person by object id or UPN."""
    people = Person.objects.filter(tenant=tenant)
    wanted = id_or_none(name)
    found = people.filter(pk=wanted).first() if wanted else people.filter(upn__iexact=name).first()
    if found is None:
        raise CommandError(f"Nobody in {tenant.name} is called {name}.")
    return found
