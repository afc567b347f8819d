"""How Consentry acts for a tenant: the settings its own admin decides, each change on the record."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.access import Actor
from accounts.models import Membership, Tenant, User
from accounts.services import find_person
from accounts.tenancy import tenant_context
from audit.models import AuditEvent
from audit.services import record_on_tenant
from directory.models import Person
from revocation.rules import two_persons

FIELDS = (
    "contact_name",
    "contact_phone",
    "contact_mail",
    "approval_threshold",
    "approve_app_deletion",
    "allow_emergency_override",
    "write_share_percent",
    "break_glass_ids",
    "notify_people",
    "notify_subject",
    "notify_body",
)


def change(tenant: Tenant, values: Mapping[str, Any], *, actor: Actor) -> list[str]:
    """Save what differs, and return the names of the settings that changed.

    The row is locked, so that two admins' changes are recorded one after the other, each with its own before-image.
    Nothing differs: nothing is saved or recorded. What is no setting of the tenant's admin is not touched. Where the
    rule of two persons is loosened, the stricter one holds on for a while: see `revocation.rules.two_persons`.
    """
    with transaction.atomic():
        row = Tenant.objects.select_for_update().get(pk=tenant.pk)
        changed = [name for name in FIELDS if name in values and getattr(row, name) != values[name]]
        sealed = two_persons.is_sealed(row)
        if not changed and sealed:
            return []
        before = {name: _plain(getattr(row, name)) for name in changed}
        was, held = two_persons.saved(row), two_persons.in_force(row)
        if not sealed:
            was = held
        for name in changed:
            setattr(row, name, values[name])
        kept = two_persons.keep(row, was, held)
        row.rule_seal = two_persons.seal(row)
        for name in [*changed, *kept, "rule_seal"]:
            setattr(tenant, name, getattr(row, name))
        row.save(update_fields=[*changed, *kept, "rule_seal"])
        record_on_tenant(
            AuditEvent.TENANT_CHANGED,
            tenant.pk,
            row.name,
            actor=actor,
            outcome="saved",
            before=before,
            after={name: _plain(values[name]) for name in changed}
            | ({"stricter_rule_until": row.stricter_until} if kept else {})
            | ({} if sealed else {"sealed_anew": True}),
        )
    return changed


def choose_sign_out(tenant: Tenant, action: str, *, actor: Actor) -> None:
    """Let sign-outs make this call of Microsoft's: which one reaches a refresh, a B2C tenant's policies say."""
    with transaction.atomic():
        row = Tenant.objects.select_for_update().get(pk=tenant.pk)
        before = row.sign_out_action
        if before == action:
            return
        row.sign_out_action = tenant.sign_out_action = Tenant.SignOutAction(action)
        row.save(update_fields=["sign_out_action"])
        record_on_tenant(
            AuditEvent.TENANT_CHANGED,
            tenant.pk,
            row.name,
            actor=actor,
            outcome="saved",
            before={"sign_out_action": before},
            after={"sign_out_action": action},
        )


def _plain(value: Any) -> Any:
    return [str(item) for item in value] if isinstance(value, list) else value


def person_named(tenant: Tenant, address: str) -> UUID | None:
    """The one person of this tenant whose user principal name or mail address this is."""
    people = Person.objects.filter(tenant=tenant, is_agent=False)
    for field in ("upn", "mail"):
        found = people.filter(**{f"{field}__iexact": address}).values_list("pk", flat=True)[:2]
        if len(found) == 1:
            return found[0]
        if found:
            return None
    return None


def emergency_accounts(tenant: Tenant) -> list[Person | UUID]:
    """Those on the list of break-glass accounts, by name; by id alone where the copy does not know them."""
    known = Person.objects.filter(tenant=tenant).in_bulk(tenant.break_glass_ids)
    return [known.get(pk, pk) for pk in tenant.break_glass_ids]


# --- People of other organisations --------------------------------------------------------------------


def members_from_elsewhere(tenant: Tenant) -> QuerySet[Membership]:
    """Memberships that this tenant's admin granted to people of another tenant, by name."""
    granted = Membership.objects.filter(tenant=tenant, source=Membership.Source.GRANTED)
    return granted.order_by("person_label", "pk")


def member_from_elsewhere(tenant: Tenant, membership_id: UUID) -> Membership | None:
    return members_from_elsewhere(tenant).filter(pk=membership_id).first()


def person_from_elsewhere(tenant: Tenant, who: str, home: str = "") -> User | None:
    """Somebody of another tenant who has signed in here before.

    None for everything else, so that nobody learns from the answer which organisations use this portal.

    Args:
        who: their user principal name, mail address or object id.
        home: the other tenant's id or domain; needed where `who` does not end in that domain.
    """
    who, home = who.strip(), home.strip() or who.strip().rpartition("@")[2]
    fits = Q(domain__iexact=home) | (Q(pk=uuid) if (uuid := _uuid(home)) else Q())
    other = Tenant.objects.filter(fits).exclude(pk=tenant.pk).first() if home else None
    if other is None:
        return None
    if object_id := _uuid(who):
        return find_person(other.pk, object_id)
    with tenant_context(other.pk):
        known = User.objects.filter(tenant=other, upn__iexact=who).values_list("object_id", flat=True)[:2]
        found = set(known) or set(
            Person.objects.filter(tenant=other, mail__iexact=who).values_list("pk", flat=True)[:2]
        )
    return find_person(other.pk, found.pop()) if len(found) == 1 else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
