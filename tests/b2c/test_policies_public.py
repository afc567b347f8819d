"""Microsoft's own policies and the public samples, where a copy is at hand: linted as by hand, gated without a fault.

`B2C_STARTER_PACK` and `B2C_SAMPLES` name checkouts of Azure-Samples/active-directory-b2c-custom-policy-starterpack and
azure-ad-b2c/samples. Nothing of them is kept here.
"""

import os
from pathlib import Path

import pytest

from b2c.policies.clocks import clocks
from b2c.policies.comparing import compare
from b2c.policies.linting import lint
from b2c.policies.reading import PolicyError, read, read_folder
from b2c.policies.writing import write
from tests.b2c.test_policies_writing import GATE

PACK, SAMPLES = os.environ.get("B2C_STARTER_PACK"), os.environ.get("B2C_SAMPLES")
UNGATED = {("no-refresh-journey", "PasswordReset.xml"), ("no-refresh-journey", "ProfileEdit.xml")}
TOLERANT = ("five-minute-tolerance", "TrustFrameworkBase.xml")
LOST = ("claims-lost-on-refresh", "SignUpOrSignin.xml")
# By hand: rules by file, and the claims that an application gets at sign-in and not after a refresh.
BY_HAND = {
    "LocalAccounts": (UNGATED | {TOLERANT, LOST}, {"email"}),
    "SocialAccounts": ({("no-refresh-journey", "ProfileEdit.xml"), TOLERANT, LOST}, {"email", "identityProvider"}),
    "SocialAndLocalAccounts": (UNGATED | {TOLERANT, LOST}, {"email", "identityProvider"}),
    "SocialAndLocalAccountsWithMfa": (UNGATED | {TOLERANT, LOST}, {"email", "identityProvider"}),
}
SCENARIOS = {  # of the folder `scenarios`: what stands there inherits from a base that is elsewhere, but for one
    "linkedin-identity-provider": {("base-missing", "TrustFrameworkExtensions.xml")},
    "password-change": {("base-missing", "TrustFrameworkExtensions.xml")},
}
FEWEST_SETS = 40


@pytest.mark.skipif(not PACK, reason="did not run: B2C_STARTER_PACK names no copy of the starter pack")
@pytest.mark.parametrize("display", ["", "Display Controls Starterpack"], ids=["plain", "display controls"])
def test_the_starter_pack_is_linted_as_by_hand_and_gated(display):
    for scenario, (expected, lost) in BY_HAND.items():
        policies = read_folder(Path(PACK) / display / scenario)
        found = lint(policies)
        written = write(policies, GATE)
        together = {path.name: path.read_bytes() for path in (Path(PACK) / display / scenario).glob("*.xml")}

        assert {(one.rule, one.file) for one in found} == expected, scenario
        assert {one.what for one in found if one.rule == LOST[0]} == lost, scenario
        assert clocks(policies)["B2C_1A_signup_signin"].refresh == {"refreshTokensValidFromDateTime"}
        assert written.notes == ()
        of_ours = [one for one in lint(read({**together, **written.files}), GATE) if one.file in written.files]
        assert of_ours == []
    if not display:
        for scenario, expected in SCENARIOS.items():
            found = lint(read_folder(Path(PACK) / "scenarios" / scenario))
            assert {(one.rule, one.file) for one in found} == expected, scenario


@pytest.mark.skipif(not SAMPLES, reason="did not run: B2C_SAMPLES names no copy of the samples")
def test_the_public_samples_are_read_linted_gated_and_compared():
    sets = 0
    for folder in sorted({path.parent for path in Path(SAMPLES).rglob("*") if path.suffix.lower() == ".xml"}):
        try:
            policies = read_folder(folder)
        except PolicyError:  # other XML stands among them, and one that is not well-formed
            continue
        sets += 1
        for one in lint(policies, GATE) + lint(policies):
            assert one.file
            assert one.line >= 1
            assert one.why
            assert one.mend
        clocks(policies)
        written = write(policies, GATE)
        assert all(one.kind == "new" for one in compare(policies, written))
        assert {one.policy.lower() for one in written.notes if one.left} | set(policies.policies) == set(
            policies.policies
        )

    assert sets >= FEWEST_SETS
