import getpass

from django.core.management.base import BaseCommand, CommandError

from accounts.access import Actor
from accounts.ids import OPERATOR
from accounts.management.naming import find_tenants
from revocation.services.restoring import after_restore, after_restore_of_operator


class Command(BaseCommand):
    help = "Say that a restored backup was meant: pause what is under way, and let the record go on from there."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--tenant", help="slug, domain or id; every tenant without it")

    def handle(self, *args, tenant=None, **options) -> None:
        found = 0
        for row in find_tenants(tenant):
            base = Actor.command_line(row.pk)
            actor = Actor(base.id, f"{getpass.getuser()} ({base.label})", tenant_id=row.pk)
            try:
                restored = after_restore(row, actor)
            except OSError as error:
                raise CommandError(f"{row.name}: the signed line could not be written: {error}") from error
            if restored is None:
                continue
            found += 1
            self.stdout.write(
                f"{row.name}: the record goes on after entry {restored.common}; entries up to {restored.lost} are lost."
                f" {restored.requests} open requests, {restored.steps} steps of them are read back first."
                " What was under way is paused: an administrator resumes it."
            )
        if tenant is None and after_restore_of_operator(Actor.command_line(OPERATOR)):
            found += 1
            self.stdout.write("The operator's sign-ins: the record goes on from here.")
        if not found:
            self.stdout.write("No signed head is ahead of the database: nothing was restored, nothing was changed.")
