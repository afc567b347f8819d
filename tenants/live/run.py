"""One call of each kind that the portal makes, in a real tenant, held against what is expected.

Reads go through `GraphClient` like every read. Changes go through the spine like every change: a revocation request of
kind `live_check` with one step, recorded before and after; nothing here writes to a directory by itself. What a request
changed is put back by a request that follows it, also when the check is interrupted, and by the next check when this
one was killed.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.models import Tenant
from graph import transport
from graph.client import GraphClient
from graph.errors import GraphError, NotFound
from graph.types import Call, Grant
from revocation import actions, services
from revocation.actions import (
    create_assignment,
    create_grant,
    delete_app,
    delete_grant,
    narrow_grant,
    revoke_sessions,
    set_app_enabled,
)
from revocation.actions.delete_assignment import DeleteAssignment
from revocation.models import RevocationRequest, RevocationStep
from revocation.spine import executor
from revocation.steps import Sealer, StepDraft
from tenants.live.exchanges import Cleaner, Exchange, taken_apart
from tenants.live.expected import Expectations, Fixture
from tenants.live.subject import Subject, nobody

logger = logging.getLogger(__name__)

Kind = RevocationRequest.Kind
SCOPES = ("openid", "profile")  # the least that a grant can hold, and one to take out of it
PAUSE = 0.5  # seconds between two looks at what is not due yet
PATIENCE = 90.0  # seconds until a change must be proved
DONE = [RevocationStep.State.ACCEPTED, RevocationStep.State.VERIFIED, RevocationStep.State.UNCONFIRMED]
State = RevocationRequest.State


class Stopped(Exception):
    """Somebody asked the check to stop. What it changed was put back."""


@dataclass
class Line:
    """One kind of call: what was answered, and how that differs from what was expected."""

    exchange: Exchange
    fixture: Fixture | None
    differences: list[str] = field(default_factory=list)


@dataclass
class LiveCheck:
    """A run of the check. `say` gets a sentence for everything worth a line of its own.

    Attributes:
        asked_to_stop: once it is set, nothing more is begun.
        lines: one for each kind of call and status, in the order in which they came.
        trouble: what could not be done or put back, a sentence each.
    """

    subject: Subject
    expectations: Expectations
    say: Callable[[str], None]
    asked_to_stop: threading.Event = field(default_factory=threading.Event)
    lines: list[Line] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tenant = self.subject.tenant
        self.client = GraphClient(self.tenant.pk, priority="high")
        self.cleaner = Cleaner(self.subject.names())
        self._seen: set[tuple] = set()
        self._to_put_back: list[RevocationRequest] = []
        self._changing = False

    def run(self) -> None:
        """Make the calls. What was changed is put back whatever happens.

        Raises:
            Stopped: before the end, because somebody asked for it.
        """
        with transport.witnessed(self._witness):
            try:
                self._reads()
                self._changing = True  # from here on the spine reads what it makes and takes away
                self._changes()
            finally:
                for request in reversed(self._to_put_back):
                    self.put_back(request)

    # --- what went over the wire --------------------------------------------------------------------

    def _witness(self, request, response) -> None:
        for exchange in taken_apart(self.cleaner, request, response):
            if exchange.is_later_page:
                continue
            fixture = self.expectations.of(exchange, may_be_gone=self._changing)
            found = exchange.differs_from(fixture.exchange, partial=fixture.partial) if fixture else []
            key = (exchange.signature, exchange.status, tuple(found))
            if key not in self._seen:
                self._seen.add(key)
                self.lines.append(Line(exchange, fixture, found))

    # --- reads ----------------------------------------------------------------------------------------

    def _reads(self) -> None:
        client, person, app = self.client, self.subject.person, self.subject.app
        missing = nobody()
        self.cleaner.learn(missing, "missing")
        since = timezone.now() - timedelta(days=7)
        for read in (
            client.organization,
            lambda: client.own_permissions(fresh=True),
            lambda: next(iter(client.service_principals())),
            lambda: client.service_principal(app.pk),
            lambda: client.service_principal_by_app_id(app.app_id),
            lambda: client.service_principals_by_ids([app.pk]),
            lambda: client.service_principal(missing),
            client.deleted_service_principals,
            lambda: client.assigned_to(app.pk),
            lambda: client.app_permissions_of(app.pk),
            lambda: next(iter(client.app_activities())),
            lambda: next(iter(client.grants())),
            lambda: next(iter(client.tenant_wide_grants())),
            lambda: client.grants_of_user(person.pk),
            lambda: client.grants_of_client(app.pk),
            lambda: next(iter(client.users())),
            lambda: next(iter(client.person_activities(since))),
            lambda: client.user(person.pk),
            lambda: client.user(person.upn),
            lambda: client.user(missing),
            lambda: client.users_by_ids([person.pk]),
            lambda: client.find_users(person.display_name),
            lambda: next(iter(client.role_assignments())),
            lambda: client.roles_of(person.pk),
            self._a_group,
        ):
            self._go_on()
            with suppress(GraphError, StopIteration):  # a refusal is an answer too, and the witness saw it
                read()

    def _a_group(self) -> None:
        """The members of a group the test user is in."""
        for group in self.client.groups_of(self.subject.person.pk)[:1]:
            self.cleaner.learn(str(group.id), "group")
            next(iter(self.client.group_members(group.id)))
            if group.display_name:
                self.client.find_groups(group.display_name)

    # --- changes --------------------------------------------------------------------------------------

    def _changes(self) -> None:
        person, app = self.subject.person, self.subject.app
        grant = self._consent()
        assignment = self._assign()
        for action in ("revoke_sessions", "invalidate_tokens"):
            self.change(revoke_sessions.step(person, action=action))
        self.put_back(self.change(set_app_enabled.disable(app)))
        if deleted := self.change(delete_app.step(app)):
            with suppress(GraphError):
                self.client.deleted_service_principals()
                self.client.batch([Call("GET", f"/directory/deletedItems/{app.pk}")])
            self.put_back(deleted)
            self._after_restore(grant, assignment)

    def _consent(self) -> str:
        """A grant of the test user to the test app, then with a scope less."""
        app, graph, person = self.subject.app, self.subject.graph, self.subject.person
        image = {
            "client_id": str(app.pk),
            "resource_id": str(graph.id),
            "principal_id": str(person.pk),
            "consent_type": "Principal",
            "scopes": list(SCOPES),
        }
        made = create_grant.step(image, label=app.display_name)
        self.cleaner.learn(made.target_id, "grant")
        if not self.change(made):
            return ""
        with suppress(GraphError):
            grant = _grant(self.client, str(app.pk), made.target_id)
            if grant:
                self.change(narrow_grant.step(grant, [SCOPES[1]], label=app.display_name))
        return made.target_id

    def _assign(self) -> str:
        app, person, role_id = self.subject.app, self.subject.person, self.subject.role_id
        if role_id is None:
            self.say(_("The test app has no role for people: assignments are not tried."))
            return ""
        image = {
            "resource_id": str(app.pk),
            "principal_id": str(person.pk),
            "principal_type": "User",
            "principal_name": person.display_name or person.upn,
            "app_role_id": str(role_id),
        }
        request = self.change(create_assignment.step(image))
        found = (request.steps.get().observed or {}).get("id", "") if request else ""
        if found:
            self.cleaner.learn(found, "assignment")
            with suppress(GraphError):
                self.client.batch([Call("GET", f"/servicePrincipals/{app.pk}/appRoleAssignedTo/{found}")])
        return found

    def _after_restore(self, grant: str, assignment: str) -> None:
        """Microsoft says nowhere what becomes of these when an app is deleted and restored. Say what was seen."""
        with suppress(GraphError):
            if grant:
                kept = any(one.id == grant for one in self.client.grants_of_client(self.subject.app.pk))
                self.say(_("The consent outlived deletion and restore: %(kept)s.") % {"kept": _yes(kept)})
            if assignment:
                kept = any(one.id == assignment for one in self.client.assigned_to(self.subject.app.pk))
                self.say(_("The assignment outlived deletion and restore: %(kept)s.") % {"kept": _yes(kept)})

    def change(self, draft: StepDraft) -> RevocationRequest | None:
        """Ask for one change and see it through. None where it was not carried out; `trouble` then says why."""
        self._go_on()
        request = ask(self.tenant, draft)
        self._to_put_back.append(request)
        step = see_through(request)
        if request.state == State.AWAITING_APPROVAL:
            services.cancel(request, Actor.command_line(self.tenant.pk))
            self.trouble.append(
                _("%(action)s: held by the rule of two persons, and not done.") % {"action": draft.action}
            )
            return None
        if step.state not in DONE:
            self.trouble.append(f"{draft.action}: {step.get_state_display()}. {step.outcome}")
            return None
        return request

    def _go_on(self) -> None:
        if self.asked_to_stop.is_set():
            raise Stopped

    def put_back(self, request: RevocationRequest | None) -> None:
        """Undo what a request changed, once."""
        if request is None:
            return
        if request in self._to_put_back:
            self._to_put_back.remove(request)
        try:
            self.trouble += put_back(request)
        except Exception as error:  # the others must be put back all the same
            logger.exception("A change of a live check could not be put back.")
            self.trouble.append(_("%(title)s could not be put back: %(why)s") % {"title": request.title, "why": error})


# --- asking the spine ---------------------------------------------------------------------------------


def ask(tenant: Tenant, draft: StepDraft, *, follows: RevocationRequest | None = None) -> RevocationRequest:
    """One change, asked of the spine as the operator at the command line. The tenant's rules decide on approval."""
    return services.submit(
        tenant=tenant,
        actor=Actor.command_line(tenant.pk),
        kind=Kind.UNDO if follows else Kind.LIVE_CHECK,
        title=_("Live check: put back") if follows else _("Live check: %(action)s") % {"action": draft.action},
        steps=[draft],
        reason=_("Live check of the connection, on a test user and a test app."),
        follows=follows,
        needs_approval=False if follows else None,
    )


