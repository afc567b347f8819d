"""Reading accounts through row-level security: a session may see its own account, and nothing else."""

import hashlib
import logging
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts import pace, second_factor, signals
from accounts.ids import OPERATOR
from accounts.models import User
from accounts.tenancy import operator_context, user_context

logger = logging.getLogger("consentry.operator")

ATTEMPTS = 10  # at once; all web processes count together
WAIT = 30  # seconds until there is one more
SLOTS = 256  # addresses share as many buckets, so that strangers fill no table


class ScopedBackend(ModelBackend):
    def get_user(self, user_id: UUID) -> User | None:
        with user_context(user_id):
            user = User.objects.select_related("tenant").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        code: str = "",
        **_other,
    ) -> User | None:
        """The operator's way in, for the admin pages: a password and a code. People from a tenant have neither here.

        After ATTEMPTS an address has to wait, even with the right password. Each that is judged is on the record.
        """
        address = get_adapter().get_client_ip(request) if request else ""
        if address and pace.take_from(f"operator:{_slot(address)}", ATTEMPTS, 1 / WAIT):
            logger.warning("An operator's sign-in from %s has to wait: too many were tried.", address)
            return None
        with operator_context():
            user = super().authenticate(request, username=username, password=password)
            known = User.objects.filter(username=username, tenant=None).exists()
            let_in = bool(user and user.is_staff and user.tenant_id is None and second_factor.accepts(user, code))
        _announce(username if known else "somebody", address, let_in)
        return user if let_in else None


def _slot(address: str) -> int:
    return hashlib.sha256(address.encode()).digest()[0] % SLOTS


def _announce(name: str, address: str, let_in: bool) -> None:
    logger.log(
        logging.INFO if let_in else logging.WARNING,
        "The operator %s %s, from %s.",
        name,
        "signed in" if let_in else "was refused: password or code is wrong",
        address or "this machine",
    )
    signal = signals.signed_in if let_in else signals.sign_in_refused
    reason = "" if let_in else f"from {address}" if address else ""
    signal.send(User, tenant_id=OPERATOR, actor_id="operator", actor_label=name, reason=reason)
