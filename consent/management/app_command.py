"""What the commands that change an app have in common: finding it, asking a service, and saying what came of it."""

from collections.abc import Callable
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.http import Http404

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import no_context, tenant_context
from audit.management.commands.verify_audit import find_tenants
from directory.models import Person, ServicePrincipal
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules.refusals import Refused


class AppCommand(BaseCommand):
    """A command about one app. Subclasses say in `act` which service does it.

    Exit status is non-zero when the change was refused, or any of its steps failed.
    """

    typed = False  # whether the app's name must be typed to confirm

    def add_arguments(self, parser):
        parser.add_argument("--tenant", required=True, help="slug, domain or id")
        parser.add_argument("--app", required=True, help="object id, client id or exact name")
        parser.add_argument("--reason", required=True, help="kept in the audit record")
        parser.add_argument("--ticket", default="")
        if self.typed:
            parser.add_argument("--confirm", required=True, metavar="NAME", help="the app's name, to confirm")

    def act(self, tenant: Tenant, app: ServicePrincipal, **details) -> RevocationRequest:
        raise NotImplementedError

    def handle(self, *args, tenant, app, reason, ticket, **options):
        with no_context():
            (found,) = find_tenants(tenant)
            with tenant_context(found.pk):
                target = find_app(found, app)
                details = {"actor": Actor.command_line(found.pk), "reason": reason, "ticket": ticket}
                request = asked(lambda: self.act(found, target, **details, **self.more(found, options)))
                self.report(request)

    def more(self, tenant: Tenant, options: dict) -> dict:
        return {"typed": options["confirm"]} if self.typed else {}

    def report(self, request: RevocationRequest) -> None:
        self.stdout.write(f"{request.title}: {request.get_state_display()} (request {request.pk})")
        failed = False
        for step in request.steps.order_by("position"):
            failed |= step.state == RevocationStep.State.FAILED
            self.stdout.write(f"  {step.get_state_display():<14} {step.action} {step.target_label}  {step.outcome}")
        if failed:
            raise CommandError("Not everything was done; see above.")


def asked(do: Callable[[], RevocationRequest]) -> RevocationRequest:
    try:
        return do()
    except Http404:
        raise CommandError("Microsoft no longer knows it in this tenant. Nothing was changed.") from None
    except Refused as refusal:
        raise CommandError(str(refusal)) from refusal


def find_app(tenant: Tenant, name: str) -> ServicePrincipal:
    """The app by object id, client id or exact name; names may be ambiguous, ids are not."""
    apps = ServicePrincipal.objects.filter(tenant=tenant)
    try:
        wanted = UUID(name)
        found = list(apps.filter(pk=wanted) | apps.filter(app_id=wanted))
    except ValueError:
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
    try:
        found = people.filter(pk=UUID(name)).first()
    except ValueError:
        found = people.filter(upn__iexact=name).first()
    if found is None:
        raise CommandError(f"Nobody in {tenant.name} is called {name}.")
    return found
