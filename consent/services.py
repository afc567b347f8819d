"""What people decide about apps. Each function proves on a fresh read what it is about, then hands exact steps to the
spine, which carries them out, proves and records them. Nothing here writes to a directory by itself.

All of them return the `RevocationRequest`, already under way. They raise `consent.refusals.Refused` (in words) or
`Absent` (a 404) with nothing begun.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.models import Membership, Tenant
from consent.apps_now import app_now, binned_app_now, client_of, everything_tied_to
from consent.refusals import Absent, NothingToRevoke, Refused, WrongConfirmation, asking_microsoft
from directory import sync
from directory.models import PermissionGrant, Person, ServicePrincipal
from graph import types
from graph.errors import NotFound
from revocation import services as revocation
from revocation.actions import (
    create_assignment,
    create_grant,
    delete_app as delete_app_action,
    delete_grant,
    narrow_grant,
    purge_app as purge_app_action,
    restore_app as restore_app_action,
    set_app_enabled,
)
from revocation.models import RevocationRequest, RevocationStep
from revocation.steps import Sealer, StepDraft

ONE, ALL = PermissionGrant.ConsentType.ONE, PermissionGrant.ConsentType.ALL
SECOND_CLICK = timedelta(minutes=2)
OWN_KINDS = ("remove_own_app", "remove_own_permission")


# --- A person, about their own apps -------------------------------------------------------------------


def remove_own_app(membership: Membership, app: ServicePrincipal, *, reason: str = "") -> RevocationRequest:
    """Withdraw everything this person consented to for one app.

    Graph lets no ordinary user delete even their own grant, so the portal's identity does it, after proving on a fresh
    read that each grant is this person's own. Tokens the app already holds work until they expire.

    Raises:
        NothingToRevoke: only the organisation's own consent remains.
        Absent: this app holds nothing of this person's.

    https://learn.microsoft.com/graph/api/oauth2permissiongrant-delete
    """
    actor = Actor.of(membership)
    try:
        mine = _own_grants_now(membership, app)
    except (Absent, NothingToRevoke):
        if earlier := _asked_just_now(membership.tenant, actor, "remove_own_app", steps__before__client_id=str(app.pk)):
            return earlier
        raise
    return revocation.submit(
        tenant=membership.tenant,
        actor=actor,
        kind="remove_own_app",
        title=_("Remove %(app)s") % {"app": app.display_name},
        reason=reason,
        steps=[delete_grant.step(grant, label=app.display_name) for grant in mine],
    )


def remove_own_permission(
    membership: Membership,
    app: ServicePrincipal,
    resource_id: UUID | str,
    scopes: str | Iterable[str],
    *,
    reason: str = "",
) -> RevocationRequest:
    """Take single permissions back that this person gave an app, and leave it the others.

    Where nothing would be left of a grant, the grant goes. The organisation's consent to the same is not touched.

    Raises:
        NothingToRevoke: this person did not give the app that permission (any more).
        Absent: this app holds nothing of this person's.

    https://learn.microsoft.com/graph/api/oauth2permissiongrant-update
    """
    wanted = {scopes} if isinstance(scopes, str) else set(scopes)
    found = [
        (grant, held)
        for grant in _own_grants_now(membership, app)
        if str(grant.resource_id) == str(resource_id) and (held := [one for one in grant.scopes if one in wanted])
    ]
    if not found:
        raise NothingToRevoke(_("You have not given %(app)s this permission.") % {"app": app.display_name})
    words = ", ".join(sorted({scope for _grant, held in found for scope in held}))
    return revocation.submit(
        tenant=membership.tenant,
        actor=Actor.of(membership),
        kind="remove_own_permission",
        title=_("Remove %(permission)s from %(app)s") % {"permission": words, "app": app.display_name},
        reason=reason,
        steps=[_without(grant, held, app.display_name) for grant, held in found],
    )


def undo_own_removal(membership: Membership, request: RevocationRequest) -> RevocationRequest:
    """Put back what this person removed, within REVOCATION_UNDO_MINUTES.

    Raises:
        Absent: it is not this person's removal.
        Refused: it is too late, or an administrator has stopped the app.
    """
    actor = Actor.of(membership)
    if request.tenant_id != membership.tenant_id or request.actor_id != actor.id or request.kind not in OWN_KINDS:
        raise Absent
    minutes = settings.REVOCATION_UNDO_MINUTES
    if timezone.now() - request.created_at > timedelta(minutes=minutes):
        words = _("A removal can be undone for %(minutes)d minutes. You can let the app in again by signing in to it.")
        raise Refused(words % {"minutes": minutes})
    _refuse_stopped_apps(request)
    return revocation.undo(request, actor)


def _refuse_stopped_apps(request: RevocationRequest) -> None:
    """Undo gives back what the person took, and nothing to an app that was disabled or deleted for everyone."""
    clients = {image["client_id"] for image in request.steps.values_list("before", flat=True) if image}
    apps = ServicePrincipal.objects.filter(tenant_id=request.tenant_id, pk__in=clients)
    if stopped := apps.filter(Q(account_enabled=False) | Q(deleted_at__isnull=False)).first():
        words = _("An administrator has stopped %(app)s for everyone, so it gets nothing back.")
        raise Refused(words % {"app": stopped.display_name})


def _own_grants_now(membership: Membership, app: ServicePrincipal) -> list[types.Grant]:
    """This person's own grants to the app as Graph shows them now: of one person, and that person is they."""
    object_id = membership.object_id
    if object_id is None or app.tenant_id != membership.tenant_id:
        raise Absent
    try:
        with asking_microsoft():
            found = client_of(membership.tenant).grants_of_user(object_id)
    except Refused as refused:
        if isinstance(refused.__cause__, NotFound):
            raise Absent from refused
        raise
    mine = [
        grant
        for grant in found
        if grant.client_id == app.pk and grant.consent_type == ONE and grant.principal_id == object_id
    ]
    if mine:
        return mine
    _forget_what_is_not_there(membership, app)
    if PermissionGrant.objects.filter(tenant=membership.tenant, client=app, consent_type=ALL).exists():
        words = _("Only your organisation's own consent to %(app)s is left. An administrator can withdraw it.")
        raise NothingToRevoke(words % {"app": app.display_name})
    raise Absent


