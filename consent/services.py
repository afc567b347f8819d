"""What administrators decide about the tenant's apps.

Each function proves on a fresh read what it is about, then hands exact steps to the spine, which carries them out,
proves and records them. Nothing here writes to a directory by itself.

All of them return the `RevocationRequest`, already under way. They raise `revocation.rules.refusals.Refused` (in
words) or `Absent` (a 404) with nothing begun.
"""

from uuid import UUID

from accounts.access import Actor
from accounts.models import Tenant
from consent.apps_now import Absent, app_now, asking_microsoft, binned_app_now, client_of, everything_tied_to, is_name
from directory import sync
from directory.models import PermissionGrant, Person, ServicePrincipal
from graph.sentences import gettext as _, ngettext
from graph.types import AppKind
from revocation import selectors, services as revocation
from revocation.actions import (
    create_assignment,
    create_grant,
    delete_app as delete_app_action,
    delete_grant,
    purge_app as purge_app_action,
    restore_app as restore_app_action,
    set_app_enabled,
)
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules.refusals import NothingToRevoke, Protected, Refused, WrongConfirmation
from revocation.steps import Sealer

ONE, ALL = PermissionGrant.ConsentType.ONE, PermissionGrant.ConsentType.ALL

Kind = RevocationRequest.Kind


def revoke_user_consent(
    tenant: Tenant, app: ServicePrincipal, person_id: UUID | str, *, actor: Actor, reason: str = "", ticket: str = ""
) -> RevocationRequest:
    """Withdraw what one person let an app do.

    Raises:
        Protected: the app is Microsoft's own, or this portal.
        NothingToRevoke: the person has not consented (any more).
    """
    now = app_now(tenant, app)
    with asking_microsoft():
        grants = [
            grant
            for grant in client_of(tenant).grants_of_client(now.id)
            if grant.consent_type == ONE and str(grant.principal_id) == str(person_id)
        ]
    if not grants:
        raise NothingToRevoke(_("This person has not let %(app)s act for them.") % {"app": now.display_name})
    known = Person.objects.filter(tenant=tenant, pk=person_id).first()
    person = known.display_name if known else str(person_id)
    return revocation.submit(
        tenant=tenant,
        actor=actor,
        kind=Kind.REVOKE_USER_CONSENT,
        title=_("Revoke the consent of %(person)s to %(app)s") % {"person": person, "app": now.display_name},
        reason=reason,
        ticket=ticket,
        steps=[delete_grant.step(grant, label=f"{now.display_name} ({person})") for grant in grants],
    )


def revoke_user_consents(
    tenant: Tenant, app: ServicePrincipal, people: list[UUID], *, actor: Actor, reason: str = "", ticket: str = ""
) -> RevocationRequest:
    """Withdraw what several people let an app do, as one request. Who has not consented (any more) is left out.

    Raises:
        Protected: the app is Microsoft's own, or this portal.
        NothingToRevoke: none of them has.
    """
    now, wanted = app_now(tenant, app), {str(pk) for pk in people}
    with asking_microsoft():
        grants = [
            grant
            for grant in client_of(tenant).grants_of_client(now.id)
            if grant.consent_type == ONE and str(grant.principal_id) in wanted
        ]
    if not grants:
        raise NothingToRevoke(_("None of these people lets %(app)s act for them.") % {"app": now.display_name})
    names = {str(pk): name for pk, name in _names(tenant, wanted)}
    whose = {str(grant.principal_id) for grant in grants}
    title = ngettext(
        "Revoke the consent of %(n)s person to %(app)s", "Revoke the consent of %(n)s people to %(app)s", len(whose)
    )
    return revocation.submit(
        tenant=tenant,
        actor=actor,
        kind=Kind.REVOKE_USER_CONSENT,
        title=title % {"n": len(whose), "app": now.display_name},
        reason=reason,
        ticket=ticket,
        steps=[
            delete_grant.step(
                grant, label=f"{now.display_name} ({names.get(str(grant.principal_id), grant.principal_id)})"
            )
            for grant in grants
        ],
    )


