"""What each service about one's own apps is asked, and which event that must leave behind: for `test_record`."""

from audit.models import AuditEvent as E
from consent import own_removals
from directory.models import ServicePrincipal
from tests.revocation.spine import grants_of


def _own_app(stage) -> ServicePrincipal:
    stage.synced()
    return ServicePrincipal.objects.get(pk=grants_of(stage.adele)[0].client_id)


def _own_permission(stage):
    app, grant = _own_app(stage), grants_of(stage.adele)[0]
    own_removals.remove_own_permission(stage.adele.membership, app, grant.resource_id, grant.scopes[0])


def _undo_own(stage):
    removed = own_removals.remove_own_app(stage.adele.membership, _own_app(stage))
    own_removals.undo_own_removal(stage.adele.membership, removed)


CASES = {
    "consent.own_removals.remove_own_app": (
        E.STEP_VERIFIED,
        lambda s: own_removals.remove_own_app(s.adele.membership, _own_app(s)),
    ),
    "consent.own_removals.remove_own_apps": (
        E.STEP_VERIFIED,
        lambda s: own_removals.remove_own_apps(s.adele.membership, [_own_app(s)]),
    ),
    "consent.own_removals.remove_own_permission": (E.STEP_VERIFIED, _own_permission),
    "consent.own_removals.undo_own_removal": (E.REVOCATION_REQUESTED, _undo_own),
}
