"""Taking out what a person is called, wherever the portal holds it: account, copy, requests, lists, inbox, record.

Ids stay: the record goes on saying what was done, and to which object id. Nothing of it is done in Entra, and the copy
follows the directory: somebody who is still there comes back with the next reading.
"""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import saved_views, services as accounts
from accounts.access import Actor
from accounts.models import Membership, SavedView, Tenant, User
from accounts.tenancy import tenant_context, user_context
from audit import personal, services as audit
from audit.models import AuditEvent
from b2c.models import GateCredential, RefreshRule
from directory.models import AgentTie, AppRoleAssignment, PermissionGrant, Person, SearchWord
from inbox.models import Dealt, Letter, Report
from revocation.models import ListDraft, ListUpload, Notice, RevocationRequest, RevocationStep
from revocation.steps import Sealer, line

ERASED = "(erased)"
OF_STEPS = ("target_label", "params", "before", "outcome", "observed", "outcome_made")


class StillNeeded(Exception):
    """Nothing was erased: something about this person is under way. The message says what."""


@dataclass
class Whom:
    """A person, and everything they are called."""

    id: str
    account: User | None = None
    names: set[str] = field(default_factory=set)

    @property
    def ids(self) -> list[str]:
        """The object id, and the account's, by which memberships are recorded."""
        return [self.id, *([str(self.account.pk)] if self.account else [])]

    @property
    def erased(self) -> dict[str, str]:
        """What stands in the place of each name; longer ones first, so that none is left behind in part."""
        return dict.fromkeys(sorted(self.names, key=len, reverse=True), ERASED)

    @cached_property
    def told_by(self) -> re.Pattern:
        """What tells of them in a search: a name, or a word of it that is no particle (van, de la)."""
        words = {word for name in self.names if "@" not in name for word in re.findall(r"\w{3,}", name)}
        said = {word.casefold() for word in words if not word.islower()}
        said |= {local for name in self.names if len(local := name.partition("@")[0].casefold()) > 2}
        whole = {name.casefold() for name in self.names}
        return re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in sorted(said | whole)) or "(?!)")

    def is_told_by(self, text: str) -> bool:
        return bool(self.told_by.search(text.casefold()))


@dataclass(frozen=True)
class Result:
    """What was erased in one tenant.

    Attributes:
        names: names destroyed beside the record.
        entries: older entries that have a name in clear, and are withheld from now on.
        views: filters that were kept under a name: the person's own, and others' that name them.
        rows: rows of anything else that were changed or deleted.
    """

    tenant: Tenant
    names: int
    entries: int
    views: int
    rows: int


def erase_person(tenant: Tenant, person_id: UUID, actor: Actor) -> list[Result]:
    """Erase a person of this tenant, or one of another that it let in, here; of the tenant's own, everywhere.

    The role that owns the tables alone may do it.

    Raises:
        StillNeeded: an open request is theirs, or about them.
    """
    whom = _whom(tenant, person_id)
    tenants = [tenant]
    if whom.account and whom.account.tenant_id == tenant.pk:
        with user_context(whom.account.pk):
            others = Membership.objects.filter(user=whom.account).exclude(tenant=tenant).select_related("tenant")
            tenants += [membership.tenant for membership in others]
    for one in tenants:
        with tenant_context(one.pk):
            _require_nothing_open(one, whom)
    return [_erase_in(one, whom, actor) for one in reversed(tenants)]  # its own last: the account goes with it


def _whom(tenant: Tenant, person_id: UUID) -> Whom:
    whom = Whom(str(person_id))
    with tenant_context(tenant.pk):
        whom.account = User.objects.filter(tenant=tenant, object_id=person_id).first()
        for membership in Membership.objects.filter(tenant=tenant, source=Membership.Source.GRANTED):
            with user_context(membership.user_id):
                account = User.objects.filter(pk=membership.user_id, object_id=person_id).first()
            if account:
                whom.account = account
                whom.names.add(membership.person_label)
        if person := Person.objects.filter(tenant=tenant, pk=person_id).first():
            whom.names |= {person.display_name, person.upn, person.mail}
    if whom.account:
        whom.names |= {whom.account.display_name, whom.account.upn}
        whom.names.add(f"{whom.account} ({whom.account.upn})")
    whom.names = {name for name in whom.names if len(name) > 1 and name != whom.id}
    return whom


