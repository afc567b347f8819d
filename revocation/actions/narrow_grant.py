"""Take single permissions out of a grant and keep the rest.

https://learn.microsoft.com/graph/api/oauth2permissiongrant-update
"""

from django.utils.translation import gettext_lazy

from directory import sync
from directory.models import PermissionGrant
from graph.errors import NotFound
from graph.requesting import segment
from graph.sentences import gettext as _
from graph.types import Call, Grant
from revocation.actions import create_grant, delete_grant
from revocation.actions.base import NOT_YET, Action, Outcome, Verdict, observe, unreadable
from revocation.steps import StepDraft


def step(grant: PermissionGrant | Grant, remove: list[str], *, label: str = "", urgency: int = 50) -> StepDraft:
    """Take the scopes `remove` out of this grant.

    Raises:
        ValueError: nothing would remain; delete the grant instead.
    """
    image = delete_grant.image(grant)
    if not set(image["scopes"]) - set(remove):
        raise ValueError("Nothing would remain of this grant: delete it instead.")
    return StepDraft(
        action=NarrowGrant.name,
        target_type=NarrowGrant.target_type,
        target_id=grant.graph_id if isinstance(grant, PermissionGrant) else grant.id,
        target_label=label,
        params={"remove": sorted(remove)},
        before=image,
        urgency=urgency,
    )


class NarrowGrant(Action):
    name = "narrow_grant"
    label = gettext_lazy("Remove one permission")
    shown = gettext_lazy("The directory shows the smaller permission")
    meaning = gettext_lazy("The app can get nothing new with it")
    ends_access = True
    target_type = "grant"
    needs = ("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All")
    blind = False  # what remains is what was read just before

    def hits(self, step):
        return delete_grant.hits(step)

    def look(self, step):
        return Call("GET", f"/oauth2PermissionGrants/{segment(step.target_id)}")

    def looked(self, step, answer):
        if isinstance(answer.error, NotFound) and step.before:
            # A read may lag behind and not know the grant yet; the change itself will tell.
            observe(step, remain=[scope for scope in step.before["scopes"] if scope not in step.params["remove"]])
            return None
        if answer.error is not None:
            # Without knowing what is there now, a PATCH could give scopes back that were removed meanwhile.
            return self.refused(step, answer.error)
        found = Grant.read(answer.body)
        if not delete_grant.same_grant(step.before, found):
            text = _("This grant is no longer the one that was shown. Nothing was changed.")
            return Outcome(Verdict.FAILED, text, "changed_meanwhile", answer.request_id)
        remain = [scope for scope in found.scopes if scope not in step.params["remove"]]
        observe(step, found=delete_grant.image(found), remain=remain)
        if len(remain) == len(found.scopes):
            return Outcome(Verdict.VERIFIED, _("It was gone already."), "gone_already", answer.request_id)
        return None

    def call(self, step):
        path = f"/oauth2PermissionGrants/{segment(step.target_id)}"
        remain = (step.observed or {}).get("remain") or []
        # A grant of nothing cannot be stored: when the rest went meanwhile, the grant goes.
        return Call("PATCH", path, {"scope": " ".join(remain)}) if remain else Call("DELETE", path)

    def missing(self, step, error):
        return Outcome(Verdict.VERIFIED, _("It was gone already."), "gone_already", error.request_id)

    def proof(self, step):
        return Call("GET", f"/oauth2PermissionGrants/{segment(step.target_id)}")

    def proved(self, step, answer):
        if isinstance(answer.error, NotFound):
            observe(step, now=[])
            return Outcome(Verdict.VERIFIED, request_id=answer.request_id)
        if answer.error is not None:
            return unreadable(answer.error)
        found = Grant.read(answer.body)
        if set(found.scopes) & set(step.params["remove"]):
            return NOT_YET
        observe(step, now=list(found.scopes))
        return Outcome(Verdict.VERIFIED, request_id=answer.request_id)

    def undo(self, step):
        before = (step.observed or {}).get("found") or step.before
        if not before or step.outcome_code == "gone_already":
            return None
        removed = set(step.params["remove"])
        took = [scope for scope in before["scopes"] if scope in removed]
        left = [scope for scope in before["scopes"] if scope not in removed]
        return create_grant.step({**before, "scopes": took}, label=step.target_label, left=left)

    def applied(self, steps):
        for step in steps:
            observed, before = step.observed or {}, step.before or {}
            now = observed.get("now", observed.get("remain"))
            if now and before:
                sync.put_grant(
                    step.tenant,
                    step.target_id,
                    client_id=before["client_id"],
                    resource_id=before["resource_id"],
                    principal_id=before.get("principal_id"),
                    scopes=now,
                )
            else:
                sync.forget_grants(step.tenant, [step.target_id])
