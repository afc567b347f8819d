"""A signed-in client without the round trip through Entra ID. Sign-in itself has tests of its own."""

from time import time

from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import second_factor
from accounts.models import User
from accounts.tenancy import operator_context, tenant_context
from tests.factories import Person


def sign_in(client: Client, person: Person, *, auth_age: int = 0) -> Client:
    """Give the client the session that sign-in leaves: identity facts fresh, authenticated `auth_age` seconds ago."""
    with tenant_context(person.tenant.id):
        get_user_model().objects.filter(pk=person.user.pk).update(identity_checked_at=timezone.now())
        client.force_login(person.user, backend="accounts.backends.ScopedBackend")
    session = client.session
    session["auth_time"] = int(timezone.now().timestamp()) - auth_age
    session.save()
    return client


def code_of(user: User) -> str:
    """What the operator's authenticator app shows now."""
    return second_factor.code_at(second_factor._secret(user), int(time()) // second_factor.STEP)


def make_operator(password: str, name: str = "operator") -> User:
    with operator_context():
        user = User.objects.create_superuser(name, password)
        second_factor.enrol(user)
    return user


def sign_in_operator(client: Client, user: User, password: str, code: str | None = None):
    """Through the operator's own door; the answer."""
    form = {"username": user.username, "password": password, "code": code_of(user) if code is None else code}
    return client.post(reverse("admin:login"), form)
