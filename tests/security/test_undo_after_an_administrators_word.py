"""A person's undo puts back what they took, not what an administrator has stopped since."""

import pytest

from accounts.access import Actor
from consent import own_removals, services
from revocation.rules.refusals import Refused
from tests.security.test_what_an_edited_row_can_put_back import own_grant


@pytest.mark.parametrize("stop", ["disable", "delete"])
def test_nobody_gives_an_app_back_its_grant_after_an_administrator_stopped_it(
    entra, copied, adele, megan, app_called, stop
):
    app = app_called("Mail Sidekick")
    done = own_removals.remove_own_app(adele.membership, app)
    actor = Actor.of(megan.membership)
    if stop == "disable":
        services.disable_app(copied, app, actor=actor, reason="Malicious")
    else:
        services.delete_app(copied, app, app.display_name, actor=actor, reason="Malicious")

    with pytest.raises(Refused, match="administrator"):
        own_removals.undo_own_removal(adele.membership, done)

    assert own_grant(entra, app.pk, adele.object_id) is None


def test_undo_of_an_app_that_nobody_stopped_goes_on_working(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    before = own_grant(entra, app.pk, adele.object_id)
    done = own_removals.remove_own_app(adele.membership, app)

    own_removals.undo_own_removal(adele.membership, done)

    assert own_grant(entra, app.pk, adele.object_id)["scope"] == before["scope"]
