"""What grows is bounded: every model says by what, and a year of use is no more rows than its last months."""

from collections import Counter
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Bucket, EndedSession, Membership, SavedView, TokenCache, User
from accounts.tenancy import tenant_context
from audit import heads, services as audit, verification
from audit.models import AuditEntry, AuditEvent
from b2c.models import GateCount, GateCredential, PolicyText, RefreshRule
from directory.models import WithdrawnGrant
from inbox.models import DayFigures, Dealt, Letter, MailChoice, Report
from portal.retention import growth, rules, running
from revocation.models import ListDraft, ListUpload, Notice, RevocationRequest, RevocationStep
from tests.factories import make_person

MONTH = timedelta(days=30)


def test_every_model_says_why_it_does_not_grow_for_ever():
    named = [*growth.PRUNED, *growth.ARCHIVED, *growth.AS_THE_DIRECTORY, *growth.BOUNDED]

    assert Counter(named) == Counter(model._meta.label for model in apps.get_models())
    assert set(growth.PRUNED.values()) <= {rule.name for rule in [*rules.OF_TENANTS, *rules.SHARED]}


@pytest.fixture
def at(contoso, settings, tmp_path, monkeypatch):
    settings.AUDIT_HEADS_DIR, settings.AUDIT_ARCHIVE_DIR = tmp_path / "heads", tmp_path / "archive"
    monkeypatch.setattr(heads, "MAX_BYTES", 500)
    with tenant_context(contoso.pk):
        yield contoso


def use(tenant, then):
    """What a month of use leaves: a row, at least, of everything that is deleted some time."""
    who = {"actor_id": str(uuid4()), "actor_label": "Megan"}
    over = {"kind": "sign_out", "title": "x", "state": "finished", "digest": "", "step_count": 1, "finished_at": then}
    first = RevocationRequest.objects.create(tenant=tenant, **over, **who)
    again = RevocationRequest.objects.create(tenant=tenant, follows=first, **over, **who)
    text = uuid4().hex
    for request in (first, again):
        step = {"action": "upload_policy", "target_type": "policy", "target_id": "x", "params": {"sha256": text}}
        RevocationStep.objects.create(tenant=tenant, request=request, position=0, state="verified", **step)
        Notice.objects.create(tenant=tenant, request=request, person_id=uuid4())
    for request in (first, None):
        kept = {"source": "paste", "recipe": "sign_out", "expires_at": then, "actor_id": "x"}
        draft = ListDraft.objects.create(tenant=tenant, request=request, rows=b"", digest="", **kept)
        ListUpload.objects.create(tenant=tenant, user_id=uuid4(), content=b"", lines=1, draft=draft, **kept)
    PolicyText.objects.create(tenant=tenant, sha256=text, xml=b"")
    rule = {"issued_before": then, "author_id": "x", "author_label": "x", "request_id": first.pk}
    RefreshRule.objects.create(tenant=tenant, ended_at=then, **rule)
    GateCredential.objects.create(tenant=tenant, digest="x", created_by="x", ended_at=then)
    GateCount.objects.create(tenant=tenant, hour=then, door="refresh", answer="open", last_at=then)
    dealt = {"subject_id": uuid4(), "subject_label": "x", "by_id": "x", "by_label": "x", "at": then, "until": then}
    done = Dealt.objects.create(tenant=tenant, kind="risky", **dealt)
    report = {"app_id": uuid4(), "app_label": "x", "user_id": uuid4(), "created_at": then}
    Report.objects.create(tenant=tenant, dealt=done, **report, **who)
    Letter.objects.create(tenant=tenant, user_id=uuid4(), kind="digest", key=str(then))
    WithdrawnGrant.objects.create(tenant=tenant, graph_id="x", client_id=uuid4(), scopes=[], gone_at=then)
    DayFigures.objects.create(tenant=tenant, day=then.date(), high_risk=0, unverified=0, unused=0, disabled=0)
    person = make_person(tenant, uuid4(), "Adele Vance")
    user = person.user
    SavedView.objects.create(tenant=tenant, membership=person.membership, list="apps", name="Mine", query="q=mail")
    User.objects.filter(pk=user.pk).update(last_login=then)
    SocialAccount.objects.create(user=user, provider="entra", uid=str(user.pk))
    MailChoice.objects.create(user=user, tenant=tenant)
    TokenCache.objects.create(user=user, tenant=tenant, blob=b"")
    Session.objects.create(session_key=str(uuid4())[:32], session_data="", expire_date=then)
    UserSession.objects.create(user=user, ip="::1", session_key=str(uuid4())[:32], user_agent="")
    EndedSession.objects.create(digest=uuid4().hex, by_owner=True, ended_at=then)
    Bucket.objects.create(key=uuid4().hex, level=1, at=then)
    LogEntry.objects.create(user=user, action_flag=1, object_repr="x", action_time=then)
    for _day in range(5):
        audit.record(AuditEvent.DIRECTORY_SYNCED, tenant_id=tenant.pk, actor=Actor.system())
        heads.export(tenant.pk)


