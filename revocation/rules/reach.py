"""Whom a request may still reach: roles are given while lists wait, and a list is read long after it was made.

Asked afresh three times: before a list is confirmed, before it is approved, and at each call, against whoever asked
and whoever agreed. What an asker lost since takes nothing back by itself: they reach at least as far as helpdesk does.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from accounts.access import Actor
from accounts.ids import id_or_none
from accounts.models import Membership, Tenant
from accounts.permissions import Standing, standing
from accounts.roles import Role
from directory import features, sync
from graph.sentences import gettext as _
from revocation import actions
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import members
from revocation.rules.protection import Guard
from revocation.rules.refusals import Unreachable

FRESH = timedelta(minutes=1)  # when a list is confirmed or approved
FRESH_ENOUGH = timedelta(minutes=2)  # while it is carried out


def roles_now(tenant: Tenant) -> None:
    """Read who holds which directory role, just before something is decided by it. Not within a transaction.

    Raises:
        Unreachable: Microsoft could not be asked. Where the tenant lets nobody read roles, the rules say so.
    """
    if standing(tenant, features.ROLES.any_of) == Standing.MISSING:
        return
    if trouble := sync.refresh_roles(tenant, older_than=FRESH):
        raise Unreachable(
            _("Who holds which directory role could not be read just now, so nothing was begun: %(why)s")
            % {"why": trouble}
        )


class Reach:
    """One turn's answer to whom the tenant's requests may reach, by the roles read within the last minutes."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self._guards: dict[UUID, Guard] = {}
        self._read = False

    def objections(self, steps: Iterable[RevocationStep]) -> dict[int, str]:
        """Why some of these steps may not be taken, by their key. Must be in the tenant's scope."""
        ending = [step for step in steps if actions.get(step.action).target_type == "user"]
        found: dict[int, str] = {}
        for request in {step.request_id: step.request for step in ending}.values():
            theirs = [(step, pk) for step in ending if step.request_id == request.pk and (pk := _person(step))]
            why = self._guard(request).refusals({pk for _step, pk in theirs})
            found |= {step.pk: why[pk] for step, pk in theirs if pk in why}
        return found

    def read_roles(self, requests: Iterable[RevocationRequest]) -> None:
        """Before lists: who was promoted since. Where it cannot be read, what is known of the last day decides."""
        if not self._read and any(not request.interactive and _signs_out(request) for request in requests):
            self._read = True
            sync.refresh_roles(self.tenant, older_than=FRESH_ENOUGH, insist=False)

    def _guard(self, request: RevocationRequest) -> Guard:
        if request.pk not in self._guards:
            alone = request.steps.filter(target_type="user").values("target_id").distinct()[:2].count() == 1
            self._guards[request.pk] = Guard(self.tenant, _answerable(request), alone=alone)
        return self._guards[request.pk]


def _signs_out(request: RevocationRequest) -> bool:
    return any(actions.get(name).ends_sessions for name in request.actions if name in actions.all_actions())


def _answerable(request: RevocationRequest) -> list[Actor]:
    """Who asked, and who agreed, with the roles they have today."""
    if request.actor_id in {Actor.command_line().id, Actor.system().id}:
        asker = Actor(request.actor_id, request.actor_label)
    else:
        asker = _actor(request, request.actor_id, members.asker(request), floor=Role.HELPDESK)
    if not request.needs_approval or not request.approver_user_id:
        return [asker]
    approver = Membership.objects.filter(tenant=request.tenant_id, user_id=request.approver_user_id).first()
    return [asker, _actor(request, request.approver_id, approver)]


def _actor(request: RevocationRequest, object_id: str, member: Membership | None, floor: str = "") -> Actor:
    roles = frozenset(member.roles if member else ()) | ({floor} if floor else set())
    return Actor(object_id, "", roles, request.tenant_id, member.user_id if member else UUID(int=0))


def _person(step: RevocationStep) -> UUID | None:
    return id_or_none(step.target_id)
