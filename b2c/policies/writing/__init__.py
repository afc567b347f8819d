"""Policies that ask the gate, made from a tenant's own.

An extension under each base, and a relying party beside each of the tenant's, all with ids of their own: nothing that
is uploaded changes, and an application is moved by naming the new policy. Ids of the base are found, never assumed, and
the way in which the tenant names its refresh journey is kept. The same policies give the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from b2c.policies import doors
from b2c.policies.elements import Element
from b2c.policies.linting import lint
from b2c.policies.merging import Effective
from b2c.policies.model import GateSpec, Policy, PolicySet
from b2c.policies.writing import parties, parts
from b2c.policies.writing.journeys import CannotWrite
from b2c.policies.writing.parties import ENDPOINT, METADATA, Added, Party
from b2c.policies.writing.parts import Names
from b2c.policies.writing.xml import el, some, written

__all__ = ["CannotWrite", "Note", "Written", "write"]

COMMENT = "Made by Consentry from the tenant's own policies. Write it again instead of editing it."
PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]{0,31}", re.ASCII)
LONGEST_CHAIN = 10


@dataclass(frozen=True)
class Note:
    """What to know about one policy. `left`: nothing was written for it."""

    policy: str
    what: str
    left: bool = False


@dataclass(frozen=True)
class Written:
    """Files by name, parents first: the order in which they are uploaded."""

    files: dict[str, bytes]
    notes: tuple[Note, ...]

    @property
    def policy_ids(self) -> list[str]:
        return [name.removesuffix(".xml") for name in self.files]


def write(policies: PolicySet, gate: GateSpec, relying_parties: Sequence[str] | None = None) -> Written:
    """The policies that wire the gate into refresh and sign-in.

    Args:
        relying_parties: ids of those to gate; None for all of the tenant's own.

    Raises:
        CannotWrite: nothing can be written. What keeps one policy from it is a note.
    """
    names = _names(policies, gate)
    own = [one for one in policies.relying_parties() if not _is_ours(one, names)]
    chosen = own if relying_parties is None else [_named(own, one) for one in relying_parties]
    mechanism = _mechanism(policies, own)
    notes, seen = [], []
    for policy in sorted(chosen, key=lambda one: one.id.lower()):
        try:
            seen.append(parties.look_at(policies, policy, names, mechanism))
        except CannotWrite as cannot:
            notes.append(Note(policy.id, str(cannot), left=True))
    files: dict[str, bytes] = {}
    bases = sorted({one.base_id.lower() for one in own})
    for base in bases:
        group = [one for one in seen if one.policy.base_id.lower() == base]
        if group:
            found, more = _under_one_base(policies, group, names, gate, alone=len(bases) == 1)
            files |= found
            notes += more
    return Written(files, tuple(notes))


def _names(policies: PolicySet, gate: GateSpec) -> Names:
    if not PREFIX.fullmatch(gate.prefix):
        raise CannotWrite(_("The prefix of new ids has to be letters and digits, and begin with a letter."))
    if not gate.url.startswith("https://"):
        raise CannotWrite(_("B2C calls services over HTTPS only; the portal's address is not."))
    containers = 2 if gate.authentication == "Basic" else 1
    if len(gate.key_containers) != containers:
        raise CannotWrite(_("The number of policy keys does not fit the way in which the gate is called."))
    taken = next((one for one in lint(policies, gate) if one.rule == "gate-prefix-taken"), None)
    if taken is not None:
        raise CannotWrite(_("%(id)s exists already, in %(file)s.") % {"id": taken.what, "file": taken.file})
    return Names(gate.prefix)


def _is_ours(policy: Policy, names: Names) -> bool:
    return policy.id.lower().startswith((names.extension.lower(), names.party("").lower()))


def _named(own: list[Policy], policy_id: str) -> Policy:
    found = next((one for one in own if one.id.lower() == policy_id.strip().lower()), None)
    if found is None:
        raise CannotWrite(_("%s is no relying party's policy among these files.") % policy_id)
    return found


def _mechanism(policies: PolicySet, own: list[Policy]) -> str:
    """How the tenant names refresh journeys. The endpoint where it names none: Microsoft's own base does."""
    selections = [doors.selection(policies.effective(one.id)) for one in own]
    used = Counter(ENDPOINT if one.endpoint is not None else METADATA for one in selections if one.journey_id)
    return used.most_common(1)[0][0] if used else ENDPOINT


