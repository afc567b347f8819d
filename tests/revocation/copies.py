"""Rows for the tests of these pages: people of the copy, and requests as the spine leaves them."""

from smtplib import SMTPServerDisconnected
from uuid import UUID, uuid4

from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from directory import words
from directory.models import PermissionGrant, Person as DirectoryPerson, Risk, ServicePrincipal
from revocation import services
from revocation.actions import revoke_sessions
from revocation.models import RevocationRequest, RevocationStep
from tests.factories import Person

GLOBAL_ADMINISTRATOR = UUID("62e90394-69f5-4237-9190-012177145e10")
NOW = timezone.now


def in_copy(tenant: Tenant, name: str, **facts) -> DirectoryPerson:
    """Somebody our copy of the directory knows."""
    upn = facts.pop("upn", f"{name.split()[0].lower()}@{tenant.domain}")
    defaults = {"id": uuid4(), "mail": upn, "synced_at": NOW(), "roles_known_at": NOW()}
    with tenant_context(tenant.pk):
        person = DirectoryPerson.objects.create(tenant=tenant, display_name=name, upn=upn, **(defaults | facts))
        words.save(tenant.pk, words.Kind.PERSON, [(person.pk, words.of(name, upn, person.mail))])
        return person


def crowd(tenant: Tenant, count: int, *, start: int = 0) -> list[DirectoryPerson]:
    """Many people at once."""
    rows = [
        DirectoryPerson(
            id=uuid4(),
            tenant=tenant,
            display_name=f"Person {number:05}",
            upn=f"person{number}@{tenant.domain}",
            synced_at=NOW(),
            roles_known_at=NOW(),
        )
        for number in range(start, start + count)
    ]
    with tenant_context(tenant.pk):
        return DirectoryPerson.objects.bulk_create(rows)


def app_with_consents(tenant: Tenant, people: list[DirectoryPerson], name: str = "Mail Sidekick") -> ServicePrincipal:
    """A risky app that these people let in."""
    with tenant_context(tenant.pk):
        resource = ServicePrincipal.objects.create(
            id=uuid4(), tenant=tenant, app_id=uuid4(), display_name="Microsoft Graph", synced_at=NOW()
        )
        app = ServicePrincipal.objects.create(
            id=uuid4(),
            tenant=tenant,
            app_id=uuid4(),
            display_name=name,
            risk=Risk.HIGH,
            user_consent_count=len(people),
            synced_at=NOW(),
        )
        for person in people:
            PermissionGrant.objects.create(
                tenant=tenant,
                graph_id=str(uuid4()),
                client=app,
                resource=resource,
                principal=person,
                consent_type=PermissionGrant.ConsentType.ONE,
                scopes=["Mail.Read"],
                risk=Risk.HIGH,
                synced_at=NOW(),
            )
        return app


def asked(tenant: Tenant, by: Person, people: list[DirectoryPerson], **options) -> RevocationRequest:
    """A mass sign-out as the spine stores it; no worker runs in these tests."""
    with tenant_context(tenant.pk):
        return services.submit(
            tenant=tenant,
            actor=Actor.of(by.membership),
            kind="sign_out",
            title=f"Sign out {len(people)} people everywhere",
            steps=[revoke_sessions.step(person) for person in people],
            reason="Leaked credentials",
            interactive=False,
            run_inline=False,
            **options,
        )


def put(request: RevocationRequest, count: int, state: str, **facts) -> None:
    """Bring the first `count` waiting steps into a state."""
    with tenant_context(request.tenant_id):
        ids = list(
            RevocationStep.objects.filter(request=request, state="waiting")
            .order_by("position")
            .values_list("pk", flat=True)[:count]
        )
        RevocationStep.objects.filter(pk__in=ids).update(state=state, **facts)


def finish(request: RevocationRequest, state: str = RevocationRequest.State.FINISHED) -> None:
    with tenant_context(request.tenant_id):
        RevocationRequest.objects.filter(pk=request.pk).update(state=state, finished_at=NOW())
        request.refresh_from_db()


class RefusingMail(BaseEmailBackend):
    """A mail server that hangs up."""

    def send_messages(self, email_messages):
        raise SMTPServerDisconnected
