"""What B2C looks at before it takes a policy: as far as its users have reported what it refuses.

https://learn.microsoft.com/graph/api/trustframework-put-trustframeworkpolicy
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.b2c.reading.elements import Element, Unreadable, parse
from sandbox.b2c.reading.files import Broken, read
from sandbox.b2c.reading.merging import effective

REFERENCES = ("InputClaim", "OutputClaim", "PersistedClaim", "DisplayClaim")


def refusals(policy_id: str, content: bytes, uploaded: Mapping[str, bytes]) -> list[str]:
    """Why this policy would not be taken beside those that are there; empty when it would."""
    try:
        root = parse(content)
    except Unreadable as error:
        return [f"Line {error.line}: {error.why}."]
    named = root.get("PolicyId")
    if named.lower() != policy_id.lower():
        return [f"The PolicyId in the document is '{named}' and the address names '{policy_id}'."]
    if not named.lower().startswith("b2c_1a_"):
        return [f"The id of a custom policy begins with B2C_1A_, and '{named}' does not."]
    others = {name: other for name, other in uploaded.items() if name.lower() != named.lower()}
    try:
        policy = effective(read(others | {named: content}), named)
    except Broken as broken:
        return [f"{broken.problem.why}."]
    claims = dict.fromkeys(_claims(root))
    return [
        f"The claim type '{one}' is referred to and not defined." for one in claims if one.lower() not in policy.claims
    ]


def _claims(element: Element) -> list[str]:
    found = [element.get("ClaimTypeReferenceId")] if element.tag in REFERENCES else []
    for child in element.children:
        found += _claims(child)
    return [one for one in found if one]
