"""An app that four people let act for them, and requests in the states an inbox is about: rows made by hand."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from directory.models import Collection, PermissionGrant, Person as DirectoryPerson, Risk, ServicePrincipal
from revocation.models import RevocationRequest, RevocationStep
from tests.factories import Person


@pytest.fixture(autouse=True)
def _inside(contoso: Tenant) -> Iterator[None]:
    """Contoso's rows are visible to the test, as middleware would have them."""
    with tenant_context(contoso.pk):
        yield


def make_app(tenant: Tenant, name: str, **facts) -> ServicePrincipal:
    defaults = {"id": uuid4(), "app_id": uuid4(), "synced_at": timezone.now()}
    return ServicePrincipal.objects.create(tenant=tenant, display_name=name, **(defaults | facts))


def make_entry(tenant: Tenant, person: Person | None = None, **facts) -> DirectoryPerson:
    """Somebody in the copy of the directory: `person`, or somebody else."""
    object_id = person.object_id if person else uuid4()
    name = person.user.display_name if person else f"Person {object_id}"
    return DirectoryPerson.objects.create(
        id=object_id,
        tenant=tenant,
        display_name=name,
        upn=f"{name.split()[0].lower()}@{tenant.domain}",
        mail=f"{name.split()[0].lower()}@{tenant.domain}",
        synced_at=timezone.now(),
        **facts,
    )


@pytest.fixture
def sidekick(contoso: Tenant, adele: Person) -> ServicePrincipal:
    """Mail Sidekick, which Adele and three others let act for them."""
    graph = make_app(contoso, "Microsoft Graph")
    app = make_app(contoso, "Mail Sidekick", risk=Risk.HIGH, user_consent_count=4)
    people = [make_entry(contoso, adele), *(make_entry(contoso) for _ in range(3))]
    for person in people:
        PermissionGrant.objects.create(
            tenant=contoso,
            graph_id=str(uuid4()),
            client=app,
            resource=graph,
            principal=person,
            consent_type=PermissionGrant.ConsentType.ONE,
            scopes=["Mail.Read"],
            synced_at=timezone.now(),
        )
    return app


@pytest.fixture
def asked(contoso: Tenant, megan: Person) -> Callable[..., RevocationRequest]:
    """`asked(state, step="failed", target=…)`: what Megan asked for, with one step."""

    def made(state: str, *, step: str = "waiting", target=None, **facts) -> RevocationRequest:
        actor, now = Actor.of(megan.membership), timezone.now()
        request = RevocationRequest.objects.create(
            tenant=contoso,
            kind="sign_out",
            title="Sign out 60 people",
            state=state,
            actor_id=actor.id,
            actor_label=actor.label,
            reason="Phishing",
            digest="0" * 64,
            step_count=1,
            needs_approval=True,
            approval_expires_at=now + timedelta(hours=1),
            **facts,
        )
        RevocationStep.objects.create(
            tenant=contoso,
            request=request,
            position=0,
            action="revoke_sessions",
            target_type="user",
            target_id=str(target or uuid4()),
            target_label="Somebody",
            state=step,
        )
        return request

    return made


@pytest.fixture
def read_long_ago(contoso: Tenant) -> None:
    """The directory was read in full yesterday: what came since is new."""
    before = timezone.now() - timedelta(days=1)
    for kind in (Collection.Kind.SERVICE_PRINCIPALS, Collection.Kind.GRANTS):
        Collection.objects.create(tenant=contoso, kind=kind, first_complete_at=before, complete_at=before)
