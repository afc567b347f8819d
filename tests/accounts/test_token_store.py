"""Tokens at rest: encrypted, one row a person, and never written back once they were wiped."""

import threading
from datetime import timedelta
from queue import Queue

import msal
import pytest
from cryptography.fernet import Fernet
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts import services, token_store
from accounts.access import Actor
from accounts.models import TokenCache, User
from accounts.tenancy import tenant_context

SECRET = "1.AX-refresh-token-that-nobody-may-read"


def cache_with(secret: str) -> msal.SerializableTokenCache:
    cache = msal.SerializableTokenCache()
    cache.add(
        {
            "client_id": "portal",
            "scope": ["User.Read"],
            "token_endpoint": "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
            "response": {"access_token": "at", "refresh_token": secret, "expires_in": 3600, "token_type": "Bearer"},
        }
    )
    return cache


@pytest.fixture
def scope(contoso):
    with tenant_context(contoso.id):
        yield


def test_what_is_kept_comes_back(scope, adele):
    assert token_store.save(adele.user, cache_with(SECRET), epoch=0)

    assert SECRET in token_store.load(adele.user).cache.serialize()


def test_nothing_readable_lies_in_the_database(scope, adele):
    token_store.save(adele.user, cache_with(SECRET), epoch=0)

    with connection.cursor() as cursor:
        cursor.execute("SELECT blob::text, encode(blob, 'escape') FROM accounts_tokencache")
        rows = str(cursor.fetchall())

    assert SECRET not in rows
    assert "refresh" not in rows.lower()


def test_keys_can_be_changed_one_after_the_other(scope, adele, contoso, settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.TOKEN_CACHE_KEYS = [old]
    token_store.save(adele.user, cache_with(SECRET), epoch=0)

    settings.TOKEN_CACHE_KEYS = [new, old]
    assert token_store.load(adele.user) is not None
    assert token_store.renew_encryption(contoso.id) == 1

    settings.TOKEN_CACHE_KEYS = [new]
    assert SECRET in token_store.load(adele.user).cache.serialize()


def test_a_cache_under_a_lost_key_is_as_good_as_none(scope, adele, contoso, settings):
    token_store.save(adele.user, cache_with(SECRET), epoch=0)
    settings.TOKEN_CACHE_KEYS = [Fernet.generate_key().decode()]

    assert token_store.load(adele.user) is None
    assert token_store.renew_encryption(contoso.id) == 0
    assert not TokenCache.objects.exists()


def test_a_wiped_cache_is_not_written_back_by_a_refresh_under_way(scope, adele):
    token_store.save(adele.user, cache_with(SECRET), epoch=0)
    under_way = token_store.load(adele.user)

    services.end_portal_sessions(adele.user, reason="signed out by helpdesk", actor=Actor.system())

    assert not token_store.save(adele.user, under_way.cache, epoch=under_way.epoch)
    assert not TokenCache.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_refresh_that_writes_while_the_wipe_commits_loses(contoso, adele):
    """The wipe holds the account's row; the writer waits for it and then finds the newer epoch."""
    with tenant_context(contoso.id):
        token_store.save(adele.user, cache_with(SECRET), epoch=0)
    wiped, writer, kept = threading.Event(), Queue(), []

    def refresh_under_way() -> None:
        try:
            with tenant_context(contoso.id):
                stored = token_store.load(adele.user)
                writer.put(connection.connection.info.backend_pid)
                wiped.wait(30)
                kept.append(token_store.save(adele.user, stored.cache, epoch=stored.epoch))
        finally:
            connection.close()

    thread = threading.Thread(target=refresh_under_way)
    thread.start()
    backend = writer.get(timeout=30)
    with tenant_context(contoso.id), transaction.atomic():
        services.end_portal_sessions(adele.user, reason="stolen", actor=Actor.system())
        wiped.set()
        _until_it_waits_for_a_lock(backend)
    thread.join(30)

    assert kept == [False]
    with tenant_context(contoso.id):
        assert not TokenCache.objects.exists()
        assert User.objects.get(pk=adele.user.pk).token_epoch == 1


def _until_it_waits_for_a_lock(backend: int) -> None:
    with connection.cursor() as cursor:
        for _ in range(1000):
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)), pg_sleep(0.02)", [backend])
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waited")


def test_another_tenant_sees_no_tokens(adele, fabrikam, contoso):
    with tenant_context(contoso.id):
        token_store.save(adele.user, cache_with(SECRET), epoch=0)

    with tenant_context(fabrikam.id):
        assert not TokenCache.objects.exists()
        assert token_store.load(adele.user) is None


def test_tidying_forgets_who_has_no_session_left_and_renews_the_rest(
    contoso, browser, another_browser, settings, capsys
):
    browser.sign_in("adele@contoso.example")
    another_browser().sign_in("megan@contoso.example")
    Session.objects.filter(session_key=browser.portal.session.session_key).update(
        expire_date=timezone.now() - timedelta(days=1)
    )
    settings.TOKEN_CACHE_KEYS = [Fernet.generate_key().decode(), *settings.TOKEN_CACHE_KEYS]

    call_command("tidy_accounts")

    said = "1 sessions had run out. Forgot the tokens of 1 people without a session; encrypted those of 1 anew.\n"
    assert capsys.readouterr().out == said
    settings.TOKEN_CACHE_KEYS = settings.TOKEN_CACHE_KEYS[:1]
    with tenant_context(contoso.id):
        kept = TokenCache.objects.select_related("user").get()
        assert kept.user.display_name == "Megan Bowen"
        assert token_store.load(kept.user) is not None
