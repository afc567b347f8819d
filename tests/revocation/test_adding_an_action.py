"""Adding a file to `revocation/actions/` is the whole of adding an action: every page that shows actions finds it."""

import sys
from collections.abc import Iterator

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Capability
from directory.models import Person
from revocation import actions, planning, services
from revocation.models import RevocationStep
from revocation.showing import people, words
from revocation.showing.offered import what_may
from revocation.showing.tally import tallies
from revocation.steps import StepDraft
from tests.revocation.spine import actor

MODULE = """
from accounts.roles import Capability
from graph.types import Call
from revocation.actions.base import Action, Outcome, Verdict


class ForgetDevices(Action):
    name = "forget_devices"
    label = "Forget every device"
    shown = "The directory shows no device"
    meaning = "Each device has to be enrolled again"
    target_type = "user"
    permission = "Device.ReadWrite.All"
    capability = Capability.SIGN_OUT_PEOPLE
    ends_sessions = True
    local = False

    def call(self, step):
        return Call("POST", f"/users/{step.target_id}/revokeSignInSessions")

    def proof(self, step):
        return Call("GET", f"/users/{step.target_id}?$select=id")

    def proved(self, step, answer):
        return Outcome(Verdict.VERIFIED, request_id=answer.request_id)
"""


@pytest.fixture
def forget_devices(tmp_path, monkeypatch) -> Iterator[str]:
    """A further action, in a folder that is added to the package's for the time of the test."""
    (tmp_path / "forget_devices.py").write_text(MODULE)
    monkeypatch.setattr(actions, "__path__", [*actions.__path__, str(tmp_path)])
    actions.all_actions.cache_clear()
    yield "forget_devices"
    actions.all_actions.cache_clear()
    sys.modules.pop("revocation.actions.forget_devices", None)
    vars(actions).pop("forget_devices", None)


@pytest.fixture
def asked(forget_devices, at_contoso, adele, henrietta):
    now = timezone.now()
    person = Person.objects.create(
        tenant=at_contoso, id=adele.object_id, display_name="Adele Vance", synced_at=now, roles_known_at=now
    )
    return services.submit(
        tenant=at_contoso,
        actor=actor(henrietta),
        kind=forget_devices,
        title="Forget the devices of Adele Vance",
        steps=[StepDraft(forget_devices, "user", str(person.id), "Adele Vance")],
        run_inline=False,
    )


def test_it_is_carried_out_and_proved(asked, entra):
    services.asking.executor.run_request(asked, seconds=10)

    assert list(asked.steps.values_list("state", flat=True)) == ["verified"]


def test_lists_and_pages_call_it_by_its_name(asked, client, sign_in, henrietta):
    sign_in(client, henrietta)

    for name, arguments in (("revocation:list", []), ("revocation:detail", [asked.pk])):
        page = client.get(reverse(name, args=["contoso", *arguments]))
        assert "Forget every device" in page.content.decode(), name


def test_its_proof_is_told_in_its_own_words(asked, entra, client, sign_in, henrietta):
    services.asking.executor.run_request(asked, seconds=10)
    sign_in(client, henrietta)

    page = client.get(reverse("revocation:detail", args=["contoso", asked.pk])).content.decode()

    assert "The directory shows no device" in page
    assert "Each device has to be enrolled again" in page
    assert "The last access token ends" in page


def test_the_plan_counts_and_names_it(asked, at_contoso):
    plan = planning.plan(at_contoso, ["forget_devices"] * 3, people=3)

    assert (plan.writes, plan.queued) == (3, 1)
    assert [words.action_words(name) for name, _count in plan.by_action] == ["Forget every device"]


def test_who_may_steer_it_is_its_own_say(asked, henrietta, nestor):
    assert actions.capabilities(asked.actions) == {Capability.SIGN_OUT_PEOPLE}
    tally = tallies([asked])[asked.pk]
    assert {"pause", "cancel"} <= what_may(henrietta.membership, asked, tally)
    assert what_may(nestor.membership, asked, tally) == set()


def test_a_person_whose_sessions_it_ends_is_being_signed_out(asked, at_contoso):
    person = Person.objects.get(tenant=at_contoso, display_name="Adele Vance")

    assert people.under_way(at_contoso, person) == asked


def test_the_rule_of_a_second_person_knows_it(forget_devices, at_contoso, megan, monkeypatch):
    monkeypatch.setattr(type(actions.get(forget_devices)), "deletes", True)
    at_contoso.approve_app_deletion = True
    at_contoso.save()

    request = services.submit(
        tenant=at_contoso,
        actor=actor(megan),
        kind=forget_devices,
        title="Forget",
        steps=[StepDraft(forget_devices, "user", "somebody", "Somebody")],
        run_inline=False,
    )

    assert request.needs_approval
    assert not RevocationStep.objects.exclude(state="waiting").exists()
