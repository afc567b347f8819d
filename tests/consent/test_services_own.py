"""A person removes apps and permissions of their own, against the sandbox."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.http import Http404
from django.utils import timezone

from accounts.tenancy import tenant_context
from audit.models import AuditEntry, AuditEvent
from consent import own_removals
from consent.apps_now import Absent, client_of
from directory import selectors, sync
from directory.models import PermissionGrant, RecentChange
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules.refusals import NothingToRevoke, Refused, Unreachable

Verified = RevocationStep.State.VERIFIED


def grants_in(entra, app, person=None) -> dict[str, dict]:
    """The directory's own grants to an app: all of them, or one person's."""
    return {
        grant_id: grant
        for grant_id, grant in entra.grants().items()
        if grant["clientId"] == str(app.pk) and (person is None or grant["principalId"] == str(person.object_id))
    }


def writes(entra) -> list[dict]:
    asked = [one for one in entra.requests() if "/oauth2/" not in one["path"] and "$batch" not in one["path"]]
    return [one for one in asked if one["method"] != "GET"]


def test_removing_an_app_deletes_the_grant_and_proves_it(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    assert grants_in(entra, app, adele)
    others = len(grants_in(entra, app)) - len(grants_in(entra, app, adele))
    done = own_removals.remove_own_app(adele.membership, app)
    assert done.state == RevocationRequest.State.FINISHED
    assert {step.state for step in done.steps.all()} == {Verified}
    assert not grants_in(entra, app, adele)
    assert len(grants_in(entra, app)) == others
    assert app not in [one.app for one in selectors.my_apps(adele.tenant, adele.object_id)]
    events = AuditEntry.objects.filter(request_id=done.pk).values_list("event", flat=True)
    assert {AuditEvent.REVOCATION_REQUESTED, AuditEvent.STEPS_STARTED, AuditEvent.STEP_VERIFIED} <= set(events)


def test_someone_elses_grant_is_absent_and_stays(entra, copied, megan, adele, app_called):
    app = app_called("Mail Sidekick")
    assert not grants_in(entra, app, megan)
    before = entra.grants()
    # Even a copy that says otherwise does not make it Megan's.
    PermissionGrant.objects.filter(client=app, principal_id=adele.object_id).update(principal_id=megan.object_id)
    with pytest.raises(Absent):
        own_removals.remove_own_app(megan.membership, app)
    assert entra.grants() == before
    assert writes(entra) == []
    assert not RevocationRequest.objects.exists()
    assert app not in [one.app for one in selectors.my_apps(copied, megan.object_id)]


def test_another_tenants_app_is_absent(entra, adele, fabrikam):
    with tenant_context(fabrikam.pk):
        sync.sync_tenant(fabrikam)
        theirs = selectors.apps(fabrikam, q="Mail Sidekick").items[0]
    with pytest.raises(Http404):
        own_removals.remove_own_app(adele.membership, theirs)
    assert writes(entra) == []


def test_the_organisations_consent_is_not_a_persons_to_remove(entra, adele, app_called):
    app = app_called("Contoso Travel")
    with pytest.raises(NothingToRevoke, match="organisation"):
        own_removals.remove_own_app(adele.membership, app)
    assert grants_in(entra, app)


def test_removing_one_permission_keeps_the_others(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    (grant,) = grants_in(entra, app, adele).values()
    before = grant["scope"].split()
    done = own_removals.remove_own_permission(adele.membership, app, grant["resourceId"], "Mail.Send")
    assert [step.state for step in done.steps.all()] == [Verified]
    (grant,) = grants_in(entra, app, adele).values()
    assert set(grant["scope"].split()) == set(before) - {"Mail.Send"}
    assert "Mail.Send" not in selectors.my_app(adele.tenant, adele.object_id, app.pk).scopes


def test_removing_the_last_permission_removes_the_grant(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    (grant,) = grants_in(entra, app, adele).values()
    own_removals.remove_own_permission(adele.membership, app, grant["resourceId"], grant["scope"].split())
    assert not grants_in(entra, app, adele)


def test_a_permission_not_given_is_refused(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    (grant,) = grants_in(entra, app, adele).values()
    for resource_id, scope in ((grant["resourceId"], "Sites.FullControl.All"), (uuid4(), "Mail.Send")):
        with pytest.raises(NothingToRevoke):
            own_removals.remove_own_permission(adele.membership, app, resource_id, scope)
    assert writes(entra) == []


def test_undo_puts_back_exactly_what_was_there(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    before = grants_in(entra, app, adele)
    done = own_removals.remove_own_app(adele.membership, app)
    undone = own_removals.undo_own_removal(adele.membership, done)
    assert undone.follows_id == done.pk
    after = grants_in(entra, app, adele)
    assert {key: set(grant["scope"].split()) for key, grant in after.items()} == {
        key: set(grant["scope"].split()) for key, grant in before.items()
    }
    assert selectors.my_app(adele.tenant, adele.object_id, app.pk).removable


def test_undo_of_a_narrowed_grant_widens_it_again(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    (before,) = grants_in(entra, app, adele).values()
    done = own_removals.remove_own_permission(adele.membership, app, before["resourceId"], "Mail.Send")
    own_removals.undo_own_removal(adele.membership, done)
    (after,) = grants_in(entra, app, adele).values()
    assert set(after["scope"].split()) == set(before["scope"].split())


def test_undo_ends_after_ten_minutes(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    done = own_removals.remove_own_app(adele.membership, app)
    RevocationRequest.objects.filter(pk=done.pk).update(created_at=timezone.now() - timedelta(minutes=11))
    done.refresh_from_db()
    with pytest.raises(Refused, match="10 minutes"):
        own_removals.undo_own_removal(adele.membership, done)
    assert not grants_in(entra, app, adele)


def test_only_the_person_undoes_their_removal(adele, megan, app_called):
    done = own_removals.remove_own_app(adele.membership, app_called("Mail Sidekick"))
    with pytest.raises(Absent):
        own_removals.undo_own_removal(megan.membership, done)


def test_clicking_twice_removes_once(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    first = own_removals.remove_own_app(adele.membership, app)
    assert own_removals.remove_own_app(adele.membership, app) == first
    assert len([one for one in writes(entra) if one["method"] == "DELETE"]) == 1


def test_the_cost_does_not_depend_on_how_many_apps_one_has(entra, adele, nestor, app_called):
    app, asked = app_called("Northwind Expenses"), []
    assert client_of(adele.tenant).user(adele.object_id)  # with a token, which the portal asks for once
    for person in (adele, nestor):
        before = len(entra.requests())
        own_removals.remove_own_app(person.membership, app)
        asked.append([one["path"].partition("/oauth2Perm")[0] for one in entra.requests()[before:]])
    held = [len(selectors.my_apps(person.tenant, person.object_id)) for person in (adele, nestor)]
    assert held[0] > held[1]
    assert len(asked[0]) == len(asked[1]) <= 7


def test_somebody_from_another_tenant_has_no_apps_here(entra, copied, robin, app_called):
    robin.membership.tenant = copied  # let in by Contoso's admin, with an object id of Fabrikam's only
    with pytest.raises(Absent):
        own_removals.remove_own_app(robin.membership, app_called("Mail Sidekick"))
    assert entra.requests() == []


def test_removing_again_what_was_undone_is_a_removal_of_its_own(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    first = own_removals.remove_own_app(adele.membership, app)
    own_removals.undo_own_removal(adele.membership, first)
    assert own_removals.remove_own_app(adele.membership, app) != first
    assert not grants_in(entra, app, adele)


def test_a_page_left_open_past_a_removal_elsewhere(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    for grant_id in grants_in(entra, app, adele):
        entra.graph("DELETE", f"oauth2PermissionGrants/{grant_id}")
    with pytest.raises(Absent):
        own_removals.remove_own_app(adele.membership, app)
    assert not PermissionGrant.objects.filter(client=app, principal_id=adele.object_id).exists()


def test_a_deleted_person_is_absent(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    adele.user.object_id = adele.membership.user.object_id = uuid4()
    with pytest.raises(Absent):
        own_removals.remove_own_app(adele.membership, app)


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 403}, {"body": "<html>"}, {"cut": True}])
def test_without_a_fresh_read_nothing_is_begun(entra, adele, app_called, fault):
    app = app_called("Mail Sidekick")
    before = entra.grants()
    entra.faults({"method": "GET", "path": "/users/.*/oauth2PermissionGrants"} | fault)
    with pytest.raises(Unreachable, match="Nothing was changed"):
        own_removals.remove_own_app(adele.membership, app)
    entra.faults()
    assert entra.grants() == before
    assert not RevocationRequest.objects.exists()


def test_lagging_reads_do_not_bring_it_back(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    own_removals.remove_own_app(adele.membership, app)
    entra.lag(seconds=60)
    sync.refresh_person(adele.tenant, adele.object_id)
    assert app not in [one.app for one in selectors.my_apps(adele.tenant, adele.object_id)]
    assert RecentChange.objects.exists()


def test_from_the_command_line(entra, adele, app_called, capsys):
    app = app_called("Mail Sidekick")
    call_command("remove_app", tenant="contoso", app="mail sidekick", user=adele.upn, reason="Phishing", ticket="INC-1")
    assert not grants_in(entra, app, adele)
    assert "Verified" in capsys.readouterr().out
    asked = AuditEntry.objects.filter(event=AuditEvent.REVOCATION_REQUESTED).get()
    assert (asked.actor_id, asked.reason, asked.ticket) == ("command-line", "Phishing", "INC-1")
