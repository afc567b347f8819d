"""A fault at the wrong moment must not turn a small change into a large one."""

import pytest

from consent import own_removals
from graph.requesting import READ_ATTEMPTS
from tests.security.test_what_an_edited_row_can_put_back import own_grant

BATCH = {"path": "batch", "where": "request", "count": READ_ATTEMPTS}
LOOK = {"path": "oauth2PermissionGrants/", "method": "GET", "where": "item", "count": 1}


@pytest.mark.parametrize(
    "fault",
    [
        {**BATCH, "status": 503, "retry_after": 0},
        {**BATCH, "cut": True},
        {**LOOK, "status": 200, "body": {"odd": True}},
        {**LOOK, "status": 500},
    ],
    ids=["busy", "cut", "odd", "failing"],
)
def test_a_grant_that_could_not_be_read_is_not_deleted_where_one_permission_should_go(
    entra, adele, app_called, settings, fault
):
    settings.REVOCATION_INLINE_SECONDS = 30
    app = app_called("Mail Sidekick")
    before = own_grant(entra, app.pk, adele.object_id)
    entra.faults(fault)

    done = own_removals.remove_own_permission(adele.membership, app, before["resourceId"], "Mail.Send")

    kept = own_grant(entra, app.pk, adele.object_id)
    assert kept is not None
    assert set(kept["scope"].split()) == set(before["scope"].split()) - {"Mail.Send"}
    assert done.steps.get().state == "verified"
