"""Reading accounts through row-level security: a session may see its own account, and nothing else."""

from uuid import UUID

from allauth.account.adapter import get_adapter
from django.contrib.auth.backends import ModelBackend
from django.core.cache import cache
from django.http import HttpRequest

from accounts.models import User
from accounts.tenancy import operator_context, user_context

ATTEMPTS = 10  # failures, counted in each web process
WAIT = 300  # seconds


class ScopedBackend(ModelBackend):
    def get_user(self, user_id: UUID) -> User | None:
        with user_context(user_id):
            user = User.objects.select_related("tenant").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_other
    ) -> User | None:
        """The operator's way in, for the admin pages. People from a tenant have no password here.

        After ATTEMPTS failures an address has to wait, even with the right password.
        """
        tries = f"consentry.operator.{get_adapter().get_client_ip(request)}" if request else ""
        if tries and cache.get(tries, 0) >= ATTEMPTS:
            return None
        with operator_context():
            user = super().authenticate(request, username=username, password=password)
        if user and user.is_staff and user.tenant_id is None:
            return user
        if tries:
            cache.add(tries, 0, WAIT)
            cache.incr(tries)
        return None
