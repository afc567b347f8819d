"""Containing people, and containing an app: everything at once, planned before it is done."""

from uuid import uuid4

import pytest

from accounts.tenancy import tenant_context
from directory import sync
from directory.models import PermissionGrant, ServicePrincipal
from revocation.models import RevocationStep
from revocation.spine import executor
from tests.factories import make_person
from tests.revocation.copies import app_with_consents, crowd
from tests.revocation.pages import confirmed, paste, requests_of, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def megan(contoso):
    return make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")


@pytest.fixture
def henrietta(contoso):
    return make_person(contoso, uuid4(), "Henrietta Mueller", "helpdesk")


@pytest.fixture
def admin(client, sign_in, megan):
    sign_in(client, megan)
    return client


def test_containing_people_withdraws_what_they_gave_risky_apps(admin, contoso):
    people = crowd(contoso, 2)
    app_with_consents(contoso, people)
    draft = paste(admin, "\n".join(p.upn for p in people), recipe="contain_people").context["draft"]

    confirmed(admin, draft)

    with tenant_context(contoso.pk):
        actions = sorted(RevocationStep.objects.values_list("action", flat=True))
    assert actions == ["delete_grant", "delete_grant", "revoke_sessions", "revoke_sessions"]


def test_helpdesk_signs_out_and_contains_nobody(client, sign_in, contoso, henrietta):
    person = crowd(contoso, 1)[0]
    sign_in(client, henrietta)

    assert paste(client, person.upn).status_code == 200
    answer = client.post(url("new"), {"source": "paste", "text": person.upn, "recipe": "contain_people"})

    assert answer.status_code == 422


def test_containing_an_app_disables_it_first_and_ends_everything_it_got(admin, contoso):
    app = app_with_consents(contoso, crowd(contoso, 2))
    plan = admin.get(url("contain-app", app.pk)).context

    answers = [
        admin.post(url("contain-app", app.pk), {"reason": "Phishing", "digest": plan["contained"].digest})
        for _ in range(2)
    ]

    (request,) = requests_of(contoso)
    assert {answer["Location"] for answer in answers} == {url("detail", request.pk)}
    with tenant_context(contoso.pk):
        steps = list(RevocationStep.objects.order_by("urgency", "position").values_list("action", flat=True))
    assert steps == ["disable_app", "delete_grant", "delete_grant", "revoke_sessions", "revoke_sessions"]
    assert plan["plan"].alternative.instead_of == 5


def test_a_plan_that_is_no_longer_true_is_shown_again(admin, contoso):
    app = app_with_consents(contoso, crowd(contoso, 2))
    digest = admin.get(url("contain-app", app.pk)).context["contained"].digest
    with tenant_context(contoso.pk):
        PermissionGrant.objects.first().delete()

    answer = admin.post(url("contain-app", app.pk), {"reason": "Phishing", "digest": digest})

    assert answer.status_code == 422
    assert requests_of(contoso) == []


def test_microsofts_own_apps_and_the_portal_are_protected(admin, contoso):
    app = app_with_consents(contoso, crowd(contoso, 1))
    with tenant_context(contoso.pk):
        ServicePrincipal.objects.filter(pk=app.pk).update(owner_tenant_id="f8cdef31-a31e-4b4a-93e4-5f571e91255a")
    digest = admin.get(url("contain-app", app.pk)).context["contained"].digest

    answer = admin.post(url("contain-app", app.pk), {"reason": "Phishing", "digest": digest})

    assert "Microsoft" in answer.content.decode()
    assert requests_of(contoso) == []


@pytest.mark.django_db(transaction=True)
def test_a_contained_app_ends_disabled_with_nothing_left_and_everybody_signed_out(admin, contoso, entra):
    with tenant_context(contoso.pk):
        sync.sync_tenant(contoso)
        app = ServicePrincipal.objects.get(tenant=contoso, display_name="Mail Sidekick")
    digest = admin.get(url("contain-app", app.pk)).context["contained"].digest

    answer = admin.post(url("contain-app", app.pk), {"reason": "Phishing", "digest": digest})
    executor.turn(contoso.pk, seconds=30, linger=10)

    (request,) = requests_of(contoso)
    with tenant_context(contoso.pk):
        states = set(RevocationStep.objects.filter(request=request).values_list("state", flat=True))
    assert (request.state, states) == ("finished", {"verified"})
    page = admin.get(answer["Location"]).content.decode()
    assert 'hx-trigger="every 60s"' in page  # nothing is under way; only the end of the last token is ahead
    assert not [grant for grant in entra.grants().values() if grant["clientId"] == str(app.pk)]


# --- Cost ---------------------------------------------------------------------------------------------
