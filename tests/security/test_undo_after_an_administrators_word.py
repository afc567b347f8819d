"""A person's undo puts back what they took, not what an administrator has stopped since."""

import pytest

from accounts.access import Actor
from consent import own_removals, services
from revocation import services as revocation
from revocation.models import RevocationRequest
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


# --- What somebody has said since ---------------------------------------------------------------------


def one_permission(adele, entra, app) -> tuple[dict, RevocationRequest]:
    before = own_grant(entra, app.pk, adele.object_id)
    return before, own_removals.remove_own_permission(adele.membership, app, before["resourceId"], "Contacts.Read")


def policy(entra, tenant, value: str) -> None:
    entra.control("POST", "world", json={"tenant": str(tenant.pk), "do": "user_consent", "value": value})


def test_a_consent_that_an_administrator_withdrew_does_not_come_back_with_one_permission_of_it(
    entra, copied, adele, megan, app_called
):
    app = app_called("Mail Sidekick")
    _before, done = one_permission(adele, entra, app)
    services.revoke_user_consent(copied, app, adele.object_id, actor=Actor.of(megan.membership), reason="Phishing")

    for undo in (lambda: own_removals.undo_own_removal(adele.membership, done), lambda: undo_as(adele, done)):
        with pytest.raises(Refused, match="Megan Bowen"):
            undo()

    assert own_grant(entra, app.pk, adele.object_id) is None


def undo_as(person, request) -> RevocationRequest:
    return revocation.undo(request, Actor.of(person.membership))


def test_nor_where_it_was_withdrawn_in_entra_itself(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    before, done = one_permission(adele, entra, app)
    entra.graph("DELETE", f"oauth2PermissionGrants/{before['id']}").raise_for_status()

    undone = undo_as(adele, done)

    assert undone.steps.get().outcome_code == "changed_meanwhile"
    assert own_grant(entra, app.pk, adele.object_id) is None


def test_nor_where_it_was_narrowed_there(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    before, done = one_permission(adele, entra, app)
    entra.graph("PATCH", f"oauth2PermissionGrants/{before['id']}", json={"scope": "Mail.Send"}).raise_for_status()

    undone = undo_as(adele, done)

    assert undone.steps.get().outcome_code == "changed_meanwhile"
    assert own_grant(entra, app.pk, adele.object_id)["scope"] == "Mail.Send"


def test_one_permission_comes_back_alone_and_beside_what_was_given_since(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    before, done = one_permission(adele, entra, app)
    left = own_grant(entra, app.pk, adele.object_id)["scope"]
    wider = {"scope": f"{left} Notes.Read"}
    entra.graph("PATCH", f"oauth2PermissionGrants/{before['id']}", json=wider).raise_for_status()

    assert undo_as(adele, done).steps.get().params["scopes"] == ["Contacts.Read"]

    assert set(own_grant(entra, app.pk, adele.object_id)["scope"].split()) == {*before["scope"].split(), "Notes.Read"}


def test_a_whole_consent_does_not_replace_one_that_was_given_since(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    before = own_grant(entra, app.pk, adele.object_id)
    done = own_removals.remove_own_app(adele.membership, app)
    narrow = {key: before[key] for key in ("clientId", "consentType", "principalId", "resourceId")}
    entra.graph("POST", "oauth2PermissionGrants", json=narrow | {"scope": "User.Read"}).raise_for_status()

    undone = undo_as(adele, done)

    assert undone.steps.get().outcome_code == "changed_meanwhile"
    assert own_grant(entra, app.pk, adele.object_id)["scope"] == "User.Read"


@pytest.mark.parametrize("whole", [True, False], ids=["all-of-it", "one-permission"])
def test_nobody_gets_a_consent_back_that_the_organisation_lets_nobody_give(entra, copied, adele, app_called, whole):
    app = app_called("Mail Sidekick")
    done = own_removals.remove_own_app(adele.membership, app) if whole else one_permission(adele, entra, app)[1]
    left = own_grant(entra, app.pk, adele.object_id)
    policy(entra, copied, "none")

    with pytest.raises(Refused, match="no longer lets"):
        own_removals.undo_own_removal(adele.membership, done)

    assert own_grant(entra, app.pk, adele.object_id) == left


def test_nor_where_it_is_not_known_whether_it_does(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    done = own_removals.remove_own_app(adele.membership, app)
    entra.faults({"path": "policies/authorizationPolicy", "status": 403, "count": 9})

    with pytest.raises(Refused, match=r"not known.*Policy\.Read\.All"):
        own_removals.undo_own_removal(adele.membership, done)

    assert own_grant(entra, app.pk, adele.object_id) is None


def test_an_administrator_may_put_back_what_people_may_not_give(entra, copied, adele, megan, app_called):
    app = app_called("Mail Sidekick")
    before = own_grant(entra, app.pk, adele.object_id)
    me = Actor.of(megan.membership)
    done = services.revoke_user_consent(copied, app, adele.object_id, actor=me, reason="The wrong person")
    policy(entra, copied, "none")

    revocation.undo(done, me)

    assert own_grant(entra, app.pk, adele.object_id)["scope"] == before["scope"]


def test_the_later_of_two_removals_is_undone_first(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    before, first = one_permission(adele, entra, app)
    second = own_removals.remove_own_permission(adele.membership, app, before["resourceId"], "Mail.Send")
    with pytest.raises(Refused, match=r"Mail\.Send"):
        undo_as(adele, first)

    undo_as(adele, second)
    undo_as(adele, first)

    assert set(own_grant(entra, app.pk, adele.object_id)["scope"].split()) == set(before["scope"].split())
