"""A set of policies, and what a gate has to be told to be written into them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from b2c.policies.elements import Element
from b2c.policies.merging import Effective

PREFIX = "B2C_1A_"  # of every custom policy
DEFINITIONS = ("BuildingBlocks", "ClaimsProviders", "UserJourneys", "SubJourneys")


@dataclass(frozen=True)
class Policy:
    """One file. `root` is its document."""

    id: str
    file: str
    root: Element = field(repr=False)

    @property
    def tenant_id(self) -> str:
        return self.root.get("TenantId")

    @property
    def base_id(self) -> str:
        base = self.root.child("BasePolicy")
        return base.text_of("PolicyId") if base is not None else ""

    @property
    def relying_party(self) -> Element | None:
        return self.root.child("RelyingParty")


@dataclass
class PolicySet:
    """Policies by id in small letters. `duplicates` are files whose policy another file holds already."""

    policies: dict[str, Policy]
    duplicates: tuple[Policy, ...] = ()
    _effective: dict[str, Effective] = field(default_factory=dict, repr=False)

    def get(self, policy_id: str) -> Policy | None:
        return self.policies.get(policy_id.strip().lower())

    def chain(self, policy_id: str) -> list[Policy]:
        """The policy and those under it, base first, as far as they are in the set."""
        found: list[Policy] = []
        policy = self.get(policy_id)
        while policy is not None and policy not in found:
            found.insert(0, policy)
            policy = self.get(policy.base_id)
        return found

    def missing_base(self, policy_id: str) -> str:
        """The id of the policy under this one that is not in the set; empty where the chain is whole."""
        chain = self.chain(policy_id)
        return chain[0].base_id if chain else policy_id

    def effective(self, policy_id: str) -> Effective:
        """What the policy means with all it inherits.

        Raises:
            KeyError: no such policy.
        """
        key = policy_id.strip().lower()
        if key not in self._effective:
            policy = self.policies[key]
            under = self.get(policy.base_id)
            self._effective[key] = (self.effective(under.id) if under else Effective()).over(policy.root)
        return self._effective[key]

    def definer(self, policy_id: str) -> str:
        """The id of the policy whose definitions this one has: itself, or one under it where it adds none."""
        chain = self.chain(policy_id)
        while len(chain) > 1 and all(chain[-1].root.child(tag) is None for tag in DEFINITIONS):
            chain.pop()
        return chain[-1].id

    def relying_parties(self) -> list[Policy]:
        """Those that applications sign in with."""
        return [one for one in self.policies.values() if one.relying_party is not None]

    def leaves(self) -> list[Policy]:
        """Those that no other policy is based on: together they show every definition as it is used."""
        bases = {one.base_id.lower() for one in self.policies.values()}
        return [one for key, one in self.policies.items() if key not in bases or one.relying_party is not None]


@dataclass(frozen=True)
class GateSpec:
    """How the gate is reached, and what its parts are called.

    Attributes:
        url: of the tenant's gate, without the door: `https://portal.example/b2c/{tenant id}`.
        key_containers: ids of policy keys: user name and password for Basic, the key for ApiKeyHeader.
        attribute: a directory attribute that rules may be about (`country`, `extension_…`); empty for none.
    """

    url: str
    authentication: Literal["Basic", "ApiKeyHeader"] = "Basic"
    key_containers: tuple[str, ...] = ("B2C_1A_ConsentryGateUser", "B2C_1A_ConsentryGatePassword")
    header: str = "X-Gate-Key"
    prefix: str = "Consentry"
    fails: Literal["closed", "open"] = "closed"
    attribute: str = ""
