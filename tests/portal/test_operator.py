"""Making the operator's account, which row-level security keeps out of Django's own command."""

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.tenancy import operator_context
from tests.factories import Person
from tests.signing_in import code_of

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the person at the keyboard types, in turn."""
    answers: list[str] = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: answers.pop(0))
    return answers


def test_an_operator_is_made_and_can_sign_in(typed: list[str], capsys):
    typed += [PASSWORD, PASSWORD]

    call_command("create_operator", "olga")

    assert "otpauth://totp/Consentry%3Aolga?secret=" in capsys.readouterr().out
    with operator_context():
        found = authenticate(username="olga", password=PASSWORD, code=code_of(User.objects.get()))
    assert (found.is_superuser, found.tenant_id) == (True, None)


def test_a_second_time_it_sets_the_password(typed: list[str]):
    typed += [PASSWORD, PASSWORD, PASSWORD + "!", PASSWORD + "!"]
    call_command("create_operator", "olga")

    call_command("create_operator", "olga")

    with operator_context():
        assert authenticate(username="olga", password=PASSWORD, code=code_of(User.objects.get())) is None
        assert User.objects.filter(is_superuser=True).count() == 1


@pytest.mark.parametrize(("answers", "why"), [([PASSWORD, "other"], "differ"), (["12345", "12345"], "too short")])
def test_a_slip_changes_nothing(typed: list[str], answers: list[str], why: str):
    typed += answers

    with pytest.raises(CommandError, match=why):
        call_command("create_operator", "olga")

    with operator_context():
        assert not User.objects.exists()


def test_without_a_terminal_it_says_so(monkeypatch: pytest.MonkeyPatch):
    def no_terminal(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", no_terminal)

    with pytest.raises(CommandError, match="no terminal"):
        call_command("create_operator", "olga")


def test_a_tenants_person_is_not_made_operator(typed: list[str], adele: Person):
    typed += [PASSWORD, PASSWORD]

    with pytest.raises(CommandError, match="account of a tenant"):
        call_command("create_operator", adele.user.username)


def test_the_second_factor_stays_until_a_new_one_is_asked_for(typed: list[str]):
    typed += [PASSWORD] * 6
    factors = []
    for more in ([], [], ["--new-factor"]):
        call_command("create_operator", "olga", *more)
        with operator_context():
            factors.append(bytes(User.objects.get().factor))

    assert factors[0] == factors[1] != factors[2]


def test_machines_give_the_password_in_a_file(tmp_path):
    file = tmp_path / "password"
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("create_operator", "olga", password_file=file)
    file.write_text("")
    with pytest.raises(CommandError, match="is empty"):
        call_command("create_operator", "olga", password_file=file)

    file.write_text(f"{PASSWORD}\n")
    call_command("create_operator", "olga", password_file=file)

    with operator_context():
        assert User.objects.get().check_password(PASSWORD)
