"""Reading accounts through row-level security: a session may see its own account, and nothing else."""

from uuid import UUID

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User
from accounts.tenancy import operator_context, user_context


class ScopedBackend(ModelBackend):
    def get_user(self, user_id: UUID) -> User | None:
        with user_context(user_id):
            user = User.objects.select_related("tenant").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_other
    ) -> User | None:
        """The operator's way in, for the admin pages. People from a tenant have no password here."""
        with operator_context():
            user = super().authenticate(request, username=username, password=password)
        return user if user and user.is_staff and user.tenant_id is None else None
