"""What is read as a whole is asked for in as few answers' time as it can be: a worker's slice must not be long."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import permissions
from accounts.tenancy import tenant_context
from directory import sync
from directory.models import ConsentRules, Progress
from directory.sync import consents
from graph import transport
from graph.client import GraphClient
from tests.factories import make_tenant

WOODGROVE = "44444444-4444-4444-8444-444444444444"
AT_ONCE = ("authorizationPolicy", "appConsentRequests", "directoryAudits")


@pytest.fixture
def woodgrove(entra, db):
    tenant = make_tenant(WOODGROVE, "Woodgrove", "woodgrove.example")
    with tenant_context(tenant.pk):
        yield tenant


def test_roles_take_two_answers_with_those_of_groups_and_their_owners_and_members(woodgrove, entra):
    sync.sync_tenant(woodgrove)
    before = len(entra.requests())

    assert sync.refresh_roles(woodgrove, older_than=timedelta(0)) == ""

    asked = entra.requests()[before:]
    alone = [one["path"] for one in asked if not one["in_batch"]]
    assert {"owners", "microsoft.graph.user"} <= {one["path"].rsplit("/", 1)[1] for one in asked if one["in_batch"]}
    assert [path.rsplit("/", 1)[1] for path in alone] == ["$batch", "$batch"]


def test_what_is_known_of_consents_is_asked_for_side_by_side(entra, contoso, monkeypatch):
    together = threading.Barrier(len(AT_ONCE), timeout=20)
    send = transport.Session.send

    def met(session, request, **options):
        if any(name in request.url for name in AT_ONCE):
            together.wait()  # breaks where one waits for the other's answer
        return send(session, request, **options)

    monkeypatch.setattr(transport.Session, "send", met)
    with tenant_context(contoso.pk):
        client = GraphClient(str(contoso.pk))
        permissions.renew(contoso, client)

        consents.read(contoso, client)

        rules = ConsentRules.objects.get()
    assert rules.own_policies is not None
    assert rules.requests_read_at is not None
    assert rules.dates_until is not None


def test_from_when_on_lists_are_followed_is_asked_for_side_by_side(woodgrove, monkeypatch):
    together = threading.Barrier(2, timeout=20)
    send = transport.Session.send

    def met(session, request, **options):
        if "deltatoken=latest" in request.url and "oauth2PermissionGrants" not in request.url:
            together.wait()  # breaks where people wait for the answer about apps
        return send(session, request, **options)

    monkeypatch.setattr(transport.Session, "send", met)

    sync.sync_tenant(woodgrove)

    followed = Progress.objects.filter(part__in=["service_principals", "people"]).exclude(delta_link="")
    assert followed.count() == 2


def test_what_changed_is_asked_for_side_by_side(woodgrove, monkeypatch):
    sync.sync_tenant(woodgrove)
    Progress.objects.update(delta_at=timezone.now() - timedelta(minutes=1))
    together = threading.Barrier(3, timeout=20)
    send = transport.Session.send

    def met(session, request, **options):
        if "/delta" in request.url:
            together.wait()  # breaks where one list waits for the answer about another
        return send(session, request, **options)

    monkeypatch.setattr(transport.Session, "send", met)

    sync.work(woodgrove, 60)

    looked = Progress.objects.filter(delta_at__gt=timezone.now() - timedelta(seconds=50))
    assert set(looked.values_list("part", flat=True)) == {"service_principals", "people", "grants"}
