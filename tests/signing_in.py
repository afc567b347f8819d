"""A signed-in client without the round trip through Entra ID. Sign-in itself has tests of its own."""

from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from accounts.tenancy import tenant_context
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