def rows(tenant) -> dict[str, int]:
    models = [apps.get_model(name) for name in [*growth.PRUNED, "audit.AuditEntry"]]
    return {model._meta.label: model.objects.count() for model in models}


def test_a_year_is_no_more_than_its_last_months(at, monkeypatch, tmp_path, settings):
    for name in ("REQUESTS", "ACCOUNTS", "FIGURES", "HEADS"):
        setattr(settings, f"KEEP_{name}_DAYS", 90)
    settings.AUDIT_KEEP_DAYS = 100
    start, grown, files = timezone.now() - 12 * MONTH, {}, {}
    for month in range(12):
        then = start + month * MONTH
        with monkeypatch.context() as clock:
            clock.setattr(timezone, "now", lambda then=then: then)
            use(at, then)
            clock.setattr(timezone, "now", lambda then=then: then + timedelta(days=2))
            running.prune_shared(Actor.system())  # first: accounts without a session go
            running.prune_tenant(at, Actor.system())
            call_command("archive_audit", tenant="contoso", stdout=StringIO())
        grown[month], files[month] = rows(at), len(list((tmp_path / "heads").glob("*.jsonl")))

    assert {name: count for name, count in grown[11].items() if count > 1.15 * grown[6][name]} == {}
    assert files[11] <= files[6]
    assert {name for name, count in grown[11].items() if count > 6 * grown[0][name]} == set()
    assert verification.verify(at.pk, tmp_path / "heads").ok
    told = AuditEntry.objects.filter(event=AuditEvent.TENANT_PRUNED).order_by("-sequence").first()
    assert told.after["requests"] >= 4


def test_what_is_open_stays_however_old(at):
    long_ago = timezone.now() - timedelta(days=3000)
    who = {"actor_id": "x", "actor_label": "x", "digest": "", "step_count": 1}
    waiting = RevocationRequest.objects.create(tenant=at, kind="sign_out", title="x", state="paused", **who)
    report = {"app_id": uuid4(), "app_label": "x", "actor_id": "x", "actor_label": "x", "user_id": uuid4()}
    Report.objects.create(tenant=at, **report, created_at=long_ago)
    RevocationRequest.objects.update(created_at=long_ago)

    call_command("prune", tenant="contoso", stdout=StringIO())

    assert RevocationRequest.objects.get() == waiting
    assert Report.objects.exists()


def test_whom_another_tenant_let_in_stays(at, robin, fabrikam):
    with tenant_context(at.pk):
        Membership.objects.create(tenant=at, user=robin.user, roles=["helpdesk"], source="granted")
    with tenant_context(fabrikam.pk):
        User.objects.update(created_at=timezone.now() - timedelta(days=3000))
        running.prune_tenant(fabrikam, Actor.system())

        assert User.objects.filter(pk=robin.user.pk).exists()


def test_nought_days_keep_for_ever(at, settings):
    settings.KEEP_REQUESTS_DAYS = 0
    then = timezone.now() - timedelta(days=3000)
    use(at, then)

    running.prune_tenant(at, Actor.system())

    assert RevocationRequest.objects.count() == 2


def test_a_slice_ends_in_time_and_the_next_goes_on(at, monkeypatch):
    monkeypatch.setattr(running, "SLICE", 3)
    for years in (3, 4):
        use(at, timezone.now() - timedelta(days=365 * years))

    slices = 0
    while running.prune_tenant(at, Actor.system(), seconds=0)[1]:
        slices += 1

    assert slices > 3
    assert not RevocationRequest.objects.exists()
