"""Naming tenants and people on the command line."""

from contextlib import suppress
from uuid import UUID

from django.core.management.base import CommandError
from django.db.models import Q

from accounts.models import Tenant
from directory import sync
from directory.models import Person
from graph.client import GraphClient
from graph.errors import GraphError, NotFound


def tenant_called(wanted: str) -> Tenant:
    """An active tenant by slug, domain or id."""
    named = Q(slug=wanted) | Q(domain__iexact=wanted)
    with suppress(ValueError):
        named |= Q(pk=UUID(wanted))
    found = Tenant.objects.filter(named).first()
    if found is None:
        raise CommandError(f"No tenant is called {wanted}.")
    if not found.is_active:
        raise CommandError(f"{found.name} is {found.get_state_display()}.")
    return found


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
