"""What may be done to a list of people, or to an app and everyone who let it in: steps, in the order they go.

Positions follow people, so that everything about one person stands together; urgency decides who is first.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from uuid import UUID

from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy

from accounts.access import Actor
from accounts.models import Tenant
from audit import canonical
from b2c.terms import Terms
from directory.models import AppRoleAssignment, PermissionGrant, Person, Risk, ServicePrincipal
from graph.sentences import gettext as _
from revocation import drafting, planning
from revocation.actions import (
    delete_assignment,
    delete_grant,
    end_portal_sessions,
    refuse_refresh,
    revoke_sessions,
    set_app_enabled,
)
from revocation.lists.selection import AT_RISK, LAST, RECENT, Row, Selection
from revocation.models import ListDraft
from revocation.planning import Alternative, Plan
from revocation.rules.hits import Hits
from revocation.steps import StepDraft

DISABLE_FIRST = 0  # one write, and nobody gets a new token: before everything else
GRANTS = 5  # then what people gave the app, before the first of them is signed out


class Recipe(TextChoices):
    SIGN_OUT = "sign_out", gettext_lazy("Sign them out everywhere")
    CONTAIN_PEOPLE = (
        "contain_people",
        gettext_lazy("Secure their accounts: sign out, and withdraw what they granted to high-risk apps"),
    )
    REFUSE_REFRESH = "refuse_refresh_widely", gettext_lazy("Refuse their refresh, in one application or in all")


def actions_of(tenant: Tenant, recipe: str, options: dict | None = None) -> list[str]:
    """The actions a recipe for people is made of: what its digest covers besides the people."""
    if recipe == Recipe.REFUSE_REFRESH:
        return [refuse_refresh.RefuseRefreshWidely.name, canonical.encode(options or {}).decode()]
    actions = [str(tenant.sign_out_action), end_portal_sessions.EndPortalSessions.name]
    return [*actions, delete_grant.DeleteGrant.name] if recipe == Recipe.CONTAIN_PEOPLE else actions


def for_people(tenant: Tenant, recipe: str, people: Sequence[Row], options: dict | None = None) -> Iterator[StepDraft]:
    """Steps for everyone in the list, each person's together. Reads the copy in chunks, so memory stays flat."""
    if recipe == Recipe.REFUSE_REFRESH:
        terms = Terms.of(options or {})
        for row, person in _in_the_copy(tenant, people):
            label = person.display_name or person.upn
            yield refuse_refresh.step(terms, person.id, label, wide=True, urgency=row.urgency)
        return
    grants, both = _risky_grants(tenant) if recipe == Recipe.CONTAIN_PEOPLE else {}, drafting.both_clocks(tenant)
    for row, person in _in_the_copy(tenant, people):
        yield from _sign_out(tenant, person, row.urgency, both)
        for grant in grants.get(person.id, ()):
            label = _("%(app)s, granted by %(person)s") % {"app": grant.client, "person": person}
            about = {"person_id": str(person.id), "person_label": person.display_name}
            yield delete_grant.step(grant, label=label[:256], urgency=row.urgency, **about)


class Part(TextChoices):
    """The steps of taking an app out. What is ticked at first stops the app; nobody is signed out unasked."""

    DISABLE = "disable", gettext_lazy("Disable it")
    CONSENTS = "consents", gettext_lazy("Withdraw consents")
    ALONE = "alone", gettext_lazy("Take its app-only permissions")
    ASSIGNED = "assigned", gettext_lazy("Take assignments away")
    PEOPLE = "people", gettext_lazy("Sign people out")


FIRST_TICKED = (Part.DISABLE, Part.CONSENTS, Part.ALONE)


def for_app(tenant: Tenant, app: ServicePrincipal, people: Sequence[Row]) -> Iterator[tuple[Part, StepDraft]]:
    """Everything that takes an app out, step by step, each with the part it belongs to.

    Disable it, withdraw every consent, permission and assignment, then sign out everyone who consented.
    """
    both = drafting.both_clocks(tenant)
    if app.account_enabled:
        yield Part.DISABLE, set_app_enabled.disable(app, urgency=DISABLE_FIRST)
    for grant in _grants_of(tenant, app).iterator(chunk_size=2000):
        whose = grant.principal.display_name if grant.principal else _("the whole organisation")
        label = _("%(app)s, granted by %(person)s") % {"app": app, "person": whose}
        yield Part.CONSENTS, delete_grant.step(grant, label=label[:256], urgency=GRANTS)
    for assignment in _held_by(tenant, app).iterator(chunk_size=2000):
        yield Part.ALONE, delete_assignment.step(assignment, label=app.display_name, urgency=GRANTS)
    for assignment in _assignments_of(tenant, app).iterator(chunk_size=2000):
        yield Part.ASSIGNED, delete_assignment.step(assignment, urgency=GRANTS)
    for row, person in _in_the_copy(tenant, people):
        for step in _sign_out(tenant, person, row.urgency, both):
            yield Part.PEOPLE, step


