"""The gate on the wire: what a policy sends, and what it gets back."""

import base64
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from b2c import services
from b2c.gate import counting
from b2c.models import EVERYONE, GateCount, GateCredential
from tests.b2c.conftest import ADMIN, INES, KARIM, OTHER_POLICY, POLICY, REWARDS, STORE

pytestmark = pytest.mark.django_db


def basic(secret: str, user: str = "consentry") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


# --- Decisions ----------------------------------------------------------------------------------------


def test_without_a_rule_the_refresh_goes_on(gate):
    answer = gate.ask()

    assert (answer.status_code, answer.json()) == (200, {"gate": "open"})


def test_one_person_is_refused_in_one_app_and_nowhere_else(gate, rule):
    rule(app_id=STORE)

    refused = gate.ask()

    assert refused.status_code == 409
    assert {key: refused.json()[key] for key in ("version", "status", "code", "requestId")} == {
        "version": "1.0.0",
        "status": 409,
        "code": "CONSENTRY-REFUSED",
        "requestId": "c-1",
    }
    assert gate.ask(policyId=OTHER_POLICY).status_code == 200
    assert gate.ask(objectId=str(KARIM)).status_code == 200
    assert gate.ask(clientId=str(REWARDS)).status_code == 200, "the client, where it is named, goes before the policy"
    assert gate.ask(issuedAt=timezone.now().isoformat()).status_code == 200, "they have signed in again"


def test_asking_again_is_the_same_and_ending_the_rule_lets_through(gate, rule):
    made = rule(app_id=STORE)
    first, second, third = (gate.ask() for _ in range(3))

    assert first.content == second.content == third.content
    made.ended_at = timezone.now()
    made.save()
    assert gate.ask().status_code == 200


def test_the_silent_door_of_a_single_page_app(gate, rule):
    """Its hidden frame signs in with prompt=none on the session's cookie: no token is redeemed, and none is issued."""
    rule(policy_id=POLICY.lower())
    later, earlier = timezone.now() + timedelta(minutes=1), timezone.now() - timedelta(hours=1)

    assert gate.ask("sign-in", prompt="none").status_code == 409
    assert gate.ask("sign-in", authenticatedAt=earlier.isoformat()).status_code == 409
    assert gate.ask("sign-in", authenticatedAt=later.isoformat(), prompt="none").status_code == 200
    assert gate.ask("sign-in", prompt="login").status_code == 200
    # Neither was sent: the tenant's choice decides.
    assert gate.ask("sign-in").json()["code"] == "CONSENTRY-UNAVAILABLE"
    # At a refresh neither counts: there the token's own time does.
    assert gate.ask(prompt="login", authenticatedAt=later.isoformat()).status_code == 409


def test_no_refresh_without_a_country_until_there_is_one(gate, rule):
    rule(person_id=EVERYONE, condition="missing", claim="country")

    assert gate.ask(objectId=str(KARIM)).status_code == 409
    assert gate.ask(objectId=str(KARIM), country="PL").status_code == 200


@pytest.mark.parametrize(("fails", "status"), [("closed", 409), ("open", 200)])
def test_what_cannot_be_decided_is_as_the_tenant_chose(gate, rule, settle, fails, status):
    settle(fails=fails)
    rule()

    assert gate.ask(issuedAt="yesterday").status_code == status
    assert gate.ask(issuedAt=None).status_code == status
    assert gate.ask().status_code == 409, "what is decided is decided"


def test_five_minutes_are_forgiven_where_the_tenant_wants_it(gate, rule, settle):
    rule()
    a_minute_ago = (timezone.now() - timedelta(minutes=1)).isoformat()

    assert gate.ask(issuedAt=a_minute_ago).status_code == 409
    settle(tolerance=True)
    assert gate.ask(issuedAt=a_minute_ago).status_code == 200


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("de-AT", "Bitte melden Sie sich neu an."),
        ("de_AT", "Bitte melden Sie sich neu an."),
        ("de-CH", "Bitte neu anmelden."),
        ("fr", "Sign in again, please."),
        ("../../etc", "Sign in again, please."),
        (None, "Sign in again, please."),
    ],
)
def test_the_person_is_told_in_their_language(gate, rule, settle, locale, text):
    settle(
        messages={
            "en": "Sign in again, please.",
            "de": "Bitte neu anmelden.",
            "de-AT": "Bitte melden Sie sich neu an.",
        }
    )
    rule()

    assert gate.ask(locale=locale).json()["userMessage"] == text


# --- Credentials --------------------------------------------------------------------------------------


def test_both_ways_to_prove_oneself(gate):
    assert gate.ask(headers={"X-Gate-Key": gate.secret}).status_code == 200
    assert gate.ask(headers=basic(gate.secret)).status_code == 200


def test_two_credentials_are_valid_while_one_replaces_the_other(gate, at_contoso):
    old = GateCredential.objects.get()
    _made, new = services.make_credential(at_contoso, actor=ADMIN)

    assert [gate.ask(headers=basic(secret)).status_code for secret in (gate.secret, new)] == [200, 200]
    with pytest.raises(services.TwoAlready):
        services.make_credential(at_contoso, actor=ADMIN)
    services.end_credential(at_contoso, old.pk, actor=ADMIN)
    assert services.end_credential(at_contoso, old.pk, actor=ADMIN) is None
    assert gate.ask(headers=basic(new)).status_code == 200

    from b2c.gate import known

    known.forget()  # a few seconds later
    assert [gate.ask(headers=basic(secret)).status_code for secret in (gate.secret, new)] == [401, 200]


