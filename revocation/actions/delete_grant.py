"""Delete a delegated permission grant: one person's own, or (by an admin) the whole organisation's.

https://learn.microsoft.com/graph/api/oauth2permissiongrant-delete
"""

from django.utils.translation import gettext_lazy

from directory import sync
from directory.models import PermissionGrant
from graph.requesting import segment
from graph.sentences import gettext as _
from graph.types import Call, Grant
from revocation.actions import create_grant
from revocation.actions.base import Action, Hit, Outcome, Verdict, gone, gone_already, observe
from revocation.steps import StepDraft


def image(grant: PermissionGrant | Grant) -> dict:
    """A grant as it is kept before it is changed, from our copy or from Graph."""
    return {
        "client_id": str(grant.client_id),
        "resource_id": str(grant.resource_id),
        "principal_id": str(grant.principal_id) if grant.principal_id else None,
        "consent_type": str(grant.consent_type),
        "scopes": list(grant.scopes),
    }


def step(grant: PermissionGrant | Grant, *, label: str = "", urgency: int = 50, **params) -> StepDraft:
    """Delete this grant. `label` says it to people: the app's name, and whose grant it is."""
    graph_id = grant.graph_id if isinstance(grant, PermissionGrant) else grant.id
    return StepDraft(
        action=DeleteGrant.name,
        target_type=DeleteGrant.target_type,
        target_id=graph_id,
        target_label=label or graph_id,
        params=params,
        before=image(grant),
        urgency=urgency,
    )


def same_grant(before: dict | None, found: Grant) -> bool:
    """Whether a grant read just now is the one that was asked about: same app, same API, same person."""
    if not before:
        return True
    now = image(found)
    return all(now[key] == before.get(key) for key in ("client_id", "resource_id", "principal_id", "consent_type"))


def hits(step) -> Hit:
    """Whose consent it is: one person's, or everybody's."""
    person = (step.before or {}).get("principal_id") or ""
    return Hit(person, everyone=not person)


class DeleteGrant(Action):
    name = "delete_grant"
    label = gettext_lazy("Withdraw a consent")
    shown = gettext_lazy("The directory no longer shows the permission")
    meaning = gettext_lazy("The app can get nothing new with it")
    ends_access = True
    target_type = "grant"
    needs = ("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All")

    def hits(self, step):
        return hits(step)

    def look(self, step):
        return Call("GET", f"/oauth2PermissionGrants/{segment(step.target_id)}")

    def looked(self, step, answer):
        if answer.error is not None:
            return None  # A read may lag behind and not know the grant yet; the deletion itself will tell.
        found = Grant.read(answer.body)
        observe(step, found=image(found))
        if not same_grant(step.before, found):
            text = _("This grant is no longer the one that was shown. Nothing was changed.")
            return Outcome(Verdict.FAILED, text, "changed_meanwhile", answer.request_id)
        return None

    def call(self, step):
        return Call("DELETE", f"/oauth2PermissionGrants/{segment(step.target_id)}")

    def missing(self, step, error):
        return gone_already(error)

    def proof(self, step):
        return Call("GET", f"/oauth2PermissionGrants/{segment(step.target_id)}")

    def proved(self, step, answer):
        return gone(answer)

    def undo(self, step):
        # What was there just before the deletion, rather than what our copy thought.
        before = (step.observed or {}).get("found") or step.before
        if not before or step.outcome_code == "gone_already":
            return None
        return create_grant.step(before, label=step.target_label, left=[])

    def applied(self, steps):
        sync.forget_grants(steps[0].tenant, [step.target_id for step in steps])
