from django.core.management.base import BaseCommand, CommandError

from accounts.access import Actor
from accounts.ids import id_or_none
from accounts.management.naming import find_tenants
from accounts.owner import as_owner, may_take_out
from portal.leaving.erasing import StillNeeded, erase_person


class Command(BaseCommand):
    help = (
        "Erase what a person is called: account, sessions, copy of the directory, requests, lists, inbox, and the names"
        " beside the record, which goes on by object id and still verifies. Needs DATABASE_OWNER_URL."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("tenant", help="slug, domain or id")
        parser.add_argument("person", help="the person's object id")

    def handle(self, *args, tenant, person, **options) -> None:
        person_id = id_or_none(person)
        if person_id is None:
            raise CommandError("Name the person by their object id: names and addresses change owners.")
        with as_owner():
            if not may_take_out():
                raise CommandError("This role may destroy no name. Set DATABASE_OWNER_URL.")
            (row,) = find_tenants(tenant)
            try:
                results = erase_person(row, person_id, Actor.command_line(row.pk))
            except StillNeeded as why:
                raise CommandError(f"Nothing was erased: {why}") from why
        for done in results:
            self.stdout.write(
                f"{done.tenant.name}: names destroyed: {done.names}, kept filters deleted: {done.views},"
                f" rows changed or deleted: {done.rows}, older entries withheld: {done.entries}."
            )
        self.stdout.write(
            "Whoever is still in the directory comes back with its next reading. Backups hold what they held: after a"
            " restore, run this again."
        )
