"""Securing accounts, and taking an app out: step by step as ticked, planned before it is done."""

from uuid import uuid4

import pytest

from accounts.tenancy import tenant_context
from directory.models import PermissionGrant, ServicePrincipal
from revocation.models import RevocationStep
from revocation.spine import executor
from tests.copied import read_directory
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


def ticked(digest: str, *parts: str) -> dict:
    return {"reason": "Phishing", "digest": digest, "ticked": "yes", "parts": parts or ALL}


ALL = ("disable", "consents", "people")


@pytest.mark.parametrize("parts", [ALL, ("disable", "consents"), ("consents",)])
def test_taking_an_app_out_does_what_is_ticked_and_disables_it_first(admin, contoso, parts):
    app = app_with_consents(contoso, crowd(contoso, 2))
    plan = admin.get(url("contain-app", app.pk), {"ticked": "yes", "parts": parts}).context
    sent = ticked(plan["contained"].digest, *parts)

    answers = [admin.post(url("contain-app", app.pk), sent) for _ in range(2)]

    (request,) = requests_of(contoso)
    assert {answer["Location"] for answer in answers} == {url("detail", request.pk)}
    with tenant_context(contoso.pk):
        steps = list(RevocationStep.objects.order_by("urgency", "position").values_list("action", flat=True))
    wanted = ["disable_app", *["delete_grant"] * 2, *["revoke_sessions"] * 2]
    kept = {"disable_app": "disable", "delete_grant": "consents", "revoke_sessions": "people"}
    assert steps == [one for one in wanted if kept[one] in parts]
    assert plan["plan"].writes == len(steps)


def test_nobody_is_signed_out_unasked_and_nothing_ticked_is_nothing_done(admin, contoso):
    app = app_with_consents(contoso, crowd(contoso, 2))
    page = admin.get(url("contain-app", app.pk))

    answer = admin.post(url("contain-app", app.pk), ticked(page.context["contained"].digest) | {"parts": []})

    boxes = {box.data["value"]: box.data["selected"] for box in page.context["form"]["parts"]}
    assert {str(part): on for part, on in boxes.items()} == {"disable": True, "consents": True, "people": False}
    assert answer.status_code == 422
    assert requests_of(contoso) == []


def test_securing_one_account_withdraws_what_is_ticked_and_says_what_is_left_to_do(admin, contoso):
    (person,) = crowd(contoso, 1)
    risky, calm = (app_with_consents(contoso, [person], name) for name in ("Mail Sidekick", "Wingtip Notes"))
    with tenant_context(contoso.pk):
        ServicePrincipal.objects.filter(pk=calm.pk).update(risk=1)
    page = admin.get(url("secure", person.pk))
    boxes = {box.data["value"]: box.data["selected"] for box in page.context["form"]["apps"]}
    assert boxes == {str(risky.pk): True, str(calm.pk): False}

    answer = admin.post(url("secure", person.pk), {"sign_out": "on", "apps": [risky.pk], "reason": "Stolen"})

    (request,) = requests_of(contoso)
    with tenant_context(contoso.pk):
        actions = sorted(RevocationStep.objects.filter(request=request).values_list("action", flat=True))
    assert actions == ["delete_grant", "end_portal_sessions", "revoke_sessions"]
    followed = admin.get(answer["Location"]).content.decode()
    assert request.title == f"Secure the account of {person.display_name}"
    assert "Reset the password" in followed
    assert followed.count("yours to do") == 2


def test_helpdesk_secures_an_account_without_touching_its_apps(client, sign_in, contoso, henrietta):
    (person,) = crowd(contoso, 1)
    app = app_with_consents(contoso, [person])
    sign_in(client, henrietta)

    assert "apps" not in client.get(url("secure", person.pk)).context["form"].fields
    client.post(url("secure", person.pk), {"sign_out": "on", "apps": [app.pk], "reason": "Stolen"})

    with tenant_context(contoso.pk):
        assert not RevocationStep.objects.filter(action="delete_grant").exists()
        assert RevocationStep.objects.filter(action="revoke_sessions").exists()


def test_a_plan_that_is_no_longer_true_is_shown_again(admin, contoso):
    app = app_with_consents(contoso, crowd(contoso, 2))
    digest = admin.get(url("contain-app", app.pk)).context["contained"].digest
    with tenant_context(contoso.pk):
        PermissionGrant.objects.first().delete()

    answer = admin.post(url("contain-app", app.pk), ticked(digest))

    assert answer.status_code == 422
    assert requests_of(contoso) == []


def test_microsofts_own_apps_and_the_portal_are_protected(admin, contoso):
    app = app_with_consents(contoso, crowd(contoso, 1))
    with tenant_context(contoso.pk):
        ServicePrincipal.objects.filter(pk=app.pk).update(owner_tenant_id="f8cdef31-a31e-4b4a-93e4-5f571e91255a")
    digest = admin.get(url("contain-app", app.pk)).context["contained"].digest

    answer = admin.post(url("contain-app", app.pk), ticked(digest))

    assert "Microsoft" in answer.content.decode()
    assert requests_of(contoso) == []


@pytest.mark.django_db(transaction=True)
def test_a_contained_app_ends_disabled_with_nothing_left_and_everybody_signed_out(admin, contoso, entra):
    with tenant_context(contoso.pk):
        read_directory(contoso)
        app = ServicePrincipal.objects.get(tenant=contoso, display_name="Mail Sidekick")
    digest = admin.get(url("contain-app", app.pk)).context["contained"].digest

    answer = admin.post(url("contain-app", app.pk), ticked(digest))
    executor.turn(contoso.pk, seconds=30, linger=10)

    (request,) = requests_of(contoso)
    with tenant_context(contoso.pk):
        states = set(RevocationStep.objects.filter(request=request).values_list("state", flat=True))
    assert (request.state, states) == ("finished", {"verified"})
    page = admin.get(answer["Location"]).content.decode()
    assert 'hx-trigger="every 60s"' in page  # nothing is under way; only the end of the last token is ahead
    assert not [grant for grant in entra.grants().values() if grant["clientId"] == str(app.pk)]


# --- Cost ---------------------------------------------------------------------------------------------
