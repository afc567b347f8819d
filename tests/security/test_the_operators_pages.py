"""The operator runs the portal and is nobody in any tenant: no page of theirs hands over a person's session."""

import pytest
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts import second_factor
from accounts.ids import OPERATOR
from accounts.models import Bucket
from accounts.tenancy import operator_context, tenant_context
from audit import chain
from audit.models import AuditEntry
from tests.signing_in import code_of, make_operator, sign_in_operator

PASSWORD = "a long passphrase"


@pytest.fixture
def operator(db, client) -> Client:
    sign_in_operator(client, make_operator(PASSWORD), PASSWORD)
    return client


def test_no_page_shows_the_key_of_somebodys_session(operator, adele, sign_in):
    browser = sign_in(Client(), adele)
    key = browser.session.session_key
    UserSession.objects.get_or_create(
        user=adele.user, session_key=key, defaults={"ip": "192.0.2.1", "user_agent": "Firefox"}
    )
    assert Session.objects.filter(session_key=key).exists()
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for row in [*model.objects.all()[:5]]:
            try:
                page = operator.get(reverse(f"{name}_change", args=[row.pk]))
            except NoReverseMatch:
                continue
            assert key not in page.content.decode(), name


def test_the_operator_is_offered_tenants_accounts_and_memberships_only():
    # Whoever edits a social account can lead one person's sign-in to another's account.
    assert {model._meta.label for model in admin.site._registry} == {
        "accounts.Tenant",
        "accounts.Membership",
        "accounts.User",
    }


def test_somebody_signed_in_from_entra_is_led_away_from_the_operators_pages(client, adele, sign_in):
    response = sign_in(client, adele).get("/operator/accounts/tenant/")

    assert response.status_code == 302
    assert "/operator/login/" in response["Location"]


def test_what_the_operator_changes_about_a_tenant_stands_in_its_own_record(operator, contoso):
    form = {"slug": "contoso", "name": "Contoso", "domain": "contoso.example", "state": "suspended"}

    operator.post(reverse("admin:accounts_tenant_change", args=[contoso.pk]), form)

    with tenant_context(contoso.pk):
        entry = AuditEntry.objects.get(event="consent.tenant.changed")
        assert (entry.actor_id, entry.actor_label, entry.target_type) == ("operator", "operator", "tenant")
        assert entry.reason == "state: active → suspended"
        assert chain.verify(contoso.pk).ok


def record() -> list[tuple[str, str, str]]:
    with tenant_context(OPERATOR):
        assert chain.verify(OPERATOR).ok
        return [(one.event, one.actor_label, one.outcome) for one in AuditEntry.objects.order_by("sequence")]


def test_a_password_alone_lets_nobody_in_and_every_try_is_on_the_record(client, db, caplog):
    user = make_operator(PASSWORD)

    for password, code in ((PASSWORD, ""), (PASSWORD, "000000"), ("wrong", code_of(user))):
        sign_in_operator(client, user, password, code)
        assert "_auth_user_id" not in client.session
    client.post(reverse("admin:login"), {"username": "<script>", "password": "x", "code": "1"})
    sign_in_operator(client, user, PASSWORD)

    assert "_auth_user_id" in client.session
    assert record() == [
        ("accounts.session.refused", "operator", "refused"),
        ("accounts.session.refused", "operator", "refused"),
        ("accounts.session.refused", "somebody", "refused"),
        ("accounts.session.started", "operator", ""),
    ]
    assert [one.levelname for one in caplog.records if one.name == "consentry.operator"].count("WARNING") == 3


def test_a_code_works_once(client, db):
    user = make_operator(PASSWORD)
    code = code_of(user)
    sign_in_operator(Client(), user, PASSWORD, code)

    sign_in_operator(client, user, PASSWORD, code)

    assert "_auth_user_id" not in client.session


def test_the_codes_are_those_of_the_standard():
    """https://www.rfc-editor.org/rfc/rfc6238#appendix-B"""
    secret = b"12345678901234567890"

    assert [second_factor.code_at(secret, at // 30) for at in (59, 1111111109, 20000000000)] == [
        "287082",
        "081804",
        "353130",
    ]


def test_the_operator_stays_half_an_hour(operator):
    assert 1700 < operator.session.get_expiry_age() <= 1800


def test_guessing_is_counted_by_all_processes_together(client, db):
    user = make_operator(PASSWORD)
    for _ in range(10):
        sign_in_operator(Client(), user, "wrong")

    sign_in_operator(client, user, PASSWORD)

    assert "_auth_user_id" not in client.session
    assert len(record()) == 10  # whoever has to wait fills no record
    assert Bucket.objects.count() == 1


def test_a_new_key_reaches_the_second_factor_too(db, settings):
    user = make_operator(PASSWORD)
    settings.TOKEN_CACHE_KEYS = [Fernet.generate_key().decode(), *settings.TOKEN_CACHE_KEYS]
    call_command("tidy_accounts")
    settings.TOKEN_CACHE_KEYS = settings.TOKEN_CACHE_KEYS[:1]

    with operator_context():
        user.refresh_from_db()
        assert second_factor.accepts(user, code_of(user))


@pytest.mark.parametrize("new_factor", [False, True])
def test_a_new_password_or_factor_ends_the_operators_sessions(operator, tmp_path, new_factor):
    """ASVS 7.4.3."""
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    assert operator.get(reverse("admin:index")).status_code == 200

    call_command("create_operator", "operator", password_file=file, new_factor=new_factor)

    assert operator.get(reverse("admin:index")).status_code == 302
