"""Securing one account that may be stolen: sign the person out, and withdraw what they let apps do, as one request."""

from collections.abc import Collection
from uuid import UUID

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import in_tenant
from directory.models import PermissionGrant, Person
from graph.sentences import gettext as _
from revocation import drafting
from revocation.actions import delete_grant
from revocation.models import RevocationRequest
from revocation.rules import protection
from revocation.rules.refusals import Protected
from revocation.services.asking import as_of_now, record_refusal, submit


def secure_account(
    tenant: Tenant,
    person: Person,
    *,
    actor: Actor,
    sign_out: bool = True,
    apps: Collection[UUID | str] = (),
    reason: str,
    ticket: str = "",
) -> RevocationRequest:
    """Sign this person out everywhere, and withdraw their own consent to these apps.

    Raises:
        Protected: a rule protects the person from this actor; the refusal is recorded and nothing was changed.
        NothingToRevoke: neither was asked for, or the apps hold no consent of theirs any more.
    """
    with in_tenant(tenant.pk):
        person = as_of_now(tenant, person)
        if sign_out and (why := protection.refusal(tenant, person, actor)):
            reasons = {str(person.pk): why}
            record_refusal(tenant, actor, [person], reasons, reason, ticket)
            raise Protected(reasons)
        name = person.display_name or person.upn
        steps = []
        if sign_out:
            steps += drafting.sign_out(tenant, person.pk, name, before=drafting.sessions_before(person))
        held = PermissionGrant.objects.filter(tenant=tenant, principal=person, client__in=list(apps))
        for grant in held.select_related("client").order_by("client_id", "id"):
            label = _("%(app)s, granted by %(person)s") % {"app": grant.client.display_name, "person": name}
            about = {"person_id": str(person.pk), "person_label": name}
            steps.append(delete_grant.step(grant, label=label[:256], **about))
        return submit(
            tenant=tenant,
            actor=actor,
            kind=RevocationRequest.Kind.CONTAIN_PEOPLE,
            title=_("Secure the account of %(person)s") % {"person": name},
            steps=steps,
            reason=reason,
            ticket=ticket,
        )
