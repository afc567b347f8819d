"""Put a delegated permission grant back, or give one its scopes back: the undo of delete_grant and narrow_grant.

https://learn.microsoft.com/graph/api/oauth2permissiongrant-post
"""

import base64
from uuid import UUID

from django.utils.translation import gettext_lazy

from directory import sync
from graph.errors import GraphError, NotFound
from graph.requesting import segment
from graph.sentences import gettext as _
from graph.types import Answer, Call, Grant
from revocation.actions.base import (
    NOT_YET,
    Action,
    Outcome,
    Verdict,
    general,
    not_there_yet,
    observe,
    unreadable,
)
from revocation.steps import StepDraft


def step(image: dict, *, label: str = "", urgency: int = 50, left: list[str] | None = None) -> StepDraft:
    """Make sure this grant exists with at least these scopes. `image` is what `delete_grant.image` keeps.

    Args:
        left: the scopes that the removal left there, none where it took the grant. Then the scopes are only put back
            onto that: what somebody else narrowed, took or gave since is not touched. None: whatever is there.
    """
    return StepDraft(
        action=CreateGrant.name,
        target_type=CreateGrant.target_type,
        target_id=grant_id(image["client_id"], image["resource_id"], image.get("principal_id")),
        target_label=label,
        params={key: image.get(key) for key in ("client_id", "resource_id", "principal_id", "consent_type", "scopes")}
        | ({} if left is None else {"left": sorted(left)}),
        urgency=urgency,
    )


def grant_id(client_id: str, resource_id: str, principal_id: str | None) -> str:
    """The id Graph gives a grant: it is the same whenever the same grant is given again."""
    parts = [client_id, resource_id, *([principal_id] if principal_id else [])]
    raw = b"".join(UUID(str(part)).bytes_le for part in parts)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _changed(answer: Answer) -> Outcome:
    text = _("Somebody changed this consent since it was removed, so nothing was put back.")
    return Outcome(Verdict.FAILED, text, "changed_meanwhile", answer.request_id)


class CreateGrant(Action):
    name = "create_grant"
    label = gettext_lazy("Put a consent back")
    shown = gettext_lazy("The directory shows the permission again")
    target_type = "grant"
    needs = ("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All")
    blind = False  # a grant that is there already is widened by what was read just before

    def look(self, step):
        return Call("GET", f"/oauth2PermissionGrants/{segment(step.target_id)}")

    def looked(self, step, answer):
        left = step.params.get("left")
        if answer.error is not None:
            observe(step, found=None)
            if not left:
                return None
            return _changed(answer) if isinstance(answer.error, NotFound) else self.refused(step, answer.error)
        found = Grant.read(answer.body)
        observe(step, found={"id": found.id, "scopes": list(found.scopes)})
        if set(step.params["scopes"]) <= set(found.scopes):
            return Outcome(Verdict.VERIFIED, _("It was there already."), "there_already", answer.request_id)
        if left is not None and (not left or not set(left) <= set(found.scopes)):
            return _changed(answer)
        return None

    def call(self, step):
        scopes = list(step.params["scopes"])
        found = (step.observed or {}).get("found")
        if found:
            scopes = list(dict.fromkeys([*found["scopes"], *scopes]))
            return Call("PATCH", f"/oauth2PermissionGrants/{segment(found['id'])}", {"scope": " ".join(scopes)})
        body = {
            "clientId": step.params["client_id"],
            "consentType": step.params["consent_type"],
            "resourceId": step.params["resource_id"],
            "scope": " ".join(scopes),
        }
        if step.params.get("principal_id"):
            body["principalId"] = step.params["principal_id"]
        return Call("POST", "/oauth2PermissionGrants", body)

    def noted(self, step, answer):
        if answer.body and answer.body.get("id"):
            observe(step, id=answer.body["id"])

    def missing(self, step, error):
        return not_there_yet(error)

    def refused(self, step, error: GraphError):
        # Graph has answered a duplicate with 400 and with 409; only the words are the same.
        if "already exists" in error.message:
            return Outcome(Verdict.ACCEPTED, request_id=error.request_id)
        return super().refused(step, error) if error.status == 403 else general(error)

    def proof(self, step):
        graph_id = (step.observed or {}).get("id") or step.target_id
        return Call("GET", f"/oauth2PermissionGrants/{segment(graph_id)}")

    def proved(self, step, answer):
        if isinstance(answer.error, NotFound):
            return NOT_YET
        if answer.error is not None:
            return unreadable(answer.error)
        found = Grant.read(answer.body)
        if not set(step.params["scopes"]) <= set(found.scopes):
            return NOT_YET
        observe(step, id=found.id, now=list(found.scopes))
        return Outcome(Verdict.VERIFIED, request_id=answer.request_id)

    def applied(self, steps):
        for step in steps:
            observed = step.observed or {}
            known = observed.get("found") or {}
            sync.put_grant(
                step.tenant,
                observed.get("id") or known.get("id") or step.target_id,
                client_id=step.params["client_id"],
                resource_id=step.params["resource_id"],
                principal_id=step.params.get("principal_id"),
                scopes=observed.get("now") or known.get("scopes") or step.params["scopes"],
            )
