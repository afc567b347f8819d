import getpass
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts import second_factor
from accounts.tenancy import operator_context


class Command(BaseCommand):
    help = (
        "Make an account for /operator/, or give it a new password. The operator lists tenants and suspends them, "
        "belongs to none, and sees no directory. The password is asked for, or read from a file, never given as an "
        "argument; the secret of the second factor is shown once, for an authenticator app."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("username")
        parser.add_argument("--new-factor", action="store_true", help="a new second factor, in place of the one before")
        parser.add_argument("--password-file", type=Path, help="its first line is the password; for machines")

    def handle(self, *args, username: str, new_factor: bool, password_file: Path | None = None, **options) -> None:
        password = _read(password_file) if password_file else _asked_for(username)
        try:
            validate_password(password)
        except ValidationError as weak:
            raise CommandError(" ".join(weak.messages)) from None
        with operator_context():
            self.stdout.write(_make(username, password, new_factor))


def _asked_for(username: str) -> str:
    try:
        password = getpass.getpass(f"Password for {username}: ")
        if password != getpass.getpass("The same again: "):
            raise CommandError("The two differ. Nothing was changed.")
    except EOFError:
        raise CommandError(
            "There is no terminal to ask for the password. Run this in one (ssh -t), or name a file: --password-file."
        ) from None
    return password


def _read(file: Path) -> str:
    try:
        return file.read_text().splitlines()[0]
    except (OSError, UnicodeDecodeError) as reason:
        raise CommandError(f"The password file cannot be read: {reason}") from None
    except IndexError:
        raise CommandError(f"The password file is empty: {file}") from None


def _make(username: str, password: str, new_factor: bool) -> str:
    users = get_user_model().objects
    known = users.filter(username=username).first()
    if known is None:
        made = users.create_superuser(username, password)
        return f"{username} can sign in at /operator/. {_factor(made)}"
    if not known.is_superuser:
        raise CommandError(f"{username} is an account of a tenant. Choose another name.")
    known.set_password(password)
    known.save(update_fields=["password"])
    factor = _factor(known) if new_factor or not known.factor else "The second factor stays."
    return f"{username} has a new password. {factor}"


def _factor(user) -> str:
    return f"Give this to an authenticator app; it is not shown again:\n{second_factor.enrol(user)}"
