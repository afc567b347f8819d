"""Upload a custom policy of an Azure AD B2C tenant, or delete one that an upload made. Microsoft Graph, beta only.

It counts at once, for refresh tokens issued before as well, and for everybody who signs in through it. The XML is no
part of the step: a policy may have a megabyte, and steps are sealed, recorded and listed. The step holds its digest,
so that exactly this text is asked for, approved and sent; the text is a `b2c.models.PolicyText`. What was there
before is kept the same way, with its digest in what was seen.

https://learn.microsoft.com/graph/api/trustframework-put-trustframeworkpolicy
https://learn.microsoft.com/graph/api/trustframeworkpolicy-delete
"""

from django.utils.translation import gettext_lazy

from accounts.models import Tenant
from accounts.roles import Capability
from b2c import kept
from b2c.policies.sameness import same
from graph.errors import NotFound, Rejected
from graph.requesting import segment
from graph.sentences import gettext as _
from graph.types import Call
from revocation.actions.base import (
    NOT_YET,
    Action,
    Hit,
    Outcome,
    Verdict,
    failed,
    gone,
    gone_already,
    observe,
    unreadable,
)
from revocation.steps import StepDraft

ABSENT = ""  # in the place of a digest: there is no such policy


def step(tenant: Tenant, policy_id: str, xml: bytes, *, over: str | None = None, urgency: int = 50) -> StepDraft:
    """Upload this policy.

    Args:
        over: the digest of what whoever asks saw there, or ABSENT; anything else that is found there stays. None:
            whatever is there is replaced.
    """
    known = {} if over is None else {"over": over}
    params = {"sha256": kept.put_by(tenant.pk, xml), "size": len(xml), **known}
    return StepDraft(UploadPolicy.name, UploadPolicy.target_type, policy_id, policy_id, params=params, urgency=urgency)


class PolicyAction(Action):
    """What uploading and deleting have in common."""

    target_type = "policy"
    needs = ("Policy.ReadWrite.TrustFramework",)
    capability = Capability.MANAGE_TENANT
    blind = False  # what is there is put back by an undo, so it is read first

    def hits(self, step):
        return Hit(everyone=True)

    def look(self, step):
        return self.proof(step)

    def looked(self, step, answer):
        if answer.error is not None and not isinstance(answer.error, NotFound):
            # A refusal to read is told as it is; anything else is asked again.
            definite = isinstance(answer.error, Rejected)
            return self.refused(step, answer.error) if definite else self.unseen(answer.error)
        there = None if answer.error else answer.content
        if outcome := self.done_already(step, there, answer):
            return outcome
        over = step.params.get("over")
        if over is not None and not self._is(step, over, there):
            text = _("Somebody changed this policy since you looked at it, so nothing was changed.")
            return Outcome(Verdict.FAILED, text, "changed_meanwhile", answer.request_id)
        digest = ABSENT if there is None else kept.put_by(step.tenant_id, there)
        observe(step, found={"sha256": digest})
        return None

    def done_already(self, step, there: bytes | None, answer) -> Outcome | None:
        raise NotImplementedError

    @staticmethod
    def _is(step, digest: str, there: bytes | None) -> bool:
        if there is None or digest == ABSENT:
            return there is None and digest == ABSENT
        expected = kept.text(step.tenant_id, digest)
        return kept.digest_of(there) == digest or (expected is not None and same(expected, there))

    def proof(self, step):
        return Call("GET", f"{_path(step)}/$value", beta=True, raw=True)


class UploadPolicy(PolicyAction):
    name = "upload_policy"
    label = gettext_lazy("Upload a custom policy")
    shown = gettext_lazy("The directory gives back the policy as it was uploaded")
    meaning = gettext_lazy("It counts from the next sign-in and refresh on; B2C may take some minutes to follow")

    def done_already(self, step, there, answer):
        wanted = kept.text(step.tenant_id, step.params["sha256"])
        if wanted is None:
            return Outcome(
                Verdict.FAILED, _("The text to be uploaded is no longer kept as it was asked for."), "no_text"
            )
        if there is None or not same(there, wanted):
            return None
        return Outcome(Verdict.VERIFIED, _("It was uploaded already."), "there_already", answer.request_id)

    def call(self, step):
        return Call("PUT", f"{_path(step)}/$value", beta=True, xml=_text(step))

    def refused(self, step, error):
        if isinstance(error, Rejected) and error.status == 400:
            # What is wrong with a policy only B2C's own words say.
            return failed(error, _("B2C did not take it: %(why)s Nothing was changed.") % {"why": error.message[:1500]})
        return super().refused(step, error)

    def proved(self, step, answer):
        if isinstance(answer.error, NotFound):
            return NOT_YET
        if answer.error is not None:
            return unreadable(answer.error)
        return Outcome(Verdict.VERIFIED) if same(answer.content, _text(step)) else NOT_YET

    def undo(self, step):
        found = (step.observed or {}).get("found")
        if not found or step.outcome_code == "there_already":
            return None
        mine = step.params["sha256"]
        if found["sha256"] == ABSENT:
            params = {"over": mine}
            return StepDraft(DeletePolicy.name, self.target_type, step.target_id, step.target_label, params=params)
        before = kept.text(step.tenant_id, found["sha256"])
        if before is None:
            return None
        params = {"sha256": found["sha256"], "size": len(before), "over": mine}
        return StepDraft(self.name, self.target_type, step.target_id, step.target_label, params=params)

    def applied(self, steps):
        for step in steps:
            kept.replaced(step.tenant, step.target_id, _text(step))


class DeletePolicy(PolicyAction):
    """The undo of an upload that made a policy."""

    name = "delete_policy"
    label = gettext_lazy("Delete a custom policy")
    shown = gettext_lazy("The directory no longer has the policy")
    meaning = gettext_lazy("Nobody can sign in or refresh through it")
    deletes = True

    def done_already(self, step, there, answer):
        return gone_already(answer.error) if there is None else None

    def call(self, step):
        return Call("DELETE", _path(step), beta=True, raw=True)  # by itself, so that what builds on it goes first

    def missing(self, step, error):
        return gone_already(error)

    def proved(self, step, answer):
        return gone(answer)

    def undo(self, step):
        found = (step.observed or {}).get("found")
        before = kept.text(step.tenant_id, found["sha256"]) if found and found["sha256"] else None
        if before is None:
            return None
        params = {"sha256": found["sha256"], "size": len(before), "over": ABSENT}
        return StepDraft(UploadPolicy.name, self.target_type, step.target_id, step.target_label, params=params)

    def applied(self, steps):
        for step in steps:
            kept.replaced(step.tenant, step.target_id, None)


def _path(step) -> str:
    return f"/trustFramework/policies/{segment(step.target_id)}"


def _text(step) -> bytes:
    """The text that was asked for.

    Raises:
        ValueError: it is not there any more, or not as it was.
    """
    xml = kept.text(step.tenant_id, step.params["sha256"])
    if xml is None:
        raise ValueError(f"The text of {step.target_id} is not kept, or was edited.")
    return xml
