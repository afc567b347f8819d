"""Forged proofs of who somebody is: a Microsoft that signs what it should not, and a forger with keys of their own."""

import json
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.attack.ground import CONTOSO, FABRIKAM, PEOPLE, Ground, Tried, Visitor, spelled
from tests.sandbox_client import PORTAL_CLIENT_ID

LOGIN = "https://login.microsoftonline.com"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
KEYS, TOKENS = r"/discovery/v2\.0/keys", r"/oauth2/v2\.0/token$"
HOST = "127.0.0.1"
ADELE = "aaaaaaaa-0000-4000-8000-000000000001"


class Mint:
    """Somebody with a signing key, which the pretend Microsoft publishes as its own while the attacks last."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def published(self) -> dict:
        numbers = self.key.public_key().public_numbers()
        known = {"kty": "RSA", "use": "sig", "kid": self.kid, "n": spelled(numbers.n), "e": spelled(numbers.e)}
        return known | {"issuer": LOGIN + "/{tenantid}/v2.0"}

    def sign(self, claims: dict, algorithm: str = "RS256", key=None, **header) -> str:
        return jwt.encode(claims, key or self.key, algorithm, headers={"kid": self.kid} | header)

    def public_pem(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, form)


def claims(nonce: str) -> dict:
    now = int(time.time())
    return {
        "aud": PORTAL_CLIENT_ID,
        "iss": f"{LOGIN}/{CONTOSO}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "tid": CONTOSO,
        "oid": ADELE,
        "sub": "pairwise",
        "name": "A Forger",
        "preferred_username": "forger@contoso.example",
        "nonce": nonce,
        "ver": "2.0",
        "acct": 0,
    }


def _changes(now: int) -> dict[str, dict]:
    """What is changed in the claims, by what it would do. None takes a claim out."""
    missing = {f"without {name}": {name: None} for name in ("aud", "exp", "iat", "iss", "nbf", "oid", "sub", "tid")}
    return missing | {
        "without ver": {"ver": None},
        "without nonce": {"nonce": None},
        "another's nonce": {"nonce": "n" * 64},
        "an empty nonce": {"nonce": ""},
        "a list of nonces": {"nonce": ["x"]},
        "for another app": {"aud": "00000000-0000-4000-8000-00000000000a"},
        "for several apps": {"aud": [PORTAL_CLIENT_ID, "another"]},
        "for Graph": {"aud": "00000003-0000-0000-c000-000000000000"},
        "ran out": {"exp": now - 3600},
        "not yet": {"nbf": now + 3600},
        "issued in the future": {"iat": now + 3600},
        "version 1": {"ver": "1.0"},
        "another tenant's issuer": {"iss": f"{LOGIN}/{FABRIKAM}/v2.0"},
        "another tenant, own issuer": {"tid": FABRIKAM},
        "issuer of version 1": {"iss": f"https://sts.windows.net/{CONTOSO}/"},
        "issuer with a tail": {"iss": f"{LOGIN}/{CONTOSO}/v2.0/"},
        "issuer at another host": {"iss": f"https://login.evil.example/{CONTOSO}/v2.0"},
        "issuer over http": {"iss": f"http://login.microsoftonline.com/{CONTOSO}/v2.0"},
        "tenant in capitals": {"tid": CONTOSO.upper().replace("1", "A")},
        "tenant in braces": {"tid": "{" + CONTOSO + "}"},
        "tenant without hyphens": {"tid": CONTOSO.replace("-", "")},
        "tenant as a list": {"tid": [CONTOSO]},
        "person in capitals": {"oid": ADELE.upper()},
        "person as a URN": {"oid": f"urn:uuid:{ADELE}"},
        "person as a list": {"oid": [ADELE]},
        "person as a number": {"oid": 7},
        "a personal account": {"tid": PERSONAL, "iss": f"{LOGIN}/{PERSONAL}/v2.0"},
        "an organisation nobody connected": {
            "tid": "99999999-9999-4999-8999-999999999999",
            "iss": f"{LOGIN}/99999999-9999-4999-8999-999999999999/v2.0",
        },
        "a guest": {"acct": 1},
        "a guest as a word": {"acct": "1"},
        "a guest by another's word": {"acct": None, "idp": "https://sts.windows.net/somebody-else/"},
    }


def forged(ground: Ground) -> Iterator[Tried]:
    """ID tokens in the token endpoint's answer, each to a sign-in that was really begun."""
    mint, forger = Mint(f"attack-{time.time_ns()}"), Mint("forger")
    try:
        if not _is_believed(ground, mint):
            yield Tried(
                "control: a token signed as Microsoft's signs somebody in", False, "the forgeries prove nothing"
            )
            return
        for what, make in _tokens(mint, forger):
            visitor = ground.visitor()
            answer = _offer(ground, visitor, mint, make)
            yield Tried(
                f"an ID token {what}", not visitor.signed_in and answer.status_code != 500, f"{answer.status_code}"
            )
    finally:
        ground.sandbox.faults()
        _let_them_forget(ground)