def _names(tenant: Tenant, people: set[str]):
    return Person.objects.filter(tenant=tenant, pk__in=people).values_list("pk", "display_name")


def revoke_tenant_consent(
    tenant: Tenant, app: ServicePrincipal, *, actor: Actor, reason: str = "", ticket: str = ""
) -> RevocationRequest:
    """Withdraw the consent an administrator gave for everyone. What people granted themselves stays.

    Raises:
        Protected: the app is Microsoft's own, or this portal.
        NothingToRevoke: there is no consent for everyone (any more).
    """
    now = app_now(tenant, app)
    with asking_microsoft():
        grants = [grant for grant in client_of(tenant).grants_of_client(now.id) if grant.consent_type == ALL]
    if not grants:
        raise NothingToRevoke(_("The organisation has not consented to %(app)s.") % {"app": now.display_name})
    return revocation.submit(
        tenant=tenant,
        actor=actor,
        kind=Kind.REVOKE_ADMIN_CONSENT,
        title=_("Revoke the organisation's consent to %(app)s") % {"app": now.display_name},
        reason=reason,
        ticket=ticket,
        steps=[delete_grant.step(grant, label=now.display_name) for grant in grants],
    )


def disable_app(
    tenant: Tenant, app: ServicePrincipal, *, actor: Actor, reason: str = "", ticket: str = ""
) -> RevocationRequest:
    """Let nobody sign in to the app, and let it get no new tokens. Its grants stay, asleep.

    Raises:
        Protected: the app is Microsoft's own, or this portal.
        Refused: it is disabled already.
    """
    now = app_now(tenant, app)
    if not now.account_enabled:
        sync.mark_disabled(tenant, now.id)
        raise Refused(_("%(app)s is disabled already.") % {"app": now.display_name})
    return _submit(
        tenant, actor, Kind.DISABLE_APP, _("Disable %(app)s"), now, [set_app_enabled.disable(now)], reason, ticket
    )


def enable_app(
    tenant: Tenant, app: ServicePrincipal, *, actor: Actor, reason: str = "", ticket: str = ""
) -> RevocationRequest:
    """Let people sign in to the app again, with all it was granted before.

    Raises:
        Protected: the app is Microsoft's own, or this portal.
        Refused: it is enabled already.
    """
    now = app_now(tenant, app)
    if now.account_enabled:
        sync.mark_enabled(tenant, now.id)
        raise Refused(_("%(app)s is enabled already.") % {"app": now.display_name})
    return _submit(
        tenant, actor, Kind.ENABLE_APP, _("Enable %(app)s"), now, [set_app_enabled.enable(now)], reason, ticket
    )


def delete_app(
    tenant: Tenant, app: ServicePrincipal, typed: str, *, actor: Actor, reason: str = "", ticket: str = ""
) -> RevocationRequest:
    """Move the app to the recycle bin, with everything it was granted and everybody assigned kept as a before-image.

    Args:
        typed: what the administrator typed to confirm: the app's name as it is now.

    Raises:
        WrongConfirmation: it is another name, perhaps because the app was renamed meanwhile.
        Protected: the app is Microsoft's own, or this portal.

    https://learn.microsoft.com/graph/api/serviceprincipal-delete
    """
    try:
        now = app_now(tenant, app)
    except Absent:
        if earlier := selectors.first_click_of(tenant, actor, "delete_app", steps__target_id=str(app.pk)):
            return earlier
        raise
    if not is_name(typed, now.display_name, now.app_id):
        words = _("What you typed is not the app's name, which is now “%(app)s”. Nothing was changed.")
        raise WrongConfirmation(words % {"app": now.display_name})
    grants, assignments = everything_tied_to(tenant, now)
    step = delete_app_action.step(now, grants=grants, assignments=assignments)
    return _submit(
        tenant,
        actor,
        "delete_app",
        _("Delete %(app)s"),
        now,
        [step],
        reason,
        ticket,
    )


