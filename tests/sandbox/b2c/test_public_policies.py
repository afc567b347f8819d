"""Microsoft's own policies and the public samples, where a copy is at hand: judged as by hand, without a crash.

`B2C_STARTER_PACK` and `B2C_SAMPLES` name checkouts of Azure-Samples/active-directory-b2c-custom-policy-starterpack and
azure-ad-b2c/samples. Nothing of them is kept here.
"""

import os
from pathlib import Path

import pytest

from sandbox.b2c.proving import Asked, prove
from sandbox.b2c.reading.files import read, read_folder
from tests.sandbox.b2c.policies import gated, verdicts

PACK, SAMPLES = os.environ.get("B2C_STARTER_PACK"), os.environ.get("B2C_SAMPLES")
needs_pack = pytest.mark.skipif(not PACK, reason="did not run: B2C_STARTER_PACK names no copy of the starter pack")
needs_samples = pytest.mark.skipif(
    not (PACK and SAMPLES), reason="did not run: B2C_STARTER_PACK and B2C_SAMPLES name no copies"
)
SCENARIOS = ["LocalAccounts", "SocialAccounts", "SocialAndLocalAccounts", "SocialAndLocalAccountsWithMfa"]
# By hand, for somebody who was signed out an hour after the token was issued: refresh, sign-in, silent renewal.
BY_HAND = {
    "B2C_1A_signup_signin": ("blocks", "issues", "issues"),
    "B2C_1A_ProfileEdit": ("issues", "issues", "blocks"),  # it always shows a page
    "B2C_1A_PasswordReset": ("issues", "issues", "blocks"),
}
FEWEST_SETS = 40


def said(folder, **asked):
    found, problems = prove(read_folder(folder), Asked(**asked))
    assert problems == []
    return {one.policy: tuple(door.verdict for door in one.doors if door.person == "revoked") for one in found}, found


@needs_pack
@pytest.mark.parametrize("display", ["", "Display Controls Starterpack"], ids=["plain", "display controls"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_scenario_of_the_starter_pack_is_judged_as_by_hand(display, scenario):
    folder = Path(PACK) / display / scenario
    verdicts, found = said(folder, revoked_by="refreshTokensValidFromDateTime")
    soon, _ = said(folder, revoked_by="refreshTokensValidFromDateTime", minutes_after=4)
    by_graph, _ = said(folder, revoked_by="signInSessionsValidFromDateTime")

    expected = {name: BY_HAND[name] for name in verdicts}
    if scenario == "SocialAccounts":  # whether Facebook answers without a page, nobody says
        expected["B2C_1A_signup_signin"] = ("blocks", "issues", "cannot tell")
    assert verdicts == expected
    assert len(verdicts) == (2 if scenario == "SocialAccounts" else 3)
    assert soon["B2C_1A_signup_signin"][0] == "issues"
    assert by_graph["B2C_1A_signup_signin"][0] == "cannot tell"
    untouched = [door.verdict for one in found for door in one.doors if door.person == "untouched"]
    assert untouched.count("issues") >= 2 * len(found)  # at refresh and at sign-in


@needs_pack
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_gate_on_top_of_each_scenario_blocks(scenario):
    base = {path.name: path.read_bytes() for path in (Path(PACK) / scenario).glob("TrustFramework*.xml")}
    own_gate = {name: content for name, content in gated().items() if name in ("Gate.xml", "Gated.xml")}

    found = verdicts(base | own_gate)

    assert found["refresh"] == ("blocks", "issues")
    if scenario != "SocialAccounts":  # our sign-in page asks for a local account
        assert found["sign_in"] == found["silent"] == ("blocks", "issues")


@needs_samples
def test_the_public_samples_are_proved_without_a_crash():
    """Most of them build on a scenario of the pack, which is put beneath them."""
    base = {path.name: path.read_bytes() for path in (Path(PACK) / SCENARIOS[-1]).glob("TrustFramework*.xml")}
    sets = 0
    for folder in sorted({path.parent for path in Path(SAMPLES).rglob("*.[xX][mM][lL]")}):
        own = {path.name: path.read_bytes() for path in sorted(folder.glob("*.[xX][mM][lL]"))}
        ids = set(read(own).files)
        beneath = {name: content for name, content in base.items() if not ids & set(read({name: content}).files)}
        policies = read({f"own/{name}": content for name, content in own.items()} | beneath)
        if not any(file.name.startswith("own/") for file in policies.relying_parties()):
            continue
        sets += 1
        for by in ("gate", "refreshTokensValidFromDateTime"):
            found, _ = prove(policies, Asked(revoked_by=by))
            assert {door.verdict for one in found for door in one.doors} <= {"blocks", "issues", "cannot tell"}
            assert all(door.why for one in found for door in one.doors)
    assert sets >= FEWEST_SETS