def _require_nothing_open(tenant: Tenant, whom: Whom) -> None:
    under_way = RevocationRequest.objects.open().filter(tenant=tenant)
    theirs = under_way.filter(Q(actor_id=whom.id) | Q(approver_id=whom.id) | Q(pk__in=_steps(tenant, whom)))
    if found := theirs.first():
        raise StillNeeded(f"“{found.title}” at {tenant.name} is open. Let it end, or cancel it.")


def _steps(tenant: Tenant, whom: Whom):
    """Requests with a step about the person."""
    about = Q(target_id=whom.id) | Q(params__person_id=whom.id) | Q(params__again__target_id=whom.id)
    about |= Q(params__principal_id=whom.id) | Q(before__principal_id=whom.id)
    return RevocationStep.objects.filter(about, tenant=tenant).values("request_id")


@transaction.atomic
def _erase_in(tenant: Tenant, whom: Whom, actor: Actor) -> Result:
    if whom.account and whom.account.tenant_id == tenant.pk:
        accounts.end_portal_sessions(whom.account, reason="ended_by_operator", actor=actor)
    with tenant_context(tenant.pk):
        views = _views(tenant, whom)
        rows = _requests(tenant, whom) + _lists(tenant, whom) + _inbox(tenant, whom)
        rows += _gate(tenant, whom) + _copy(tenant, whom) + _memberships(tenant, whom, actor)
        gone = personal.erase(tenant.pk, whom.ids, whom.names)
        audit.record(
            AuditEvent.PERSON_ERASED,
            tenant_id=tenant.pk,
            actor=actor,
            target_type="user",
            target_id=whom.id,
            after={
                "people": sorted(whom.ids),
                "entries": gone.entries,
                "names": gone.labels,
                "views": views,
                "rows": rows,
            },
        )
    return Result(tenant, gone.labels, len(gone.entries), views, rows)


def _requests(tenant: Tenant, whom: Whom) -> int:
    mine = RevocationRequest.objects.filter(tenant=tenant)
    count = mine.filter(actor_id=whom.id).update(actor_label=ERASED)
    count += mine.filter(approver_id=whom.id).update(approver_label=ERASED)
    for request in mine.filter(_any(whom, "title__contains", "reason__contains") | Q(pk__in=_steps(tenant, whom))):
        request.title = personal.veil(request.title, whom.erased)[:256]
        request.title_made = personal.veil_all(request.title_made, whom.erased)
        request.reason = personal.veil(request.reason, whom.erased)
        request.save(update_fields=["title", "title_made", "reason"])
        count += 1 + _steps_of(request, whom)
    return count + Notice.objects.filter(tenant=tenant, person_id=whom.id).delete()[0]


def _steps_of(request: RevocationRequest, whom: Whom) -> int:
    """Steps that name the person are sealed anew where their seal holds: what was edited by hand stays known as it."""
    sealer, count = Sealer(request.tenant_id), 0
    for step in RevocationStep.objects.filter(tenant=request.tenant_id, request=request).iterator(chunk_size=1000):
        said = {name: personal.veil_all(getattr(step, name), whom.erased) for name in OF_STEPS}
        if all(said[name] == getattr(step, name) for name in OF_STEPS):
            continue
        held, vouched = sealer.holds(step), sealer.vouched(step) if (step.observed or {}).get("found") else False
        for name, value in said.items():
            setattr(step, name, value)
        if vouched:
            sealer.vouch(step)
        if held:
            step.seal = sealer.seal(request.pk, line(step, step.position), step.before)
        step.save(update_fields=[*OF_STEPS, "seal"])
        count += 1
    return count


