"""The pages about rules and the gate, as helpdesk and administrators use them."""

import re
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import timezone

from b2c import selectors
from b2c.gate import known
from b2c.models import GateCredential, RefreshRule
from directory.models import Person, ServicePrincipal
from revocation.models import RevocationRequest
from tests.b2c.conftest import INES, KARIM, POLICY, REWARDS, STORE

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(at_contoso):
    now = timezone.now()
    names = {INES: "Ines Moreau", KARIM: "Karim Haddad"}
    for pk, name in names.items():
        upn = f"{name.split()[0].lower()}@contoso.example"
        known_at = {"synced_at": now, "roles_known_at": now}
        Person.objects.create(tenant=at_contoso, id=pk, display_name=name, upn=upn, **known_at)
    for app_id, name in ((STORE, "Contoso Store"), (REWARDS, "Contoso Rewards")):
        ServicePrincipal.objects.create(tenant=at_contoso, id=app_id, app_id=app_id, display_name=name, synced_at=now)
    return names


def at(name: str, *ids) -> str:
    return reverse(name, args=["contoso", *ids])


def text_of(response) -> str:
    html = re.sub(r"<(script|style|head).*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_helpdesk_refuses_one_customer_in_one_app_and_ends_it(gate, people, client, sign_in, henrietta, entra):
    sign_in(client, henrietta)

    person = text_of(client.get(at("revocation:person", INES)))
    before = text_of(client.get(at("revocation:refuse-refresh", INES, STORE)))
    asked = client.post(at("revocation:refuse-refresh", INES, STORE), {"reason": "Lost phone", "hours": "24"})

    assert "Contoso Store b2c_1a_store goes on" in person
    assert "Refuse the refresh of Ines Moreau in Contoso Store" in before
    assert "b2c_1a_rewards Contoso Rewards goes on goes on goes on" in before
    assert "b2c_1a_store Contoso Store refused refused refused" in before
    rule = RefreshRule.objects.get()
    assert (rule.app_label, rule.expires_at - rule.created_at > timezone.timedelta(hours=23)) == ("Contoso Store", True)
    assert "The gate refuses the refresh in Contoso Store" in text_of(client.get(asked.url))
    assert gate.ask().status_code == 409
    assert gate.ask(policyId="B2C_1A_Rewards").status_code == 200
    assert "Contoso Store b2c_1a_store refused" in text_of(client.get(at("revocation:person", INES)))
    assert "Ines Moreau in Contoso Store" in text_of(client.get(at("revocation:rules")))

    client.post(at("revocation:end-rule", rule.pk), {"reason": "Found it"})

    assert gate.ask().status_code == 200
    assert "This rule is over" in text_of(client.get(at("revocation:rule", rule.pk)))
    assert "Ines Moreau" in text_of(client.get(at("revocation:rules") + "?ended=1"))
    assert "Ines Moreau" not in text_of(client.get(at("revocation:rules")))


def test_a_rule_for_everyone_says_what_it_would_refuse_before_it_is_saved(gate, people, client, sign_in, megan):
    sign_in(client, megan)
    terms = {"app": "", "policy": POLICY.lower(), "when": "missing", "claim": "country", "value": "", "hours": "0"}

    check = client.post(at("revocation:new-rule"), terms)
    said = text_of(client.get(check.url))

    assert "b2c_1a_store Contoso Store refused refused refused" in said
    assert "b2c_1a_rewards Contoso Rewards goes on goes on goes on" in said
    assert "while “country” is missing" in said
    assert not RefreshRule.objects.exists()
    client.post(check.url, {"reason": "The law"})
    asked = RevocationRequest.objects.get()
    assert (asked.state, asked.title) == ("awaiting_approval", "Refuse everyone's refresh by way of b2c_1a_store")


@pytest.mark.parametrize(
    "odd", [{"when": "missing"}, {"when": "equals", "claim": "country"}, {"claim": "1 2"}, {"app": "x"}, {"hours": "7"}]
)
def test_terms_that_say_nothing_are_not_taken(gate, client, sign_in, megan, odd):
    sign_in(client, megan)
    terms = {"app": "", "policy": "", "when": "before", "claim": "", "value": "", "hours": "0"} | odd

    assert client.post(at("revocation:new-rule"), terms).status_code == 422
    query = {"policy_id": "b2c_1a_of_somebody_else"}
    assert client.get(f"{at('revocation:check-rule')}?{urlencode(query)}").url == at("revocation:new-rule")


def test_a_list_of_people_is_refused_in_one_request(gate, people, client, sign_in, megan, entra):
    sign_in(client, megan)
    rule = {"app": str(STORE), "policy": "", "when": "before", "claim": "", "value": "", "hours": "0"}
    form = {"source": "paste", "recipe": "refuse_refresh_widely", "text": f"{INES}\n{KARIM}\nnobody@contoso.example"}

    preview = client.post(at("revocation:new"), form | {f"rule-{name}": value for name, value in rule.items()})
    shown = client.get(preview.url)
    page = client.get(at("revocation:confirm", shown.context["draft"].pk))
    asked = client.post(page.request["PATH_INFO"], {"reason": "x", "digest": shown.context["draft"].digest})

    assert "Refuse the refresh of 2 people in Contoso Store?" in text_of(shown)
    assert "Writes at Microsoft 0" in text_of(page)
    from revocation.spine import executor

    executor.run_request(RevocationRequest.objects.get(), seconds=5)
    assert {rule.person_id for rule in RefreshRule.objects.in_force()} == {INES, KARIM}
    assert [gate.ask(objectId=str(one)).status_code for one in (INES, KARIM)] == [409, 409]
    first = RefreshRule.objects.first()
    assert "End all 2 made with it" in text_of(client.get(at("revocation:rule", first.pk)))
    client.post(at("revocation:end-rule", first.pk) + "?all", {"reason": "x"})
    assert not RefreshRule.objects.in_force().exists()
    assert asked.status_code == 302


def test_lists_without_terms_are_not_taken_and_helpdesk_is_not_offered_any(gate, client, sign_in, megan, henrietta):
    form = {"source": "paste", "recipe": "refuse_refresh_widely", "text": str(INES), "rule-when": "missing"}

    sign_in(client, megan)
    assert client.post(at("revocation:new"), form).status_code == 422
    sign_in(client, henrietta)
    assert "Refuse their refresh" not in text_of(client.get(at("revocation:new")))
    assert client.post(at("revocation:new"), form).status_code == 422


def test_the_gate_is_set_up_on_its_page(at_contoso, client, sign_in, megan):
    sign_in(client, megan)
    values = {
        "is_b2c": "on",
        "fails": "open",
        "authentication": "Basic",
        "id_prefix": "Consentry",
        "apps_by_policy": f"B2C_1A_Store: {STORE}, {REWARDS}\n\nB2C_1A_Edit:",
        "messages": "en: Sign in again.\nde-AT: Bitte neu anmelden: gleich.",
        "extension_host": "Contoso.ciamlogin.com".lower(),
    }

    assert "Switched off: the gate answers nobody here." in text_of(client.get(at("tenants:gate")))
    assert client.post(at("tenants:gate"), values).status_code == 302
    setting = selectors.setting(at_contoso)

    assert setting.apps_by_policy == {"b2c_1a_store": [str(STORE), str(REWARDS)], "b2c_1a_edit": []}
    assert setting.messages == {"en": "Sign in again.", "de-AT": "Bitte neu anmelden: gleich."}
    assert "or its database is away, everybody is let through." in text_of(client.get(at("tenants:gate")))
    for odd in ({"apps_by_policy": "a b: c"}, {"apps_by_policy": "x: y"}, {"messages": "hello"}, {"id_prefix": "1"}):
        assert client.post(at("tenants:gate"), values | odd).status_code == 422
    assert client.post(at("tenants:gate"), values | {"extension_host": "evil.example"}).status_code == 422


def test_a_secret_is_shown_once_and_a_third_is_not_made(gate, client, sign_in, megan):
    sign_in(client, megan)

    made = client.post(at("tenants:make-credential"))
    secret = re.search(r'id="the-secret">([^<]+)<', made.content.decode())[1]

    assert "no-store" in made["Cache-Control"]
    assert gate.ask(headers={"X-Gate-Key": secret}).status_code == 200
    assert secret not in client.get(at("tenants:gate")).content.decode()
    assert client.post(at("tenants:make-credential")).status_code == 302
    assert GateCredential.objects.count() == 2
    older = GateCredential.objects.order_by("created_at").first()
    client.post(at("tenants:end-credential", older.pk))
    known.forget()
    assert [gate.ask(headers={"X-Gate-Key": one}).status_code for one in (gate.secret, secret)] == [401, 200]
    last = GateCredential.objects.get(ended_at=None)
    assert "No other credential is valid" in text_of(client.get(at("tenants:end-credential", last.pk)))
