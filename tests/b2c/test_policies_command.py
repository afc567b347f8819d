"""`manage.py b2c_policies`: a folder is judged, gated, compared and proved."""

import json

import pytest
from django.core.management import CommandError, call_command

from tests.b2c.test_policies_linting import PARTY, changed, own

URL = "https://portal.contoso.example/b2c/55555555-5555-4555-8555-555555555555"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "tenant"
    folder.mkdir()
    for name, content in own().items():
        (folder / name).write_bytes(content)
    return folder


def test_a_folder_is_judged_gated_compared_and_proved(folder, tmp_path, capsys):
    into = tmp_path / "gated"

    call_command("b2c_policies", "lint", str(folder))
    assert "4 findings, 0 of them errors" in capsys.readouterr().out
    with pytest.raises(SystemExit):  # with a gate, every relying party is expected to ask it
        call_command("b2c_policies", "lint", str(folder), "--gate-url", URL)
    assert "PasswordReset.xml:12: error: gate-not-in-refresh: B2C_1A_PasswordReset" in capsys.readouterr().out

    call_command("b2c_policies", "write", str(folder), "--into", str(into), "--gate-url", URL)
    assert "4 policies, in the order" in capsys.readouterr().out
    for path in into.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    call_command("b2c_policies", "compare", str(folder), "--gate-url", URL)
    assert capsys.readouterr().out.count(": same") == 4

    call_command("b2c_policies", "prove", str(folder), "--json")
    proved = {one["policy"]: one["doors"] for one in json.loads(capsys.readouterr().out)["policies"]}
    verdicts = [one["verdict"] for one in proved["B2C_1A_Consentry_signup_signin"] if one["person"] == "revoked"]
    assert verdicts == ["blocks", "blocks", "blocks"]


def test_what_cannot_be_done_is_a_sentence(folder, tmp_path):
    with pytest.raises(CommandError, match="Say which gate"):
        call_command("b2c_policies", "write", str(folder), "--into", str(tmp_path / "x"))
    with pytest.raises(CommandError, match="folder of their own"):
        call_command("b2c_policies", "write", str(folder), "--into", str(folder), "--gate-url", URL)
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("b2c_policies", "lint", str(tmp_path / "nowhere"))
    (folder / PARTY).write_bytes(changed(own(), PARTY, "</RelyingParty>", "")[PARTY])
    with pytest.raises(CommandError, match=rf"{PARTY}:\d+: This is not well-formed XML"):
        call_command("b2c_policies", "lint", str(folder))
