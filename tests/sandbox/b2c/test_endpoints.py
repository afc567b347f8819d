"""B2C over HTTP: signing in, refreshing, silent renewal, what a token is bound to, and who says no."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests

from sandbox.b2c import memory
from sandbox.b2c.catalogue import APPS, DOMAIN
from tests.sandbox.b2c.policies import changed, gated, policy
from tests.sandbox.client import CHALLENGE, VERIFIER

STORE, REWARDS, MOBILE = APPS
INES = "ines.moreau@example.com"
GATE = "https://portal.contoso.example"


class Gate:
    """A service at an address of this machine that answers as it is told, and remembers what it was asked."""

    def __init__(self):
        self.answers, self.asked = {}, []
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                gate.asked.append((self.path, body, self.headers.get("Authorization")))
                status, said = gate.answers.get(body.get("objectId"), (200, {"gate": "open"}))
                raw = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def refuse(self, user_id):
        body = {"version": "1.0.0", "status": 409, "code": "CONSENTRY-REFUSED", "userMessage": "Sign in again."}
        self.answers[user_id] = (409, body)


@pytest.fixture
def gate():
    made = Gate()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def customers(served):
    return served.world.tenant(DOMAIN)


@pytest.fixture
def ines(customers):
    return next(one for one in customers.users.values() if one.display_name == "Ines Moreau")


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


class Person:
    """Somebody with a browser, at one app."""

    def __init__(self, served, http, app=MOBILE, policy_id="B2C_1A_mobile_signup_signin"):
        self.http, self.app = http, app
        self.base = f"{served.url}/{DOMAIN}/{policy_id}"

    def authorize(self, **more):
        values = {
            "client_id": self.app.app_id,
            "response_type": "code",
            "redirect_uri": self.app.redirect_uri,
            "scope": "openid offline_access",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | more
        return self.http.get(f"{self.base}/oauth2/v2.0/authorize", params=values, allow_redirects=False, timeout=10)

    def sign_in(self, name=INES):
        page = self.authorize(prompt="login")
        query = page.text.partition('name="query" value="')[2].partition('"')[0].replace("&amp;", "&")
        data = {"query": query, "user": name}
        url = f"{self.base}/oauth2/v2.0/sign-in"
        return answer(self.http.post(url, data=data, allow_redirects=False, timeout=10))

    def token(self, base="", **form):
        sent = {"client_id": self.app.app_id, "code_verifier": VERIFIER, "redirect_uri": self.app.redirect_uri}
        return self.http.post(f"{base or self.base}/oauth2/v2.0/token", data=sent | form, timeout=20)

    def tokens(self):
        return self.token(grant_type="authorization_code", code=self.sign_in()["code"]).json()

    def refresh(self, token, base="", **form):
        return self.token(base, grant_type="refresh_token", refresh_token=token, **form)


def answer(response):
    assert response.status_code == 302, response.text
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


def code_of(response):
    assert response.status_code == 400
    body = response.json()
    assert body["error_description"].count("\r\n") == 3
    return body["error_description"].partition(":")[0]


@pytest.fixture
def person(served, http):
    return Person(served, http)


def test_a_customer_signs_in_and_the_app_refreshes_again_and_again(person, ines, served):
    tokens = person.tokens()
    document = person.http.get(f"{person.base}/v2.0/.well-known/openid-configuration", timeout=10).json()
    jwks = jwt.PyJWKSet.from_dict(person.http.get(document["jwks_uri"], timeout=10).json())
    key = jwks[jwt.get_unverified_header(tokens["id_token"])["kid"]].key
    claims = jwt.decode(tokens["id_token"], key, ["RS256"], audience=MOBILE.app_id, issuer=document["issuer"])

    assert (claims["sub"], claims["tfp"], claims["nonce"]) == (ines.id, "B2C_1A_mobile_signup_signin", "the-nonce")
    assert tokens["refresh_token_expires_in"] == 90 * 86_400
    first = person.refresh(tokens["refresh_token"])
    again = person.refresh(tokens["refresh_token"])  # rotated, and nobody minds that the old one is used
    assert first.status_code == again.status_code == 200
    assert first.json()["refresh_token"] != again.json()["refresh_token"]
    served.world.clock.advance(91 * 86_400)
    assert code_of(person.refresh(tokens["refresh_token"])) == "AADB2C90080"


def test_a_token_is_good_at_its_policy_and_for_its_client_only(person, served):
    token = person.tokens()["refresh_token"]
    other = f"{served.url}/{DOMAIN}/B2C_1A_spa_signup_signin"

    assert code_of(person.refresh(token, base=other)) == "AADB2C90088"
    assert code_of(person.refresh(token, client_id=REWARDS.app_id)) == "AADB2C90279"
    assert code_of(person.refresh(token, client_id=STORE.app_id)) == "AADB2C90079"
    assert code_of(person.refresh(token, client_secret="x")) == "AADB2C90084"
    assert code_of(person.refresh("nonsense")) == "AADB2C90090"
    assert code_of(person.token(grant_type="password")) == "AADB2C90086"
    by_query = person.http.post(
        f"{served.url}/{DOMAIN}/oauth2/v2.0/token?p=b2c_1a_MOBILE_signup_signin",
        data={"grant_type": "refresh_token", "client_id": MOBILE.app_id, "refresh_token": token},
        timeout=10,
    )
    assert by_query.status_code == 200


def test_a_secret_is_wanted_of_a_confidential_client(served, http):
    store = Person(served, http, STORE, "B2C_1A_signup_signin")
    code = store.sign_in()["code"]

    assert code_of(store.token(grant_type="authorization_code", code=code, client_secret="wrong")) == "AADB2C90081"
    assert store.token(grant_type="authorization_code", code=code, client_secret=STORE.secret).status_code == 200


def test_a_single_page_app_gets_a_day_and_renews_from_the_session(served, http):
    rewards = Person(served, http, REWARDS, "B2C_1A_spa_signup_signin")
    assert rewards.tokens()["refresh_token_expires_in"] == 86_400

    renewed = answer(rewards.authorize(prompt="none"))
    assert rewards.token(grant_type="authorization_code", code=renewed["code"]).status_code == 200
    http.get(f"{rewards.base}/oauth2/v2.0/logout", timeout=10)
    refused = answer(rewards.authorize(prompt="none"))
    assert (refused["error"], refused["state"]) == ("interaction_required", "the-state")
    assert refused["error_description"].startswith("AADB2C90077")


def test_the_date_ends_tokens_but_not_the_session(person, customers, ines, served):
    token = person.tokens()["refresh_token"]
    served.world.clock.advance(299)
    customers.revoke_sessions(ines.id)
    assert person.refresh(token).status_code == 200  # within the five minutes

    served.world.clock.advance(30)
    customers.revoke_sessions(ines.id)

    assert code_of(person.refresh(token)) == "AADB2C90129"
    assert "code" in answer(person.authorize(prompt="none"))


def test_graph_may_move_one_of_the_two_dates_only(person, customers, ines, served):
    token = person.tokens()["refresh_token"]
    served.world.clock.advance(900)
    set_ = f"{served.url}/_sandbox/b2c"
    switch = {"moved-by-revokeSignInSessions": "signInSessionsValidFromDateTime"}
    assert person.http.post(set_, json={"switches": switch}, timeout=10).status_code == 200

    customers.revoke_sessions(ines.id)
    assert ines.valid_from > ines.refresh_from
    assert person.refresh(token).status_code == 200

    customers.revoke_sessions(ines.id, "invalidateAllRefreshTokens")
    assert code_of(person.refresh(token)) == "AADB2C90129"
    assert person.http.post(set_, json={"switches": {"selection": "both"}}, timeout=10).status_code == 400


def test_a_deleted_and_a_disabled_customer_are_refused(person, customers, ines):
    token = person.tokens()["refresh_token"]
    customers.disable_user(ines.id)
    assert code_of(person.refresh(token)) == "AADB2C90085"
    customers.delete_user(ines.id)
    assert code_of(person.refresh(token)) == "AADB2C90128"


def test_a_customer_signs_in_nowhere_but_here(browser):
    page = browser.open("/organizations/oauth2/v2.0/authorize", client_id="x")

    assert "Ines Moreau" not in page.text


# --- with a gate -----------------------------------------------------------------------------------


@pytest.fixture
def gated_person(served, http, customers, gate):
    for content in gated().values():
        text = content.decode()
        customers.put_policy(text.partition('PolicyId="')[2].partition('"')[0], content)
    customers.policy_keys |= {"B2C_1A_GateUser": "consentry", "B2C_1A_GatePassword": "word"}
    memory.of(served.world).gates[GATE] = gate.url
    return Person(served, http, policy_id="B2C_1A_gated")


def test_the_gate_is_asked_and_says_no(gated_person, gate, ines):
    token = gated_person.tokens()["refresh_token"]
    assert gated_person.refresh(token).status_code == 200
    path, body, credential = gate.asked[-1]
    assert path == "/b2c/55555555-5555-4555-8555-555555555555/refresh"
    assert requests.auth._basic_auth_str("consentry", "word") == credential
    assert {name: body[name] for name in ("objectId", "policyId", "clientId")} == {
        "objectId": ines.id,
        "policyId": "B2C_1A_gated",
        "clientId": "",  # {OIDC:ClientId} is not known to resolve here
    }
    assert body["issuedAt"].endswith("Z")

    gate.refuse(ines.id)

    assert code_of(gated_person.refresh(token)) == "AADB2C90085"
    assert answer(gated_person.authorize(prompt="none"))["error"] == "server_error"
    gate.answers.clear()
    assert gated_person.refresh(token).status_code == 200


@pytest.mark.parametrize(
    "said",
    [(200, {}), (200, {"gates": "open"}), (200, {"gate": "shut"}), (200, [1]), (200, b"<html>"), (500, {}), (302, {})],
    ids=["empty", "misnamed", "shut", "a list", "HTML", "HTTP 500", "a redirect"],
)
def test_whatever_is_not_a_yes_is_a_no(gated_person, gate, ines, said):
    token = gated_person.tokens()["refresh_token"]
    gate.answers[ines.id] = said

    assert code_of(gated_person.refresh(token)) == "AADB2C90085"


def test_a_gate_that_is_silent_is_asked_three_times_and_then_it_is_a_no(gated_person, gate, served):
    token = gated_person.tokens()["refresh_token"]
    b2c = memory.of(served.world)
    silent = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # takes connections, never answers
    b2c.gates[GATE], b2c.seconds = f"http://127.0.0.1:{silent.server_port}", 0.05

    assert code_of(gated_person.refresh(token)) == "AADB2C90085"
    assert b2c.calls[-1]["status"] is None
    b2c.gates.clear()  # a host that is mapped to nothing is never looked for outside
    assert code_of(gated_person.refresh(token)) == "AADB2C90085"
    silent.server_close()


def test_the_policy_of_the_moment_decides_about_tokens_issued_before(gated_person, customers):
    token = gated_person.tokens()["refresh_token"]
    files = changed(gated(), "Gated.xml", '"RedeemGated"', '"Nowhere"')
    customers.put_policy("b2c_1a_GATED", files["Gated.xml"])
    assert code_of(gated_person.refresh(token)) == "AADB2C90085"

    customers.put_policy("B2C_1A_gated", policy("B2C_1A_gated", "B2C_1A_absent", "<RelyingParty/>"))
    assert gated_person.refresh(token).status_code == 404


# --- the apps that try -----------------------------------------------------------------------------


def test_the_three_apps_try_and_one_can_be_refused_alone(served, http, customers, ines):
    def act(slug, action="refresh", user=INES):
        answer = http.post(f"{served.url}/_sandbox/b2c/apps/{slug}/{action}", json={"user": user}, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert [act(app.slug)["ok"] for app in APPS] == [True, True, True]
    assert act("rewards", "silent")["ok"]
    served.world.clock.advance(600)
    customers.revoke_sessions(ines.id)

    refused = act("mobile")

    assert (refused["ok"], refused["code"]) == (False, "AADB2C90129")
    assert refused["steps"][-1]["did"].startswith("stopped here")
    assert act("mobile", user="Karim Haddad")["ok"]
    assert act("mobile", "sign-in")["ok"]
    assert act("mobile")["ok"]
    shown = http.get(f"{served.url}/_sandbox/b2c", timeout=10).json()
    assert shown["tenant"]["host"] == "contosocustomers.b2clogin.com"
    assert [one["slug"] for one in shown["apps"]] == ["store", "rewards", "mobile"]
    assert "sandbox-gate" not in json.dumps(shown)
    page = http.get(f"{served.url}/b2c/", timeout=10)
    assert "Contoso Rewards" in page.text
    assert "AADB2C90129" not in page.text  # mobile got in again


def test_an_app_is_led_through_the_tenants_own_gate(served, http, gate, ines):
    """The gated policies of the tenant: which application a token is of comes back out of the token."""
    set_ = f"{served.url}/_sandbox/b2c"
    gated_ = {"gate": {GATE: gate.url}, "apps": {"rewards": "B2C_1A_Consentry_spa_signup_signin"}}
    assert http.post(set_, json=gated_, timeout=10).status_code == 200

    def act(slug, action="refresh"):
        return http.post(f"{set_}/apps/{slug}/{action}", json={"user": INES}, timeout=10).json()["ok"]

    assert act("rewards")
    assert gate.asked[-1][1] | {"correlationId": "", "issuedAt": ""} == {
        "objectId": ines.id,
        "policyId": "B2C_1A_Consentry_spa_signup_signin",
        "clientId": REWARDS.app_id,
        "country": "FR",
        "countryAtIssue": "FR",
        "correlationId": "",
        "issuedAt": "",
    }
    assert act("rewards", "silent")
    assert {"authenticatedAt", "prompt"} <= set(gate.asked[-1][1])
    assert gate.asked[-1][1]["prompt"] == "none"
    gate.refuse(ines.id)
    assert [act("rewards"), act("rewards", "silent"), act("store")] == [False, False, True]


def test_the_page_lets_all_three_try_and_shows_who_is_refused(browser, customers, ines, served):
    served.world.clock.advance(600)
    customers.revoke_sessions(ines.id)
    page = browser.press(browser.open("/b2c/"), "Let all three refresh")  # for the first customer, Ines

    assert page.text.count("AADB2C90129: The provided grant has been revoked") == 3
