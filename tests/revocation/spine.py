"""What the tests of the spine share: asking for things as a person does, and looking at what came of it."""

from datetime import datetime

from django.utils import timezone

from accounts.access import Actor
from audit.models import AuditEntry
from directory.models import Person as DirectoryPerson
from graph.client import GraphClient
from revocation import drafting, services
from revocation.actions import delete_grant
from revocation.models import RevocationRequest, RevocationStep
from revocation.spine import executor
from tests.factories import Person
from tests.sandbox_client import Sandbox


def actor(person: Person) -> Actor:
    return Actor.of(person.membership)


def grants_of(person: Person):
    """The person's own grants, as Graph tells them now."""
    return GraphClient(person.tenant.id).grants_of_user(person.object_id)


def remove_grant(person: Person, grant=None, **options) -> RevocationRequest:
    grant = grant or grants_of(person)[0]
    return services.submit(
        tenant=person.tenant,
        actor=actor(person),
        kind="remove_own_app",
        title="Remove an app",
        steps=[delete_grant.step(grant, label="An app")],
        **options,
    )


def sign_out_many(tenant, by: Person, people: list[dict], **options) -> RevocationRequest:
    """A mass sign-out, without the portal's own sessions; `people` as the sandbox lists them."""
    options = {"interactive": False, "run_inline": False, "needs_approval": False} | options
    return services.submit(
        tenant=tenant,
        actor=actor(by),
        kind="sign_out",
        title=f"Sign out {len(people)} people",
        steps=[next(iter(drafting.sign_out(tenant, one["id"], one["displayName"]))) for one in people],
        **options,
    )


def copy_of(tenant, world: dict, name: str, **fields) -> DirectoryPerson:
    """Our copy's row of somebody in the sandbox."""
    one = next(u for t in world["tenants"] if t["id"] == str(tenant.id) for u in t["users"] if u["displayName"] == name)
    values = {
        "tenant": tenant,
        "display_name": name,
        "upn": one["userPrincipalName"],
        "is_guest": one["guest"],
        "is_external": one["guest"],
        "roles_known_at": timezone.now(),
        "synced_at": timezone.now(),
    }
    return DirectoryPerson.objects.update_or_create(pk=one["id"], defaults=values | fields)[0]


def one_round(tenant) -> executor.TurnResult:
    """What is due now, and what comes of it; nothing is waited for."""
    return executor.turn(tenant.id, seconds=0, linger=0)


def states(request: RevocationRequest) -> list[str]:
    return list(RevocationStep.objects.filter(request=request).order_by("position").values_list("state", flat=True))


def trail(request: RevocationRequest) -> list[str]:
    """The record's events about a request, oldest first, without their area."""
    found = AuditEntry.objects.filter(request_id=request.pk).order_by("sequence").values_list("event", flat=True)
    return [event.removeprefix("revocation.") for event in found]


def calls(entra: Sandbox, method: str, part: str) -> list[dict]:
    """Requests of one kind that Graph received, batch items included."""
    return [one for one in entra.requests() if one["method"] == method and part.lower() in one["path"].lower()]


def valid_from(entra: Sandbox, tenant, object_id) -> datetime | None:
    value = entra.user(tenant, object_id).get("signInSessionsValidFromDateTime")
    return datetime.fromisoformat(value) if value else None