def test_a_secret_is_kept_as_a_hash_that_is_the_tenants_own(gate, fabrikam):
    kept = GateCredential.objects.get().digest

    assert gate.secret not in kept
    from b2c.gate import credentials

    assert credentials.holds(gate.secret, gate.tenant.pk, [kept]) == kept
    assert credentials.holds(gate.secret, fabrikam.pk, [kept]) == ""


def test_nobody_learns_who_is_here(gate, rule, fabrikam):
    """A wrong secret at a tenant that has a gate, at one that has none, and at one that does not exist."""
    rule()
    gate.ask()  # its gate is in memory
    strangers = [
        gate.ask(tenant_id=tenant, headers=headers)
        for tenant in (gate.tenant.pk, fabrikam.pk, uuid4())
        for headers in (
            {},
            {"X-Gate-Key": "wrong"},
            {"X-Gate-Key": ""},
            {"X-Gate-Key": "w" * 5000},
            {"X-Gate-Key": "gäte"},
            basic("wrong"),
            basic(gate.secret, "somebody"),
            {"Authorization": "Basic !!"},
            {"Authorization": "Bearer x.y.z"},
        )
    ]

    said = [{name: value for name, value in one.headers.items() if name != "Expires"} for one in strangers]
    assert said == said[:1] * len(said)  # but for the second they came in
    assert {(one.status_code, one.content) for one in strangers} == {(401, b"")}
    for tenant in (gate.tenant.pk, fabrikam.pk, uuid4()):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            gate.ask(tenant_id=tenant, headers=basic("wrong"))
        assert sum("b2c_gatesetting" in one["sql"] for one in asked) == 1, "it takes as long as well"


def test_a_suspended_tenant_has_no_gate(gate):
    gate.tenant.state = "suspended"
    gate.tenant.save()

    assert gate.ask().status_code == 401


# --- What comes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    ["nonsense", "[]", '"x"', "{}", "[" * 9000, '{"objectId": 7, "policyId": "B2C_1A_x"}', b"\xff\xfe\x00"],
)
def test_garbage_is_no_decision(gate, rule, raw):
    rule(person_id=EVERYONE)

    answer = gate.ask(raw=raw)

    assert answer.status_code == 400
    assert answer.json()["code"] == "CONSENTRY-UNREADABLE"


@pytest.mark.parametrize(
    "odd", [{"objectId": "ines@example.com"}, {"objectId": None}, {"policyId": ""}, {"policyId": "a b"}]
)
def test_who_and_where_have_to_be_said(gate, odd):
    assert gate.ask(**odd).status_code == 400


def test_nothing_of_a_long_body_is_read(gate, client):
    announced = client.generic(
        "POST", f"/b2c/{gate.tenant.pk}/refresh", b"", CONTENT_LENGTH="10485760", headers=basic(gate.secret)
    )

    assert announced.status_code == 413
    assert gate.ask(raw=b" " * 17000).status_code == 413
    assert gate.ask(padding="x" * 15000).status_code == 200


def test_only_posts_and_only_known_addresses(gate, client):
    assert client.get(f"/b2c/{gate.tenant.pk}/refresh").status_code == 405
    assert client.post(f"/b2c/{gate.tenant.pk}/anything").status_code == 404
    assert client.post("/b2c/contoso/refresh").status_code == 404


def test_nothing_is_taken_over_plain_http_where_the_portal_is_https(gate, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert gate.ask().status_code == 403
    assert gate.ask(secure=True).status_code == 200


# --- What it costs ------------------------------------------------------------------------------------


def test_a_decision_is_one_query_and_writes_nothing(gate, rule):
    rule(app_id=STORE)
    gate.ask()

    with CaptureQueriesContext(connection) as asked:
        gate.ask()

    about_us = [one["sql"] for one in asked if "set_config" not in one["sql"] and "SAVEPOINT" not in one["sql"]]
    assert len(about_us) == 1
    assert about_us[0].lstrip().startswith("SELECT")


def test_what_was_answered_is_counted_now_and_then(gate, rule):
    rule(person_id=KARIM)
    for _ in range(3):
        gate.ask()
    gate.ask(objectId=str(KARIM))
    counting.write()

    found = {(one.door, one.policy_id, one.answer): one.count for one in GateCount.objects.all()}
    assert found == {("refresh", POLICY.lower(), "open"): 3, ("refresh", POLICY.lower(), "refused"): 1}
    assert GateCredential.objects.get().used_at is not None


def test_nothing_secret_reaches_the_log(gate, rule, caplog):
    rule()
    gate.ask()
    gate.ask(headers=basic("a wrong one"))
    gate.ask(raw=json.dumps({"objectId": "a wrong one"}))

    assert gate.secret not in caplog.text
    assert "a wrong one" not in caplog.text
    assert str(INES) not in caplog.text
