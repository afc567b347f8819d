"""Which algorithms the portal uses: those of the inventory in docs/security.md, each where it is named (ASVS V11)."""

import ast
import re
from collections import defaultdict
from pathlib import Path

from django.conf import global_settings
from django.contrib.auth.hashers import get_hasher, identify_hasher, make_password

import portal.settings

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ["accounts", "audit", "b2c", "consent", "directory", "graph", "inbox", "portal", "revocation", "tenants"]
# Where one may be used. SHA-1 is what authenticator apps know (RFC 6238), inside of an HMAC.
INVENTORY = {
    "SHA-256": ("",),
    "HMAC-SHA-256": ("",),
    "HMAC-SHA-1": ("accounts/second_factor.py",),
    "BLAKE2b": ("accounts/locks.py", "portal/pages.py", "revocation/rules/hits.py"),
    "Fernet": ("accounts/token_store.py", "portal/checks.py", "portal/keys.py"),
    "Ed25519": ("audit/envelopes.py",),
    "RS256": ("accounts/oidc/", "b2c/gate/callers.py"),
}
NAMES = {"sha256": "SHA-256", "file_digest": "SHA-256", "sha1": "HMAC-SHA-1", "blake2b": "BLAKE2b"}
NAMES |= {"Fernet": "Fernet", "MultiFernet": "Fernet", "Ed25519PrivateKey": "Ed25519", "Ed25519PublicKey": "Ed25519"}
ORDINARY = {"InvalidToken", "InvalidSignature", "Encoding", "PublicFormat", "compare_digest", "digest", "x509"}
ORDINARY |= {"PyJWK", "PyJWTError", "decode", "exceptions", "get_unverified_header"}  # which one, `algorithms` says
FROM = ("hashlib", "hmac", "cryptography", "jwt", "Crypto", "nacl")


def used() -> dict[str, set[str]]:
    """Algorithms by the files that name one: what comes from a library of cryptography, and words of `hmac.digest`."""
    found = defaultdict(set)
    for path in (one for package in PACKAGES for one in (PROJECT / package).rglob("*.py")):
        file, tree = str(path.relative_to(PROJECT)), ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FROM:
                for name in {one.name for one in node.names} - ORDINARY:
                    found[NAMES.get(name, f"{node.module}.{name}")].add(file)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in FROM and node.attr not in ORDINARY:
                found[NAMES.get(node.attr, f"{ast.unparse(node.value)}.{node.attr}")].add(file)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("hmac.digest", "hmac.new"):
                said = ast.unparse(node.args[2])
                found["HMAC-SHA-256" if said == "'sha256'" else NAMES.get(said.split(".")[-1], said)].add(file)
            if isinstance(node, ast.Constant) and re.fullmatch(r"(RS|PS|ES|HS)\d{3}", str(node.value)):
                found[node.value].add(file)
    return found


def test_nothing_is_used_that_the_inventory_does_not_name():
    found = used()

    assert found.keys() == INVENTORY.keys()
    for algorithm, where in INVENTORY.items():
        assert all(file.startswith(where) for file in found[algorithm]), (algorithm, found[algorithm])


def test_the_inventory_stands_in_the_document():
    (row,) = re.findall(r"^\| V11 .*$", (PROJECT / "docs/security.md").read_text(), re.MULTILINE)

    assert [algorithm for algorithm in [*INVENTORY, "PBKDF2"] if algorithm not in row] == []


def test_the_operators_password_is_kept_slow_to_try_and_counts_to_its_last_letter(settings):
    assert not hasattr(portal.settings, "PASSWORD_HASHERS"), "Django's own, whose cost grows with every release"
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    hasher = get_hasher()
    long = "correct horse battery staple " * 4
    kept = make_password(long)

    assert hasher.algorithm == "pbkdf2_sha256"
    assert hasher.iterations >= 600_000  # OWASP's password storage cheat sheet
    assert identify_hasher(kept).verify(long, kept)
    assert not identify_hasher(kept).verify(long[:-1], kept)
    assert {one["NAME"].rsplit(".", 1)[1] for one in settings.AUTH_PASSWORD_VALIDATORS} == {
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    }
