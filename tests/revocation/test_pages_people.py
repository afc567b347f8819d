"""People: found, told what a sign-out does, refused with the reason, signed out and followed to the proof."""

from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.tenancy import tenant_context
from audit import personal
from audit.models import AuditEntry
from directory.models import Person as DirectoryPerson
from revocation.models import RevocationRequest, RevocationStep
from tests.copied import read_directory
from tests.factories import make_person
from tests.revocation.copies import GLOBAL_ADMINISTRATOR, app_with_consents, in_copy
from tests.revocation.spine import one_round

pytestmark = pytest.mark.django_db


@pytest.fixture
def helpdesk(client, sign_in, contoso):
    """The browser of somebody at the helpdesk who is in no directory role."""
    person = make_person(contoso, uuid4(), "Hanna Desk", "helpdesk")
    sign_in(client, person)
    return client


def url(name, *args):
    return reverse(f"revocation:{name}", args=["contoso", *args])


def test_a_person_is_found_by_part_of_the_name(helpdesk, contoso):
    found, other = in_copy(contoso, "Adele Vance"), in_copy(contoso, "Diego Siciliani")

    page = helpdesk.get(url("people"), {"q": "adel"}).content.decode()

    assert url("person", found.pk) in page
    assert url("person", other.pk) not in page


def test_heads_sort_and_what_was_chosen_stays(helpdesk, contoso):
    adele, diego = in_copy(contoso, "Adele Vance"), in_copy(contoso, "Diego Siciliani")
    page = helpdesk.get(url("people"), {"sort": "-name"}).content.decode()
    nonsense = helpdesk.get(url("people"), {"sort": "-;drop"}).content.decode()

    assert page.index(url("person", diego.pk)) < page.index(url("person", adele.pk))
    assert nonsense.index(url("person", adele.pk)) < nonsense.index(url("person", diego.pk))
    assert page.count('aria-sort="descending"') == 1
    assert f'{url("people")}?sort=name"' in page
    assert 'name="sort" value="-name"' in page


@pytest.mark.parametrize("only", ["risky", "roles", "guests", "disabled"])
def test_the_list_is_narrowed_to_who_needs_a_look(helpdesk, contoso, only):
    wanted, other = in_copy(contoso, "Adele Vance"), in_copy(contoso, "Diego Siciliani")
    change = {
        "roles": {"role_template_ids": [GLOBAL_ADMINISTRATOR]},
        "guests": {"is_guest": True},
        "disabled": {"account_enabled": False},
    }
    if only == "risky":
        app_with_consents(contoso, [wanted])
    else:
        with tenant_context(contoso.pk):
            DirectoryPerson.objects.filter(pk=wanted.pk).update(**change[only])

    page = helpdesk.get(url("people"), {"only": only}).content.decode()

    assert url("person", wanted.pk) in page
    assert url("person", other.pk) not in page


def test_as_one_types_only_the_list_is_sent_and_the_address_has_no_empty_filter(helpdesk, contoso):
    found = in_copy(contoso, "Adele Vance")

    answer = helpdesk.get(url("people"), {"q": "adel", "only": ""}, headers={"HX-Request": "true"})

    assert url("person", found.pk) in answer.text
    assert "<html" not in answer.text
    assert answer["HX-Replace-Url"] == f"{url('people')}?q=adel"


def test_whom_the_copy_does_not_know_is_asked_of_graph_when_somebody_says_so(helpdesk, entra, contoso):
    before = helpdesk.get(url("people"), {"q": "Johanna"}).content.decode()
    after = helpdesk.post(url("people"), {"q": "Johanna"}, follow=True).content.decode()
    nobody = helpdesk.post(url("people"), {"q": "Nobody of this name"}, follow=True).content.decode()

    assert "Johanna Lorenz" not in before
    assert "Ask Microsoft Graph" in before
    assert "Johanna Lorenz" in after
    assert "Microsoft Graph knows nobody of this name." in nobody
    with tenant_context(contoso.pk):
        assert DirectoryPerson.objects.get(tenant=contoso, upn="johanna@contoso.example")


def test_one_person_is_read_again_on_their_page(helpdesk, entra, contoso):
    with tenant_context(contoso.pk):
        read_directory(contoso)
        DirectoryPerson.objects.filter(upn="adele@contoso.example").update(job_title="Nothing we know")
        adele = DirectoryPerson.objects.get(tenant=contoso, upn="adele@contoso.example")

    opened = helpdesk.get(url("person", adele.pk)).content.decode()
    read = helpdesk.post(url("person", adele.pk), follow=True).content.decode()

    assert "Nothing we know" in opened
    assert "Nothing we know" not in read
    assert "Read from Microsoft just now." in read


