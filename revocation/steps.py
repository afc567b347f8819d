"""What a step is before it is stored, and how its content is fixed: one digest for the request, one seal for each step.

The digest is what a second person approves. The seals are MACs under a key outside the database. The executor checks
the request's, the approval's and each step's just before it acts, so that a row edited by hand is never carried out.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from audit import canonical, keys
from revocation.models import RevocationRequest, RevocationStep

# Larger requests are mass actions whatever the caller says, so that no list of people jumps the queue.
INTERACTIVE_LIMIT = 40


@dataclass(frozen=True, slots=True)
class StepDraft:
    """One change that is wanted. Each action's `step()` makes them; see `revocation.actions`.

    Attributes:
        action: an action's name.
        target_id: what is changed: a person's or an app's object id, a grant's or an assignment's Graph id.
        before: what is there now, as far as we know; undo puts it back.
        urgency: smaller goes first, within a request and between requests of one kind.
    """

    action: str
    target_type: str
    target_id: str
    target_label: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] | None = None
    urgency: int = 50


class Digest:
    """SHA-256 over the exact steps in their order, fed one at a time. `before` is a finding and not part of it."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"consentry steps v1\n")

    def add(self, line: bytes) -> None:
        self._hash.update(line + b"\n")

    def hex(self) -> str:
        return self._hash.hexdigest()


def line(step: StepDraft | RevocationStep, position: int) -> bytes:
    """What is asked for in one step, in the one spelling that is hashed."""
    asked = [position, step.action, step.target_type, step.target_id, step.target_label, step.params, step.urgency]
    return canonical.encode(asked)


def digest_of(request: RevocationRequest) -> tuple[str, int]:
    """The digest of the steps as they are stored now, and how many there are; in constant memory."""
    digest, count = Digest(), 0
    fields = ("position", "action", "target_type", "target_id", "target_label", "params", "urgency")
    stored = RevocationStep.objects.filter(tenant_id=request.tenant_id, request_id=request.pk).order_by("position")
    for step in stored.only(*fields).iterator(chunk_size=2000):
        digest.add(line(step, step.position))
        count += 1
    return digest.hex(), count


def _seen(step: RevocationStep) -> bytes:
    return canonical.encode(["seen", step.position, step.target_id, canonical.plain(step.observed["found"])])


def _asked(request: RevocationRequest) -> bytes:
    asked = [request.kind, request.actor_id, request.digest, request.step_count, request.needs_approval]
    return canonical.encode(["asked", *asked, request.interactive, request.high_priority])


def _agreed(request: RevocationRequest) -> bytes:
    at = canonical.instant(request.approved_at) if request.approved_at else None
    account = str(request.approver_user_id) if request.approver_user_id else None
    return canonical.encode(["agreed", request.approver_id, account, request.approved_digest, at, request.overridden])


class Sealer:
    """Makes and checks the seals of one tenant's requests and steps."""

    def __init__(self, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self._keys: dict[str, bytes] = {}

    def seal(self, request_id: UUID, content: bytes, before: Any) -> str:
        key_id = keys.newest()
        return key_id + self._mac(key_id, request_id, content, before)

    @staticmethod
    def knows(seal: str) -> bool:
        """Whether this process has the key it was made under. While a key is brought in, some processes do not yet."""
        return seal[:16] in keys.known()

    def holds(self, step: RevocationStep) -> bool:
        """Whether the stored step is the one that was asked for."""
        return self._holds(step.seal, step.request_id, line(step, step.position), step.before)

    def seal_request(self, request: RevocationRequest) -> str:
        """Fix who asked for which steps, and whether somebody else has to agree."""
        return self.seal(request.pk, _asked(request), None)

    def request_holds(self, request: RevocationRequest) -> bool:
        return self._holds(request.seal, request.pk, _asked(request))

    def seal_approval(self, request: RevocationRequest) -> str:
        """Fix who agreed to which steps, and when."""
        return self.seal(request.pk, _agreed(request), None)

    def approval_holds(self, request: RevocationRequest) -> bool:
        return self._holds(request.approval_seal, request.pk, _agreed(request))

    def vouch(self, step: RevocationStep) -> None:
        """Sign what the directory showed just before the call: undo puts that back, and a row can be edited."""
        if (step.observed or {}).get("found"):
            step.observed = {**step.observed, "found_seal": self.seal(step.request_id, _seen(step), None)}

    def vouched(self, step: RevocationStep) -> bool:
        """Whether `step.observed["found"]` is what this portal saw."""
        return self._holds(str((step.observed or {}).get("found_seal", "")), step.request_id, _seen(step))

    def _holds(self, seal: str, request_id: UUID, content: bytes, before: Any = None) -> bool:
        try:
            expected = self._mac(seal[:16], request_id, content, before)
        except keys.UnknownKey:
            return False
        return hmac.compare_digest(expected.encode(), seal[16:].encode("utf-8", "replace"))

    def _mac(self, key_id: str, request_id: UUID, content: bytes, before: Any) -> str:
        key = self._keys.get(key_id) or self._keys.setdefault(key_id, keys.derive(key_id, "step", str(self.tenant_id)))
        return hmac.digest(key, request_id.bytes + content + b"\n" + canonical.encode(before), "sha256").hex()
