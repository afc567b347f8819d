import getpass

from django.core.management.base import BaseCommand, CommandError

from accounts.access import Actor
from accounts.management.naming import tenant_called
from accounts.tenancy import tenant_context
from directory.management.naming import person_called
from revocation import services
from revocation.management.printing import details
from revocation.models import RevocationStep


class Command(BaseCommand):
    help = "Sign people out everywhere: end their sessions at Microsoft and in this portal."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--tenant", required=True, help="slug, domain or id")
        parser.add_argument("--user", required=True, action="append", help="UPN or object id; may be given again")
        parser.add_argument("--reason", required=True, help="kept in the audit record")
        parser.add_argument("--ticket", default="")

    def handle(self, *args, tenant: str, user: list[str], reason: str, ticket: str, **options) -> None:
        found = tenant_called(tenant)
        if not reason.strip():
            raise CommandError("Say why: --reason is kept in the audit record.")
        base = Actor.command_line(found.pk)
        actor = Actor(base.id, f"{getpass.getuser()} ({base.label})", tenant_id=found.pk)
        with tenant_context(found.pk):
            people = list({person.pk: person for person in (person_called(found, one) for one in user)}.values())
            try:
                request = services.sign_out(found, people, actor=actor, reason=reason, ticket=ticket)
            except services.Refused as refused:
                raise CommandError(str(refused)) from refused
            for line in details(request):
                self.stdout.write(line)
            if request.steps.filter(state=RevocationStep.State.FAILED).exists():
                raise CommandError("Not everybody could be signed out.")
            if request.is_open:
                self.stdout.write("The rest is done by the workers; follow it with:")
                self.stdout.write(f"  manage.py revocations --tenant {found.slug} --request {request.pk}")
