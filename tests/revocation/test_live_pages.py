"""A page that fills in by itself is, after any number of polls, the page as it would be loaded anew."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.tenancy import tenant_context
from revocation import services
from revocation.models import RevocationRequest, RevocationStep
from tests.factories import make_person
from tests.polling import OpenPage
from tests.revocation.copies import NOW, asked, crowd, finish, put
from tests.revocation.spine import actor, copy_of, one_round, remove_grant, sign_out_many

pytestmark = pytest.mark.django_db


def detail(request) -> str:
    return reverse("revocation:detail", args=["contoso", request.pk])


@pytest.fixture
def on_page(client, sign_in, megan):
    """`on_page(address, person=megan)`: that person with the page open."""

    def opened(address: str, person=megan) -> OpenPage:
        sign_in(client, person)
        return OpenPage(client, address)

    return opened


def same_as_reloaded(page: OpenPage) -> None:
    page.poll()
    assert page.elements() == OpenPage(page.client, page.address).elements()


def due_now(request: RevocationRequest) -> None:
    RevocationStep.objects.filter(request=request).update(not_before=timezone.now() - timedelta(seconds=1))


def proved(request: RevocationRequest, rounds: int = 5) -> None:
    for _ in range(rounds):
        due_now(request)
        one_round(request.tenant)


# --- Through the spine, from asked to proved ----------------------------------------------------------


@pytest.mark.parametrize("size", [2, 14])
def test_a_sign_out_from_asked_to_proved(on_page, at_contoso, world, entra, megan, size):
    people = next(t for t in world["tenants"] if t["id"] == str(at_contoso.id))["users"][:size]
    entra.lag(seconds=3600)
    request = sign_out_many(at_contoso, megan, people)
    page = on_page(detail(request))
    same_as_reloaded(page)

    one_round(at_contoso)
    same_as_reloaded(page)
    assert "Accepted" in str(page.root)
    assert page.swaps == 1

    entra.lag(seconds=0)
    proved(request)
    same_as_reloaded(page)
    with tenant_context(at_contoso.pk):
        request.refresh_from_db()
    assert request.state == RevocationRequest.State.FINISHED


def test_ones_own_removal_from_asked_to_proved(on_page, at_contoso, entra, adele):
    entra.lag(seconds=3600)
    request = remove_grant(adele)
    page = on_page(reverse("revocation:own-detail", args=[request.pk]), adele)
    same_as_reloaded(page)

    entra.lag(seconds=0)
    proved(request)
    same_as_reloaded(page)

    assert page.swaps == 1
    assert "no longer lists" in str(page.root)
    assert "fills in by itself" not in str(page.root)


def test_ones_own_sign_out_everywhere(on_page, at_contoso, world, entra, adele):
    copy_of(at_contoso, world, "Adele Vance")
    entra.lag(seconds=3600)
    request = services.sign_out_self(adele.membership)
    adele.user.refresh_from_db()
    page = on_page(reverse("consent:sign-out-everywhere"), adele)
    same_as_reloaded(page)
    assert "Sign me out everywhere" not in str(page.root)

    entra.lag(seconds=0)
    proved(request)
    same_as_reloaded(page)

    assert "Sign out again" in str(page.root)


# --- Every state a request can come into while the page is open ---------------------------------------


def test_steps_that_move_between_two_polls(on_page, contoso, megan):
    request = asked(contoso, megan, crowd(contoso, 60))
    page = on_page(detail(request))
    moves = [(5, "accepted"), (3, "failed"), (10, "verified"), (1, "unconfirmed"), (41, "verified")]
    for count, state in moves:
        put(request, count, state, accepted_at=NOW(), finished_at=NOW())
        same_as_reloaded(page)
    with tenant_context(contoso.pk):
        request.steps.filter(state="accepted").update(state="no_effect")
    same_as_reloaded(page)
    finish(request)
    same_as_reloaded(page)

    assert page.swaps == len(moves) + 2
    assert "Finished" in str(page.find("main"))
    assert not page.asks_again


def test_the_filter_and_the_page_of_steps_stay(on_page, contoso, megan):
    request = asked(contoso, megan, crowd(contoso, 120))
    page = on_page(detail(request) + "?show=waiting")

    put(request, 30, "verified", accepted_at=NOW(), finished_at=NOW())
    same_as_reloaded(page)

    assert "Person 00000" not in str(page.root)
    assert "Person 00031" in str(page.root)


@pytest.mark.parametrize("people", [5, 51])
def test_steering_by_somebody_else(on_page, contoso, megan, henrietta, people):
    request = asked(contoso, henrietta, crowd(contoso, people), needs_approval=False)
    page = on_page(detail(request))
    for steer in (services.pause, services.resume, services.cancel):
        with tenant_context(contoso.pk):
            steer(request, actor(megan))
        same_as_reloaded(page)

    assert page.swaps == 3
    assert not page.asks_again


def test_an_approval_by_somebody_else(on_page, contoso, megan, isaiah):
    request = asked(contoso, megan, crowd(contoso, 51), needs_approval=True)
    page = on_page(detail(request))
    with tenant_context(contoso.pk):
        services.approve(request, actor(isaiah), request.digest)

    same_as_reloaded(page)

    assert "Approved by Isaiah Langer" in str(page.root)


def test_the_title_in_the_tab_says_how_far_it_is(on_page, contoso, megan):
    request = asked(contoso, megan, crowd(contoso, 50))
    page = on_page(detail(request))
    put(request, 32, "verified", accepted_at=NOW(), finished_at=NOW())
    page.poll()
    assert page.elements()[1].strip().startswith("(64 %) Revocation: Sign out 50 people")

    put(request, 18, "failed", finished_at=NOW())
    finish(request)
    same_as_reloaded(page)

    assert page.elements()[1].strip().startswith("(! 18) Revocation:")


def test_the_list_moves_too(on_page, contoso, megan):
    request = asked(contoso, megan, crowd(contoso, 10), needs_approval=False)
    page = on_page(reverse("revocation:list", args=["contoso"]))
    put(request, 5, "verified", accepted_at=NOW(), finished_at=NOW())
    put(request, 1, "failed", finished_at=NOW())
    same_as_reloaded(page)
    assert "6 of 10 people, 1 failed" in " ".join(str(page.find(f"revocation-{request.pk}")).split())
    assert page.swaps == 1

    put(request, 4, "verified", accepted_at=NOW(), finished_at=NOW())
    finish(request)
    page.poll()

    assert "All are over." in str(page.find("live"))
    same_as_reloaded(page)
    assert "every 60s" in str(page.find("live-part"))


def test_a_list_narrowed_to_what_needs_a_human(on_page, contoso, megan):
    well, ill = (asked(contoso, megan, crowd(contoso, 2, start=start)) for start in (0, 10))
    put(well, 2, "verified", accepted_at=NOW(), finished_at=NOW())
    put(ill, 1, "failed", finished_at=NOW())

    page = on_page(reverse("revocation:list", args=["contoso"]) + "?state=attention")

    assert page.find(f"revocation-{ill.pk}")
    assert not page.find(f"revocation-{well.pk}")


REMEDIES = [
    ("failed", "seal_broken", "changed in the database"),
    ("failed", "Authorization_RequestDenied", "Grant the portal the permission it lacks"),
    ("failed", "Request_ResourceNotFound", "nothing is left to do"),
    ("failed", "500", "Try again."),
    ("unconfirmed", "", "Look in Entra whether it was done"),
]


def test_what_failed_comes_with_a_remedy(on_page, contoso, megan):
    request = asked(contoso, megan, crowd(contoso, 6), needs_approval=False)
    with tenant_context(contoso.pk):
        contoso.granted_permissions = ["User.Read.All"]
        contoso.save()
    page = on_page(detail(request))
    assert not page.find("what-next")

    for state, code, _says in REMEDIES:
        put(request, 1, state, outcome_code=code, finished_at=NOW())
    same_as_reloaded(page)

    found = str(page.find("what-next-of"))
    assert [says for _state, _code, says in REMEDIES if says not in found] == []


# --- What a poll costs --------------------------------------------------------------------------------


def test_nothing_new_sends_nothing(on_page, contoso, megan):
    request = asked(contoso, megan, crowd(contoso, 3), needs_approval=True)
    page = on_page(detail(request))

    for _ in range(3):
        page.poll()

    assert page.swaps == 0
    assert page.asks_again


def test_a_poll_costs_the_same_for_few_and_for_many(client, sign_in, contoso, megan):
    sign_in(client, megan)

    def cost(people: int, start: int) -> int:
        request = asked(contoso, megan, crowd(contoso, people, start=start), needs_approval=False)
        address = reverse("revocation:progress", args=["contoso", request.pk])
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address, headers={"HX-Request": "true"}).status_code == 200
        return len(queries)

    cost(15, 0)
    assert cost(15, 100) == cost(130, 1000) <= 22


def test_what_was_read_aloud_is_not_repeated(client, sign_in, contoso, megan):
    sign_in(client, megan)
    request = asked(contoso, megan, crowd(contoso, 40), needs_approval=False)
    page = OpenPage(client, detail(request))
    put(request, 1, "verified", accepted_at=NOW(), finished_at=NOW())
    page.poll()
    assert page.find("live").children == []  # still less than ten percent

    put(request, 9, "verified", accepted_at=NOW(), finished_at=NOW())
    page.poll()

    assert "20 percent of 40 decided." in str(page.find("live"))


def test_another_tenant_sees_no_part_of_it(client, sign_in, contoso, fabrikam, megan):
    stranger = make_person(fabrikam, "11111111-2222-4333-8444-555555555555", "Robin Counts", "tenant_admin")
    request = asked(contoso, megan, crowd(contoso, 3))
    sign_in(client, stranger)

    assert client.get(reverse("revocation:progress", args=["contoso", request.pk])).status_code == 404
