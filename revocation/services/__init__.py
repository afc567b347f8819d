"""What people can do with revocations: ask, sign out, approve, undo, retry, pause, resume, cancel.

Every function leaves an audit entry in the transaction that changes the rows; none talks to Microsoft itself, the
executor does.
"""

from revocation.rules.refusals import NotApproved, NothingToRevoke, NotPossible, Protected, Refused
from revocation.services.approving import approve, override, reject
from revocation.services.asking import sign_out, sign_out_self, submit
from revocation.services.putting_back import may_be_undone, retry_failed, undo, undo_until, undoable
from revocation.services.refusing import end as end_refresh_rules, refuse as refuse_refresh
from revocation.services.securing import secure_account
from revocation.services.steering import cancel, pause, resume
from revocation.steps import StepDraft

__all__ = [
    "NotApproved",
    "NotPossible",
    "NothingToRevoke",
    "Protected",
    "Refused",
    "StepDraft",
    "approve",
    "cancel",
    "end_refresh_rules",
    "may_be_undone",
    "override",
    "pause",
    "refuse_refresh",
    "reject",
    "resume",
    "retry_failed",
    "secure_account",
    "sign_out",
    "sign_out_self",
    "submit",
    "undo",
    "undo_until",
    "undoable",
]