def _forget_what_is_not_there(membership: Membership, app: ServicePrincipal) -> None:
    """Our copy showed grants that Graph does not: read the person again, so that their page is true."""
    stale = PermissionGrant.objects.filter(
        tenant=membership.tenant, client=app, principal_id=membership.object_id, consent_type=ONE
    )
    if stale.exists():
        with asking_microsoft():
            sync.refresh_person(membership.tenant, membership.object_id)


def _without(grant: types.Grant, scopes: list[str], label: str) -> StepDraft:
    if set(grant.scopes) <= set(scopes):
        return delete_grant.step(grant, label=label)
    return narrow_grant.step(grant, scopes, label=label)


# --- An administrator, about the tenant's apps --------------------------------------------------------


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
        kind="revoke_user_consent",
        title=_("Revoke the consent of %(person)s to %(app)s") % {"person": person, "app": now.display_name},
        reason=reason,
        ticket=ticket,
        steps=[delete_grant.step(grant, label=f"{now.display_name} ({person})") for grant in grants],
    )


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
        kind="revoke_admin_consent",
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
        tenant, actor, "disable_app", _("Disable %(app)s"), now, [set_app_enabled.disable(now)], reason, ticket
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
    return _submit(tenant, actor, "enable_app", _("Enable %(app)s"), now, [set_app_enabled.enable(now)], reason, ticket)


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
        if earlier := _asked_just_now(tenant, actor, "delete_app", steps__target_id=str(app.pk)):
            return earlier
        raise
    if _spelled(typed) != _spelled(now.display_name):
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
        if earlier := _asked_just_now(tenant, actor, "restore_app", steps__target_id=str(app.pk)):
            return earlier
        raise
    steps = [restore_app_action.step(now)]
    deletion = last_deletion(tenant, now.id)
    if deletion:
        label = now.display_name
        steps += [create_grant.step(image, label=label) for image in deletion.before.get("grants", ())]
        steps += [create_assignment.step(image) for image in deletion.before.get("assignments", ())]
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
    )


def purge_app(
    tenant: Tenant, app: ServicePrincipal, typed: str, *, actor: Actor, reason: str = "", ticket: str = ""
) -> RevocationRequest:
    """Delete an app in the recycle bin for good. Nothing brings it back.

    Raises:
        WrongConfirmation: what was typed is not its name.
        Absent: it is not in the recycle bin.
    """
    try:
        now = binned_app_now(tenant, app)
    except Absent:
        if earlier := _asked_just_now(tenant, actor, "purge_app", steps__target_id=str(app.pk)):
            return earlier
        raise
    if _spelled(typed) != _spelled(now.display_name):
        words = _("What you typed is not the app's name, which is “%(app)s”. Nothing was changed.")
        raise WrongConfirmation(words % {"app": now.display_name})
    steps = [purge_app_action.step(now)]
    return _submit(tenant, actor, "purge_app", _("Delete %(app)s for good"), now, steps, reason, ticket)


def last_deletion(tenant: Tenant, app_id: UUID) -> RevocationStep | None:
    """The step that last deleted this app here, with its before-image; None where it was deleted elsewhere."""
    went_through = [RevocationStep.State.ACCEPTED, RevocationStep.State.VERIFIED, RevocationStep.State.UNCONFIRMED]
    steps = RevocationStep.objects.filter(
        tenant=tenant, action="delete_app", target_id=str(app_id), state__in=went_through, before__isnull=False
    )
    sealer = Sealer(tenant.pk)  # what it took is given back unasked: only as it was written then
    return next((step for step in steps.select_related("request").order_by("-pk") if sealer.holds(step)), None)


def _asked_just_now(tenant: Tenant, actor: Actor, kind: str, **target) -> RevocationRequest | None:
    """The request of a first click, whose success is why the second finds nothing to do."""
    since = timezone.now() - SECOND_CLICK
    found = RevocationRequest.objects.filter(
        tenant=tenant, kind=kind, actor_id=actor.id, created_at__gte=since, followers__isnull=True, **target
    )
    return found.order_by("-created_at").first()


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


def _spelled(name: str) -> str:
    return " ".join(name.split()).casefold()
