"""Keeping an app out is for what was never here: it takes nothing from whoever uses an app, and cuts nobody off."""

from uuid import UUID

import pytest

from consent import bulk
from revocation.rules.refusals import Refused
from revocation.spine import executor
from tests.revocation.conftest import *  # noqa: F403
from tests.revocation.spine import actor
from tests.sandbox_client import PORTAL_CLIENT_ID


def test_an_app_that_came_since_the_directory_was_read_is_left_alone(at_contoso, entra, megan):
    app = next(one for one in entra.all("servicePrincipals") if one["displayName"] == "Mail Sidekick")

    request = bulk.keep_out_unseen(at_contoso, UUID(app["appId"]), "Never seen", actor=actor(megan))
    executor.run_request(request, seconds=5)

    (step,) = request.steps.all()
    assert (step.state, step.outcome_code) == ("failed", "here_already")
    assert entra.get(f"servicePrincipals/{app['id']}")["accountEnabled"] is True


def test_nor_is_the_portal_itself(at_contoso, entra, megan):
    with pytest.raises(Refused, match="in the tenant already"):
        bulk.keep_out_unseen(at_contoso, UUID(PORTAL_CLIENT_ID), actor=actor(megan))