def _lists(tenant: Tenant, whom: Whom) -> int:
    """Lists that name the person go as a whole: what came of them is in the steps."""
    words = [whom.id.encode(), *(name.encode() for name in whom.names if len(name) > 2)]
    count = 0
    for model, column in ((ListUpload, "content"), (ListDraft, "rows")):
        found = []
        for pk, actor_id, packed in (
            model.objects.filter(tenant=tenant).values_list("pk", "actor_id", column).iterator()
        ):
            text = zlib.decompress(bytes(packed)) if packed else b""
            if actor_id == whom.id or any(word in text for word in words):
                found.append(pk)
        count += model.objects.filter(pk__in=found).delete()[0]
    return count


def _inbox(tenant: Tenant, whom: Whom) -> int:
    count = Report.objects.filter(tenant=tenant, actor_id=whom.id).update(actor_label=ERASED, note="")
    count += Dealt.objects.filter(tenant=tenant, by_id=whom.id).update(by_label=ERASED)
    for model, texts in ((Dealt, ("note", "subject_label")), (Report, ("note",))):
        count += _reworded(model.objects.filter(tenant=tenant), texts, whom)
    if whom.account:
        count += Letter.objects.filter(tenant=tenant, user_id=whom.account.pk).delete()[0]
    return count


def _gate(tenant: Tenant, whom: Whom) -> int:
    rules = RefreshRule.objects.filter(tenant=tenant)
    count = rules.filter(person_id=whom.id).update(person_label=ERASED)
    count += rules.filter(author_id=whom.id).update(author_label=ERASED)
    count += _reworded(rules, ("reason", "ended_by"), whom)
    return count + _reworded(GateCredential.objects.filter(tenant=tenant), ("created_by", "ended_by"), whom)


def _copy(tenant: Tenant, whom: Whom) -> int:
    count = SearchWord.objects.filter(tenant=tenant, kind=SearchWord.Kind.PERSON, target_id=whom.id).delete()[0]
    count += AppRoleAssignment.objects.filter(tenant=tenant, principal_id=whom.id).update(principal_name="")
    count += AgentTie.objects.filter(tenant=tenant, holder_id=whom.id).update(holder_name="")
    count += PermissionGrant.objects.filter(tenant=tenant, consented_by__in=whom.names).update(consented_by="")
    return count + Person.objects.filter(tenant=tenant, pk=whom.id).delete()[0]


def _views(tenant: Tenant, whom: Whom) -> int:
    """A search names somebody in few words, as it is typed: one word of a name is enough for it to go."""
    own = SavedView.objects.filter(tenant=tenant, membership__user_id=whom.account.pk if whom.account else None)
    return own.delete()[0] + saved_views.forget(tenant.pk, whom.is_told_by)


def _memberships(tenant: Tenant, whom: Whom, actor: Actor) -> int:
    contact = Tenant.objects.filter(Q(contact_name__in=whom.names) | Q(contact_mail__in=whom.names), pk=tenant.pk)
    count = contact.update(contact_name="", contact_phone="", contact_mail="")
    count += _reworded(Membership.objects.filter(tenant=tenant), ("granted_by",), whom)
    if whom.account is None:
        return count
    if whom.account.tenant_id == tenant.pk:
        with user_context(whom.account.pk):
            return count + User.objects.filter(pk=whom.account.pk).delete()[0]
    for membership in Membership.objects.filter(tenant=tenant, user_id=whom.account.pk):
        accounts.revoke_membership(membership, actor=actor)
        count += 1
    return count


def _reworded(rows, texts: Iterable[str], whom: Whom) -> int:
    """Put the placeholder into these texts of the rows that have a name in one."""
    count = 0
    for row in rows.filter(_any(whom, *(f"{text}__contains" for text in texts))):
        for text in texts:
            setattr(row, text, personal.veil(getattr(row, text), whom.erased))
        row.save(update_fields=list(texts))
        count += 1
    return count


def _any(whom: Whom, *lookups: str) -> Q:
    found = [Q(**{lookup: name}) for name in whom.names if len(name) > 2 for lookup in lookups]
    return reduce(or_, found, Q(pk__in=[]))
