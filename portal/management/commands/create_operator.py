import getpass

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.tenancy import operator_context


class Command(BaseCommand):
    help = (
        "Make an account for /operator/, or give it a new password. The operator lists tenants and suspends them, "
        "belongs to none, and sees no directory. The password is asked for, never given as an argument."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("username")

    def handle(self, *args, username: str, **options) -> None:
        try:
            password = getpass.getpass(f"Password for {username}: ")
            if password != getpass.getpass("The same again: "):
                raise CommandError("The two differ. Nothing was changed.")
        except EOFError:
            raise CommandError("There is no terminal to ask for the password. Run this in one (ssh -t).") from None
        try:
            validate_password(password)
        except ValidationError as weak:
            raise CommandError(" ".join(weak.messages)) from None
        with operator_context():
            self.stdout.write(_make(username, password))


def _make(username: str, password: str) -> str:
    users = get_user_model().objects
    known = users.filter(username=username).first()
    if known is None:
        users.create_superuser(username, password)
        return f"{username} can sign in at /operator/."
    if not known.is_superuser:
        raise CommandError(f"{username} is an account of a tenant. Choose another name.")
    known.set_password(password)
    known.save(update_fields=["password"])
    return f"{username} has a new password."