def _is_believed(ground: Ground, mint: Mint) -> bool:
    """Until every web process has read the keys, which each does ten seconds after its last look at the earliest."""
    in_a_row, deadline = 0, time.monotonic() + 90
    while in_a_row < 6 and time.monotonic() < deadline:
        visitor = ground.visitor()
        _offer(ground, visitor, mint, lambda nonce: mint.sign(claims(nonce)))
        in_a_row = in_a_row + 1 if visitor.signed_in else 0
        if not in_a_row:
            time.sleep(1)
    return in_a_row >= 6


def _let_them_forget(ground: Ground) -> None:
    """Until every web process knows the real keys again."""
    in_a_row, deadline = 0, time.monotonic() + 60
    while in_a_row < 6 and time.monotonic() < deadline:
        visitor = ground.visitor()
        visitor.get(visitor.at_microsoft(visitor.leave(), PEOPLE["user"]))
        in_a_row = in_a_row + 1 if visitor.signed_in else 0
        if not in_a_row:
            time.sleep(1)


def _offer(ground: Ground, visitor: Visitor, mint: Mint, make: Callable[[str], object]):
    asked = parse_qs(urlsplit(visitor.leave()).query)
    answer = {"id_token": make(asked["nonce"][0]), "access_token": "x", "token_type": "Bearer", "expires_in": 3600}
    ground.sandbox.faults(
        {"path": TOKENS, "method": "POST", "status": 200, "body": answer | {"scope": "User.Read"}},
        {"path": KEYS, "status": 200, "body": {"keys": [mint.published()]}},
    )
    return visitor.get("/accounts/entra/login/callback/", params={"code": "1.AX", "state": asked["state"][0]})


def _tokens(mint: Mint, forger: Mint) -> Iterator[tuple[str, Callable[[str], object]]]:
    for what, change in _changes(int(time.time())).items():
        yield (
            what,
            lambda nonce, change=change: mint.sign(
                {name: value for name, value in (claims(nonce) | change).items() if value is not None}
            ),
        )
    good = claims
    yield "signed by nobody", lambda nonce: jwt.encode(good(nonce), None, "none", headers={"kid": mint.kid})
    yield "signed by a forger under Microsoft's key id", lambda nonce: forger.sign(good(nonce), kid=mint.kid)
    yield "signed by a key nobody publishes", lambda nonce: forger.sign(good(nonce))
    yield "that brings its own key", lambda nonce: forger.sign(good(nonce), kid=mint.kid, jwk=forger.published())
    yield (
        "that says where its key is",
        lambda nonce: forger.sign(good(nonce), kid=mint.kid, jku="https://evil.example/keys"),
    )
    yield "that names a certificate", lambda nonce: forger.sign(good(nonce), kid=mint.kid, x5u="https://evil.example/c")
    for algorithm in ("RS384", "RS512", "PS256"):
        yield f"signed with {algorithm}", lambda nonce, algorithm=algorithm: mint.sign(good(nonce), algorithm)
    yield (
        "signed with the client's secret",
        lambda nonce: jwt.encode(
            good(nonce), "sandbox-portal-secret-that-is-long-enough", "HS256", headers={"kid": mint.kid}
        ),
    )
    yield "signed with the public key as a secret", lambda nonce: _by_hand(mint, good(nonce), "HS256")
    yield "without a key id", lambda nonce: jwt.encode(good(nonce), mint.key, "RS256")
    yield "with a key id that is a path", lambda nonce: mint.sign(good(nonce), kid="../../keys")
    yield "with a changed payload", lambda nonce: _changed(mint.sign(good(nonce)))
    yield "cut off", lambda nonce: mint.sign(good(nonce)).rpartition(".")[0]
    yield "that is empty", lambda nonce: ""
    yield "that is a number", lambda nonce: 7
    yield "that is a list", lambda nonce: ["a", "b"]
    yield "that is null", lambda nonce: None
    yield "that is an object", lambda nonce: {"a": 1}


