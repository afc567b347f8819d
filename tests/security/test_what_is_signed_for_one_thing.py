"""What the portal signs for one thing is of no use for another (ASVS 9.2.2), and old after its time (9.2.1)."""

from datetime import timedelta

import pytest
from django.core import signing
from django.urls import reverse

from consent.views.sign_out import PROOF_FOR, PROOF_SALT
from inbox import mailing
from tests.stage import set_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(contoso, megan, robin):
    return set_up(contoso, megan, robin)


def proof_of(stage) -> str:
    return signing.dumps([str(stage.own_sign_out.tenant_id), str(stage.own_sign_out.pk)], salt=PROOF_SALT)


def test_a_link_of_a_proof_switches_no_mail_off_and_one_of_mail_proves_nothing(client, stage, megan):
    proof, off = proof_of(stage), signing.dumps([str(megan.user.pk), "approvals"], salt=mailing._SALT)
    assert client.get(reverse("consent:sign-out-proof", args=[proof])).status_code == 200
    assert client.get(reverse("inbox:mail-off", args=[off])).status_code == 200

    assert client.get(reverse("consent:sign-out-proof", args=[off])).status_code == 410
    assert client.get(reverse("inbox:mail-off", args=[proof])).status_code == 404


@pytest.mark.parametrize("what", ["proof", "off"])
def test_either_ends(client, stage, megan, monkeypatch, what):
    proof, off = proof_of(stage), signing.dumps([str(megan.user.pk), "approvals"], salt=mailing._SALT)
    name, link, lasts, status = {
        "proof": ("consent:sign-out-proof", proof, PROOF_FOR, 410),
        "off": ("inbox:mail-off", off, timedelta(seconds=mailing.OFF_FOR), 404),
    }[what]
    now = signing.time.time()

    monkeypatch.setattr(signing.time, "time", lambda: now + lasts.total_seconds() + 2)

    assert client.get(reverse(name, args=[link])).status_code == status