def restore_app(
    tenant: Tenant, app: ServicePrincipal, *, actor: Actor, reason: str = "", ticket: str = ""
) -> RevocationRequest:
    """Take the app out of the recycle bin, compare it with what was there before, and put back what is missing.

    The comparison is made by the steps themselves once the app is back: each looks for its grant or assignment and
    only creates one that is not there. Without a before-image of ours the app comes back as Microsoft kept it.

    Raises:
        Absent: it is not in the recycle bin.

    https://learn.microsoft.com/graph/api/directory-deleteditems-restore
    """
    try:
        now = binned_app_now(tenant, app)
    except Absent:
        if earlier := selectors.first_click_of(tenant, actor, "restore_app", steps__target_id=str(app.pk)):
            return earlier
        raise
    steps = [restore_app_action.step(now)]
    deletion = last_deletion(tenant, now.id)
    if deletion:
        label = now.display_name
        steps += [create_grant.step(image, label=label) for image in deletion.before.get("grants", ())]
        app_ids = _app_ids(tenant, {image["resource_id"] for image in deletion.before.get("assignments", ())})
        steps += [
            create_assignment.step(image, resource_app_id=app_ids.get(image["resource_id"]))
            for image in deletion.before.get("assignments", ())
        ]
    return _submit(
        tenant,
        actor,
        "restore_app",
        _("Restore %(app)s"),
        now,
        steps,
        reason,
        ticket,
        follows=deletion.request if deletion else None,
        first_only=True,
    )


def _app_ids(tenant: Tenant, ids: set[str]) -> dict[str, UUID]:
    found = ServicePrincipal.objects.filter(tenant=tenant, pk__in=ids)
    return {str(pk): app_id for pk, app_id in found.values_list("pk", "app_id")}


def purge_app(
    tenant: Tenant, app: ServicePrincipal, typed: str, *, actor: Actor, reason: str = "", ticket: str = ""
) -> RevocationRequest:
    """Delete an app in the recycle bin for good. Nothing brings it back.

    Raises:
        WrongConfirmation: what was typed is not its name.
        Absent: it is not in the recycle bin.
        Protected: it is an agent blueprint, which Microsoft lets nobody delete for good.
    """
    try:
        now = binned_app_now(tenant, app)
    except Absent:
        if earlier := selectors.first_click_of(tenant, actor, "purge_app", steps__target_id=str(app.pk)):
            return earlier
        raise
    if now.kind == AppKind.BLUEPRINT:
        raise Protected(
            {
                str(app.pk): _(
                    "Microsoft lets nobody delete an agent blueprint for good; it goes by itself after 30 days."
                )
            }
        )
    if not is_name(typed, now.display_name, now.app_id):
        words = _("What you typed is not the app's name, which is “%(app)s”. Nothing was changed.")
        raise WrongConfirmation(words % {"app": now.display_name})
    steps = [purge_app_action.step(now)]
    return _submit(tenant, actor, Kind.PURGE_APP, _("Delete %(app)s for good"), now, steps, reason, ticket)


def last_deletion(tenant: Tenant, app_id: UUID) -> RevocationStep | None:
    """The step that last deleted this app here, with its before-image; None where it was deleted elsewhere."""
    steps = RevocationStep.objects.went_through().filter(
        tenant=tenant, action=delete_app_action.DeleteApp.name, target_id=str(app_id), before__isnull=False
    )
    sealer = Sealer(tenant.pk)  # what it took is given back unasked: only as it was written then
    return next((step for step in steps.select_related("request").order_by("-pk") if sealer.holds(step)), None)


def _submit(tenant, actor, kind, title, app, steps, reason, ticket, **options) -> RevocationRequest:
    return revocation.submit(
        tenant=tenant,
        actor=actor,
        kind=kind,
        title=title % {"app": app.display_name},
        steps=steps,
        reason=reason,
        ticket=ticket,
        **options,
    )