def see_through(request: RevocationRequest) -> RevocationStep:
    """Work on a request until it is proved, failed, or PATIENCE is over. Returns its only step."""
    end = time.monotonic() + PATIENCE
    request.refresh_from_db()
    while request.state == State.RUNNING and time.monotonic() < end:
        executor.run_request(request, seconds=5)
        request.refresh_from_db()
        if request.state == State.RUNNING:
            time.sleep(PAUSE)  # a lost call's lease, or Microsoft's quota, has to run out first
    return request.steps.get()


def put_back(request: RevocationRequest) -> list[str]:
    """Undo what a live check's request changed, by a request that follows it. Returns what went wrong."""
    step = request.steps.select_related("tenant").get()
    if step.state not in DONE or request.followers.filter(kind=Kind.UNDO).exists():
        return []
    if not Sealer(request.tenant_id).holds(step):
        return [_("A step of request %(id)s was edited; it is not put back.") % {"id": request.pk}]
    try:
        draft = _opposite(step)
    except NotFound:
        return []  # gone already
    except GraphError as error:
        return [_("%(action)s could not be put back: %(why)s") % {"action": step.action, "why": error}]
    if draft is None:
        return []
    done = see_through(ask(request.tenant, draft, follows=request))
    if done.state in DONE:
        return []
    return [_("%(action)s could not be put back: %(why)s") % {"action": step.action, "why": done.outcome}]


