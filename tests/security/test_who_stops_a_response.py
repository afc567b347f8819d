"""A sign-out under way is stopped by whoever asked, or somebody with as much to say: never by whom it is about."""

import pytest
from django.urls import reverse

from accounts.access import Actor
from revocation import services
from revocation.rules.refusals import Refused
from tests.factories import make_person
from tests.revocation.conftest import *  # noqa: F403
from tests.revocation.spine import actor, sign_out_many

STOPS = {"pause": services.pause, "cancel": services.cancel}


@pytest.fixture
def people(world) -> list[dict]:
    return [one for one in world["tenants"][0]["users"] if not one["guest"]]


@pytest.fixture
def against_henrietta(at_contoso, entra, people, megan, henrietta):
    them = [one for one in people if one["id"] == str(henrietta.object_id)] + people[:2]
    return lambda by=megan, **options: sign_out_many(at_contoso, by, them, **options)


@pytest.mark.parametrize("stop", STOPS)
def test_nobody_stops_their_own_sign_out(against_henrietta, henrietta, stop):
    request = against_henrietta()

    with pytest.raises(Refused, match="your own sessions"):
        STOPS[stop](request, actor(henrietta))

    request.refresh_from_db()
    assert request.state == "running"


def test_not_even_as_an_administrator_who_says_no(at_contoso, entra, people, megan, isaiah):
    them = [one for one in people if one["id"] == str(isaiah.object_id)] + people[:2]
    request = sign_out_many(at_contoso, megan, them, needs_approval=True)

    with pytest.raises(Refused, match="your own sessions"):
        services.reject(request, actor(isaiah), request.digest, reason="No")

    assert request.state == "awaiting_approval"


@pytest.mark.parametrize("stop", STOPS)
def test_helpdesk_stops_what_helpdesk_asked_and_nothing_of_an_administrators(
    at_contoso, entra, people, megan, henrietta, stop
):
    others = [one for one in people if one["id"] != str(henrietta.object_id)][:2]
    colleague = make_person(at_contoso, "7a7a7a7a-0000-4000-8000-000000000003", "Hal Desk", "helpdesk")

    with pytest.raises(Refused, match="Megan Bowen"):
        STOPS[stop](sign_out_many(at_contoso, megan, others), actor(henrietta))

    assert STOPS[stop](sign_out_many(at_contoso, colleague, others), actor(henrietta)).state != "running"


def test_an_administrator_stops_helpdesks_and_everybody_their_own(against_henrietta, megan, henrietta, isaiah):
    assert services.cancel(against_henrietta(by=henrietta), actor(isaiah)).state == "cancelled"
    assert services.pause(own := against_henrietta(by=henrietta), actor(henrietta)).state == "paused"
    assert services.resume(own, actor(henrietta)).state == "running"
    assert services.cancel(against_henrietta(), Actor.command_line()).state == "cancelled"


@pytest.mark.parametrize("what", ["pause", "resume", "cancel"])
def test_an_old_sign_in_steers_nothing(client, sign_in, against_henrietta, megan, what):
    request = against_henrietta()
    if what == "resume":
        services.pause(request, actor(megan))
    before = request.__class__.objects.get(pk=request.pk).state
    sign_in(client, megan, auth_age=1000)

    answer = client.post(reverse(f"revocation:{what}", args=["contoso", request.pk]))

    assert answer["Location"].startswith("/accounts/step-up/")
    assert request.__class__.objects.get(pk=request.pk).state == before