def _under_one_base(
    policies: PolicySet, group: list[Party], names: Names, gate: GateSpec, *, alone: bool
) -> tuple[dict[str, bytes], list[Note]]:
    base = policies.get(group[0].policy.base_id)
    if base is None:  # a relying party that inherits nothing stands alone
        return {}, [Note(one.policy.id, _("It is based on no other policy."), left=True) for one in group]
    if len(policies.chain(base.id)) > LONGEST_CHAIN - 2:
        why = _("B2C takes no more than %d levels, and two would be added.") % LONGEST_CHAIN
        return {}, [Note(one.policy.id, why, left=True) for one in group]
    extension_id = names.extension if alone else f"{names.extension}_{parts.bare(base.id)}"
    shared, notes, files = Added(), [], {}
    light = _brought([one for one in group if one.is_light], names, gate)
    for party in group:
        added = shared if party.is_light else Added()
        kept = Added(dict(added.profiles), dict(added.journeys))
        brought = light if party.is_light else _brought([party], names, gate)
        try:
            relying_party, more = parties.gated(party, names, gate, brought, added)
        except CannotWrite as cannot:
            added.profiles, added.journeys = kept.profiles, kept.journeys
            notes.append(Note(party.policy.id, str(cannot), left=True))
            continue
        notes += [Note(party.policy.id, one) for one in more]
        definitions = [] if party.is_light else parties.own_definitions(party.policy, added)
        new_id = names.party(party.policy.id)
        root = _root(party.policy, new_id, extension_id, definitions, relying_party)
        files[f"{new_id}.xml"] = written(root, COMMENT)
    if not files:
        return {}, notes
    extension = _extension(base, extension_id, names, gate, policies.effective(base.id), shared)
    return {f"{extension_id}.xml": written(extension, COMMENT), **files}, notes


def _brought(group: list[Party], names: Names, gate: GateSpec) -> dict[str, str]:
    """What is read from a refresh token beside what the base reads, by its name there: the application, and what
    applications are given at sign-in and nothing would give them after a refresh."""
    brought = {names.claim("ClientId"): names.in_token("client")}
    if gate.attribute:
        called = {parties.in_token(one, gate.attribute) or names.in_token(gate.attribute) for one in group}
        if len(called) == 1:
            brought[names.claim("AtIssue")] = called.pop()
    lost: dict[str, set[str]] = {}
    ids: dict[str, str] = {}
    for party in group:
        steps = party.effective.walk(party.journey) if party.journey is not None else ()
        given = doors.given_by(party.effective, [each for step in steps for each in party.effective.exchanged(step)])
        for one in party.policy.relying_party.under("TechnicalProfile", "OutputClaims", "OutputClaim"):
            claim = one.get("ClaimTypeReferenceId")
            # What has a default is given anew; objectId is what the token is about.
            if claim.lower() not in {*given, "objectid"} and not one.get("DefaultValue"):
                ids.setdefault(claim.lower(), claim)
                lost.setdefault(claim.lower(), set()).add(one.get("PartnerClaimType") or claim)
    for key, partners in lost.items():
        if len(partners) == 1 and ids[key] != gate.attribute:  # called differently by two: neither is guessed
            brought[ids[key]] = partners.pop()
    return brought


def _extension(base: Policy, policy_id: str, names: Names, gate: GateSpec, under: Effective, added: Added) -> Element:
    profiles = [*parts.common_profiles(names, gate), *added.profiles.values()]
    blocks = el(
        "BuildingBlocks",
        el("ClaimsSchema", *parts.claim_types(names, gate, under)),
        el("ClaimsTransformations", *parts.transformations(names)),
    )
    provider = el("ClaimsProvider", el("DisplayName", text="Gate"), el("TechnicalProfiles", *profiles))
    return _root(
        base,
        policy_id,
        base.id,
        [blocks, el("ClaimsProviders", provider)],
        some("UserJourneys", *added.journeys.values()),
    )


def _root(like: Policy, policy_id: str, base_id: str, *groups) -> Element:
    """A document of the same tenant, with the same mode, based on another policy."""
    tenant = like.tenant_id
    changed = {"PolicyId": policy_id, "PublicPolicyUri": f"http://{tenant}/{policy_id}"}
    base = el("BasePolicy", el("TenantId", text=tenant), el("PolicyId", text=base_id))
    flat = [each for group in groups for each in (group if isinstance(group, list) else [group]) if each is not None]
    return el("TrustFrameworkPolicy", base, *flat, **{**like.root.attributes, **changed})