def leftovers(tenant: Tenant) -> list[RevocationRequest]:
    """Requests of earlier checks that changed something and were not put back, the newest first.

    What a killed check left under way is seen through before: only then it is known what it changed.
    """
    for request in RevocationRequest.objects.filter(tenant=tenant, kind=Kind.LIVE_CHECK, state=State.RUNNING):
        see_through(request)
    found = RevocationRequest.objects.filter(tenant=tenant, kind=Kind.LIVE_CHECK, steps__state__in=DONE)
    found = found.filter(steps__action__in=_PUT_BACK).exclude(followers__kind=Kind.UNDO)
    return list(found.order_by("-created_at"))


_PUT_BACK = ("create_grant", "create_assignment", "disable_app", "delete_app")


def _opposite(step: RevocationStep) -> StepDraft | None:
    """The change that puts back what this one did; None where nothing is to be put back."""
    client = GraphClient(step.tenant_id, priority="high")
    if step.action == "create_grant":
        found = _grant(client, step.params["client_id"], step.target_id)
        return delete_grant.step(found, label=step.target_label) if found else None
    if step.action == "create_assignment":
        made = (step.observed or {}).get("id")
        params = {"resource_id": step.params["resource_id"]}
        kept = any(one.id == made for one in client.assigned_to(step.params["resource_id"]))
        if not made or not kept:
            return None
        return StepDraft(
            DeleteAssignment.name, "assignment", made, step.target_label, params=params, before=step.params
        )
    if step.action in _PUT_BACK:
        return actions.get(step.action).undo(step)
    return None


def _grant(client: GraphClient, app_id: str, grant_id: str) -> Grant | None:
    return next((one for one in client.grants_of_client(app_id) if one.id == grant_id), None)


def _yes(answer: bool) -> str:
    return _("yes") if answer else _("no")