def _sign_out(tenant: Tenant, person: Person, urgency: int, params: dict) -> Iterator[StepDraft]:
    yield revoke_sessions.step(person, action=tenant.sign_out_action, urgency=urgency, **params)
    if person.has_account:  # who never signed in to the portal has no session in it
        yield end_portal_sessions.step(person, urgency=urgency)


# The ids are one parameter: the ORM makes one of each, and takes longer for that than PostgreSQL for the answer.
_PEOPLE = """
SELECT id, display_name, upn, is_external, sessions_valid_from,
    EXISTS (SELECT FROM accounts_user u WHERE u.tenant_id = p.tenant_id AND u.object_id = p.id) AS has_account
FROM directory_person p WHERE tenant_id = %s AND id = ANY(%s)
"""


def _in_the_copy(tenant: Tenant, rows: Sequence[Row]) -> Iterator[tuple[Row, Person]]:
    """The rows in their order, each with its person and whether they have a portal account.

    Who was deleted from the copy since the preview is left out; `drafts.confirm` has checked that nobody was.
    """
    for start in range(0, len(rows), 5000):
        part = rows[start : start + 5000]
        found = Person.objects.raw(_PEOPLE, [tenant.pk, [UUID(row.person_id) for row in part]])
        persons = {str(person.id): person for person in found}
        yield from ((row, persons[row.person_id]) for row in part if row.person_id in persons)


def _grants_of(tenant: Tenant, app: ServicePrincipal):
    grants = PermissionGrant.objects.filter(tenant=tenant, client=app)
    return grants.select_related("client", "principal").order_by("principal_id", "id")


def _assignments_of(tenant: Tenant, app: ServicePrincipal):
    return AppRoleAssignment.objects.filter(tenant=tenant, resource=app).select_related("resource").order_by("id")


def _held_by(tenant: Tenant, app: ServicePrincipal):
    held = AppRoleAssignment.objects.filter(tenant=tenant, principal_id=app.pk, principal_type="ServicePrincipal")
    return held.select_related("resource").order_by("id")


def _risky_grants(tenant: Tenant) -> dict[UUID, list[PermissionGrant]]:
    """What people granted for themselves to apps of high risk, by person."""
    found = PermissionGrant.objects.filter(
        Q(client__risk=Risk.HIGH) | Q(risk=Risk.HIGH), tenant=tenant, principal__isnull=False
    ).select_related("client")
    by_person: dict[UUID, list[PermissionGrant]] = defaultdict(list)
    for grant in found.order_by("principal_id", "id").iterator(chunk_size=2000):
        by_person[grant.principal_id].append(grant)
    return by_person


def plan(tenant: Tenant, draft: ListDraft, selection: Selection, actor: Actor) -> Plan:
    """What confirming this draft would cost: how many writes, how long, in which order, and what is cheaper."""
    people = selection.people()
    refuses = draft.recipe == Recipe.REFUSE_REFRESH
    sign_outs = {refuse_refresh.RefuseRefreshWidely.name if refuses else str(tenant.sign_out_action): len(people)}
    grants = 0
    if draft.recipe == Recipe.CONTAIN_PEOPLE:
        wanted = {UUID(row.person_id) for row in people}
        grants = sum(len(held) for person_id, held in _risky_grants(tenant).items() if person_id in wanted)
    actions = chain(
        *(repeat(action, count) for action, count in {**sign_outs, delete_grant.DeleteGrant.name: grants}.items())
    )
    alternative = None
    if draft.source == ListDraft.Source.APP and len(people) > 1 and not refuses:
        alternative = Alternative(writes=1, instead_of=len(people) + grants)
    hits = Hits(tenant)
    hits.add_people(row.person_id for row in people)
    return planning.plan(
        tenant,
        actions,
        people=len(people),
        needs_approval=hits.need_second_person(actor),
        urgent=sum(row.urgency <= AT_RISK for row in people),
        recent=sum(row.urgency == RECENT for row in people),
        last=sum(row.urgency == LAST for row in people),
        alternative=alternative,
    )
