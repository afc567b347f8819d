"""What a person takes away from apps that act in their name, and puts back.

Each function proves on a fresh read that the grants are theirs, then hands exact steps to the spine. They raise
`revocation.rules.refusals.Refused` (in words) or `Absent` (a 404) with nothing begun.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Membership
from consent.apps_now import Absent, asking_microsoft, client_of
from directory import sync
from directory.models import PermissionGrant, ServicePrincipal
from graph import types
from graph.errors import NotFound
from graph.sentences import gettext as _, ngettext
from revocation import selectors, services as revocation
from revocation.actions import delete_grant, narrow_grant
from revocation.models import RevocationRequest
from revocation.rules.refusals import NothingToRevoke, Refused
from revocation.steps import StepDraft

ONE, ALL = PermissionGrant.ConsentType.ONE, PermissionGrant.ConsentType.ALL
LONGEST = 200  # characters of names in a title
OWN_KINDS = (RevocationRequest.Kind.REMOVE_OWN_APP, RevocationRequest.Kind.REMOVE_OWN_PERMISSION)


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
        if earlier := selectors.first_click_of(
            membership.tenant, actor, "remove_own_app", steps__before__client_id=str(app.pk)
        ):
            return earlier
        raise
    return revocation.submit(
        tenant=membership.tenant,
        actor=actor,
        kind=RevocationRequest.Kind.REMOVE_OWN_APP,
        title=_("Remove %(app)s") % {"app": app.display_name},
        reason=reason,
        steps=[delete_grant.step(grant, label=app.display_name) for grant in mine],
    )


def remove_own_apps(membership: Membership, apps: Sequence[ServicePrincipal], *, reason: str = "") -> RevocationRequest:
    """Withdraw everything this person consented to for several apps: one request, and one undo for all of it.

    What is not there any more is left out.

    Raises:
        NothingToRevoke: the person gave none of them anything (any more).
        Absent: there is no such person in the directory.
    """
    mine = _held_now(membership, apps)
    held = {grant.client_id for grant in mine}
    going = {app.pk: app.display_name for app in apps if app.pk in held}
    if not going:
        asked_for = [str(app.pk) for app in apps]
        if earlier := selectors.first_click_of(
            membership.tenant, Actor.of(membership), "remove_own_app", steps__before__client_id__in=asked_for
        ):
            return earlier
        for app in apps:
            _forget_what_is_not_there(membership, app)
        raise NothingToRevoke(_("None of these apps holds anything that you gave it. Nothing was changed."))
    count = len(going)
    names = ", ".join(sorted(going.values()))
    title = ngettext("Remove %(count)d app: %(apps)s", "Remove %(count)d apps: %(apps)s", count)
    return revocation.submit(
        tenant=membership.tenant,
        actor=Actor.of(membership),
        kind=RevocationRequest.Kind.REMOVE_OWN_APP,
        title=title % {"count": count, "apps": names if len(names) <= LONGEST else f"{names[:LONGEST]}…"},
        reason=reason,
        steps=[delete_grant.step(grant, label=going[grant.client_id]) for grant in mine],
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
        kind=RevocationRequest.Kind.REMOVE_OWN_PERMISSION,
        title=_("Remove %(permission)s from %(app)s") % {"permission": words, "app": app.display_name},
        reason=reason,
        steps=[_without(grant, held, app.display_name) for grant, held in found],
    )


def undo_own_removal(membership: Membership, request: RevocationRequest) -> RevocationRequest:
    """Put back what this person removed, within REVOCATION_UNDO_MINUTES.

    Raises:
        Absent: it is not this person's removal.
        Refused: it is too late, or somebody has spoken about it since: see `revocation.rules.undoing`.
    """
    actor = Actor.of(membership)
    if request.tenant_id != membership.tenant_id or request.actor_id != actor.id or request.kind not in OWN_KINDS:
        raise Absent
    if revocation.undo_until(request) < timezone.now():
        words = _("A removal can be undone for %(minutes)d minutes. You can let the app in again by signing in to it.")
        raise Refused(words % {"minutes": settings.REVOCATION_UNDO_MINUTES})
    return revocation.undo(request, actor)


def _own_grants_now(membership: Membership, app: ServicePrincipal) -> list[types.Grant]:
    """This person's own grants to the app as Graph shows them now: of one person, and that person is they."""
    mine = _held_now(membership, [app])
    if mine:
        return mine
    _forget_what_is_not_there(membership, app)
    if PermissionGrant.objects.filter(tenant=membership.tenant, client=app, consent_type=ALL).exists():
        words = _("Only what your organisation allowed %(app)s is left. An administrator can end that.")
        raise NothingToRevoke(words % {"app": app.display_name})
    raise Absent


def _held_now(membership: Membership, apps: Sequence[ServicePrincipal]) -> list[types.Grant]:
    """What this person, and nobody else, gave these apps, as Graph shows it now."""
    object_id = membership.object_id
    if object_id is None or any(app.tenant_id != membership.tenant_id for app in apps):
        raise Absent
    try:
        with asking_microsoft():
            found = client_of(membership.tenant).grants_of_user(object_id)
    except Refused as refused:
        if isinstance(refused.__cause__, NotFound):
            raise Absent from refused
        raise
    wanted = {app.pk for app in apps}
    return [
        grant
        for grant in found
        if grant.client_id in wanted and grant.consent_type == ONE and grant.principal_id == object_id
    ]


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