def _by_hand(mint: Mint, said: dict, algorithm: str) -> str:
    import hashlib
    import hmac

    def part(value: dict) -> str:
        return _b64(json.dumps(value).encode())

    line = f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': mint.kid})}.{part(said)}"
    return f"{line}.{_b64(hmac.digest(mint.public_pem(), line.encode(), hashlib.sha256))}"


def _b64(raw: bytes) -> str:
    import base64

    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _changed(token: str) -> str:
    head, _payload, signature = token.split(".")
    return f"{head}.{_b64(json.dumps(claims('x') | {'oid': ADELE}).encode())}.{signature}"


def replayed(ground: Ground) -> Iterator[Tried]:
    """Answers that were used, are somebody else's, or were never asked for; sessions from before and after."""
    upn = PEOPLE["user"]
    visitor, thief = ground.visitor(), ground.visitor()
    back = visitor.at_microsoft(visitor.leave(), upn)
    stolen = thief.get(back)
    yield Tried("an answer in another browser", stolen.status_code == 400 and not thief.signed_in)
    before = visitor.http.cookies.get("consentry_session")
    visitor.get(back)
    yield Tried(
        "a session from before the sign-in", before is None or before != visitor.http.cookies["consentry_session"]
    )
    again = visitor.get(back)
    yield Tried("an answer a second time", again.status_code == 400, f"{again.status_code}")
    yield Tried("which changes nothing for whoever is signed in", visitor.signed_in)
    for what, query in (
        ("an answer nobody asked for", {"code": "x", "state": "made-up"}),
        ("an answer without a state", {"code": "x"}),
        ("an empty state", {"code": "x", "state": ""}),
        ("an error nobody asked for", {"error": "access_denied", "state": "x"}),
    ):
        stranger = ground.visitor()
        answer = stranger.get("/accounts/entra/login/callback/", params=query)
        yield Tried(what, answer.status_code == 400 and not stranger.signed_in, f"{answer.status_code}")
    planted = ground.visitor()
    planted.http.cookies.set("consentry_session", "k" * 32, domain=HOST)
    planted.sign_in(upn)
    yield Tried("a session key planted before", planted.http.cookies.get("consentry_session") != "k" * 32)
    kept = planted.http.cookies.get("consentry_session")
    planted.post("/accounts/sign-out/", {})
    ghost = ground.visitor()
    ghost.http.cookies.set("consentry_session", kept, domain=HOST)
    yield Tried("a session kept after signing out", not ghost.signed_in)
    megan, henrietta = ground.visitor("tenant_admin"), ground.visitor("helpdesk")
    leave = megan.post("/accounts/step-up/", {"next": "/"})
    from tests.accounts.browser import _Ways

    confirmation = _Ways(leave.text).by_itself
    if confirmation:
        answer = megan.get(henrietta.at_microsoft(confirmation, PEOPLE["helpdesk"]))
        yield Tried("somebody else confirms", answer.status_code == 403, f"{answer.status_code}")
    for sid in ("", "made-up", "%00", "a" * 5000, "' OR 1=1 --"):
        ground.visitor().get("/accounts/front-channel-logout/", params={"sid": sid})
        yield Tried(f"a sign-out passed on for {sid[:12]!r}", megan.signed_in)


SECTIONS = [forged, replayed]
