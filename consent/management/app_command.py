"""What the commands that change an app have in common: finding it, asking a service, and saying what came of it."""

from collections.abc import Callable

from django.core.management.base import BaseCommand, CommandError
from django.http import Http404

from accounts.access import Actor
from accounts.management.naming import find_tenants
from accounts.models import Tenant
from accounts.tenancy import no_context, tenant_context
from directory.management.naming import find_app
from directory.models import ServicePrincipal
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
