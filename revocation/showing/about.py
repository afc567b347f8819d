"""What a revocation is about: the apps and people its steps name, as far as the copy of the directory has them."""

from collections.abc import Iterable
from uuid import UUID

from accounts.ids import id_or_none
from accounts.models import Tenant
from directory.models import Person, ServicePrincipal
from revocation.models import RevocationStep


def link(tenant: Tenant, steps: Iterable[RevocationStep]) -> list[RevocationStep]:
    """The steps, each with the `app` and the `person` it is about, or None: two queries."""
    steps = list(steps)
    named = [(step, app_of(step), person_of(step)) for step in steps]
    apps = ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=True).only("id", "display_name", "app_id")
    people = Person.objects.filter(tenant=tenant).only("id", "display_name", "upn")
    apps = apps.in_bulk([app for _step, app, _person in named if app])
    people = people.in_bulk([person for _step, _app, person in named if person])
    for step, app, person in named:
        step.app, step.person = apps.get(app), people.get(person)
    return steps


def subjects(steps: Iterable[RevocationStep]) -> list[ServicePrincipal | Person]:
    """The apps and people of linked steps, each once."""
    found = {}
    for step in steps:
        found |= {one.pk: one for one in (step.app, step.person) if one}
    return list(found.values())


def app_of(step: RevocationStep) -> UUID | None:
    """The app a step is about: itself, or whose permission or assignment it is."""
    if step.target_type == "app":
        return id_or_none(step.target_id)
    image = (step.before or {}) | (step.params or {})
    if image.get("principal_type") == "ServicePrincipal":
        return id_or_none(image.get("principal_id") or "")
    resource = image.get("resource_id") if step.target_type == "assignment" else ""
    return id_or_none(image.get("client_id") or resource or "")


def person_of(step: RevocationStep) -> UUID | None:
    """The person a step is about: who is signed out, or whose consent or assignment it is."""
    if step.target_type == "user":
        return id_or_none(step.target_id)
    image = (step.before or {}) | (step.params or {})
    if image.get("principal_type") in ("Group", "ServicePrincipal"):
        return None
    return id_or_none(image.get("principal_id") or image.get("person_id") or "")