def test_a_persons_page_says_what_signing_out_does_and_which_apps_they_let_in(helpdesk, contoso):
    adele = in_copy(contoso, "Adele Vance")
    app_with_consents(contoso, [adele])

    page = helpdesk.get(url("person", adele.pk)).content.decode()

    assert "up to 90 minutes" in page
    assert "Mail Sidekick" in page
    assert url("sign-out", adele.pk) in page


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"is_external": True, "home_domain": "fabrikam.example"}, "fabrikam.example"),
        ({"role_template_ids": [GLOBAL_ADMINISTRATOR]}, "Global Administrator"),
    ],
    ids=["guest", "privileged"],
)
def test_who_may_not_be_signed_out_is_refused_with_the_reason(helpdesk, contoso, facts, reason):
    person = in_copy(contoso, "Lynne Robbins", **facts)

    page = helpdesk.get(url("person", person.pk)).content.decode()
    answer = helpdesk.post(url("sign-out", person.pk), {"reason": "stolen phone"})

    assert reason in page
    assert url("sign-out", person.pk) not in page
    assert answer.status_code == 403
    assert reason in answer.content.decode()
    with tenant_context(contoso.pk):
        assert not RevocationRequest.objects.filter(tenant=contoso).exists()
        (entry,) = personal.reveal(contoso.pk, list(AuditEntry.objects.filter(event="revocation.request.refused")))
    assert (entry.actor_label, entry.target_id) == ("Hanna Desk", str(person.pk))
    assert entry.reason == "stolen phone"
    assert reason in entry.after["rule"]


def test_the_reason_is_mandatory_and_the_ticket_is_not(helpdesk, contoso):
    person = in_copy(contoso, "Adele Vance")

    page = helpdesk.post(url("sign-out", person.pk), {"reason": " ", "ticket": "INC-1"})

    assert "The reason is kept in the audit record" in page.content.decode()
    with tenant_context(contoso.pk):
        assert not RevocationRequest.objects.filter(tenant=contoso).exists()


@pytest.mark.parametrize("pk", ["unknown", "foreign"])
def test_an_unknown_person_and_another_tenants_look_the_same(helpdesk, contoso, fabrikam, pk):
    foreign = in_copy(fabrikam, "Robin Counts")
    address = url("person", foreign.pk if pk == "foreign" else uuid4())

    assert helpdesk.get(address).status_code == 404
    assert helpdesk.post(address + "sign-out/", {"reason": "x"}).status_code == 404


def test_an_old_sign_in_has_to_be_repeated_first(client, sign_in, contoso):
    sign_in(client, make_person(contoso, uuid4(), "Hanna Desk", "helpdesk"), auth_age=3600)
    person = in_copy(contoso, "Adele Vance")

    assert client.get(url("sign-out", person.pk)).status_code == 200
    answer = client.post(url("sign-out", person.pk), {"reason": "Lost device"})

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("accounts:step-up"))


@pytest.mark.django_db(transaction=True)
def test_signing_somebody_out_is_carried_out_proved_and_recorded(helpdesk, entra, contoso):
    with tenant_context(contoso.pk):
        read_directory(contoso)
        adele = DirectoryPerson.objects.get(tenant=contoso, upn="adele@contoso.example")

    answer = helpdesk.post(url("sign-out", adele.pk), {"reason": "Stolen phone", "ticket": "INC-7"}, follow=True)
    with tenant_context(contoso.pk):
        request = RevocationRequest.objects.get(tenant=contoso, kind="sign_out")
        one_round(contoso)
        step = RevocationStep.objects.get(request=request, action="revoke_sessions")
        events = set(AuditEntry.objects.filter(request_id=request.pk).values_list("event", flat=True))

    assert answer.redirect_chain[0][0] == url("detail", request.pk)
    assert "Stolen phone" in answer.content.decode()
    assert step.state == "verified"
    assert step.graph_request_id in helpdesk.get(url("detail", request.pk)).content.decode()
    assert step.graph_request_id
    assert (request.reason, request.ticket) == ("Stolen phone", "INC-7")
    assert {"revocation.request.created", "revocation.steps.started", "revocation.step.accepted"} <= events


@pytest.mark.django_db(transaction=True)
def test_asking_twice_signs_the_person_out_once(helpdesk, entra, contoso):
    with tenant_context(contoso.pk):
        read_directory(contoso)
        adele = DirectoryPerson.objects.get(tenant=contoso, upn="adele@contoso.example")

    first = helpdesk.post(url("sign-out", adele.pk), {"reason": "Stolen phone"})
    second = helpdesk.post(url("sign-out", adele.pk), {"reason": "Stolen phone"})

    assert first["Location"] == second["Location"]
    with tenant_context(contoso.pk):
        assert RevocationStep.objects.filter(action="revoke_sessions", target_id=str(adele.pk)).count() == 1


def test_ones_own_request_is_shown_outside_the_workspace_and_nobody_elses(client, sign_in, contoso, entra):
    adele = make_person(contoso, uuid4(), "Adele Vance")
    other = make_person(contoso, uuid4(), "Diego Siciliani")
    with tenant_context(contoso.pk):
        common = {"tenant": contoso, "kind": "remove_own_app", "digest": "0" * 64, "step_count": 0}
        mine = RevocationRequest.objects.create(title="Remove Notes", actor_id=str(adele.object_id), **common)
        theirs = RevocationRequest.objects.create(title="Remove Mail", actor_id=str(other.object_id), **common)
    sign_in(client, adele)

    assert "Remove Notes" in client.get(reverse("revocation:own-detail", args=[mine.pk])).content.decode()
    assert client.get(reverse("revocation:own-detail", args=[theirs.pk])).status_code == 404
    assert client.get(reverse("revocation:own-timeline", args=[theirs.pk])).status_code == 404
