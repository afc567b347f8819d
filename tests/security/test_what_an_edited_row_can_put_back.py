"""Somebody who can edit rows, but holds no key, must not make the portal grant what nobody granted."""

import pytest

from accounts.access import Actor
from consent import own_removals, services as consent
from revocation import services
from revocation.models import RevocationStep
from revocation.rules.refusals import NotPossible
from tests.revocation.spine import grants_of, remove_grant

WIDER = ["Mail.ReadWrite", "Mail.Send", "Directory.ReadWrite.All"]


def own_grant(entra, app, person) -> dict | None:
    mine = [g for g in entra.grants().values() if (g["clientId"], g["principalId"]) == (str(app), str(person))]
    return mine[0] if mine else None


def removed(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    before = own_grant(entra, app.pk, adele.object_id)
    return app, before, own_removals.remove_own_app(adele.membership, app)


def test_undo_puts_back_no_more_than_was_there_although_the_observation_was_widened(entra, adele, app_called):
    app, before, done = removed(entra, adele, app_called)
    step = done.steps.get()
    step.observed["found"]["scopes"] += WIDER
    RevocationStep.objects.filter(pk=step.pk).update(observed=step.observed)

    services.undo(done, Actor.of(adele.membership))

    assert set(own_grant(entra, app.pk, adele.object_id)["scope"].split()) == set(before["scope"].split())


def test_undo_makes_no_grant_for_everybody_out_of_one_persons(entra, adele, app_called):
    app, _before, done = removed(entra, adele, app_called)
    step = done.steps.get()
    step.observed["found"] |= {"principal_id": None, "consent_type": "AllPrincipals"}
    RevocationStep.objects.filter(pk=step.pk).update(observed=step.observed)
    for_all = [g for g in entra.grants().values() if g["consentType"] == "AllPrincipals"]

    services.undo(done, Actor.of(adele.membership))

    assert [g for g in entra.grants().values() if g["consentType"] == "AllPrincipals"] == for_all
    assert own_grant(entra, app.pk, adele.object_id)


def test_undo_still_puts_back_what_was_really_seen_just_before_the_deletion(entra, adele, app_called):
    app = app_called("Mail Sidekick")
    stale = next(grant for grant in grants_of(adele) if grant.client_id == app.pk)
    wider = " ".join([*stale.scopes, "Calendars.Read"])
    entra.graph("PATCH", f"oauth2PermissionGrants/{stale.id}", json={"scope": wider}).raise_for_status()
    done = remove_grant(adele, stale)

    services.undo(done, Actor.of(adele.membership))

    assert set(own_grant(entra, app.pk, adele.object_id)["scope"].split()) == set(wider.split())


@pytest.mark.parametrize("field", ["before", "params", "target_label"])
def test_a_step_whose_seal_is_broken_is_not_undone(entra, adele, app_called, field):
    app, _before, done = removed(entra, adele, app_called)
    step = done.steps.get()
    forged = {
        "before": {**(step.before or {}), "scopes": WIDER},
        "params": {"person_id": "somebody else"},
        "target_label": "Another app",
    }[field]
    RevocationStep.objects.filter(pk=step.pk).update(**{field: forged, "observed": None})

    with pytest.raises(NotPossible):
        services.undo(done, Actor.of(adele.membership))

    assert own_grant(entra, app.pk, adele.object_id) is None


def test_a_failed_step_whose_target_was_changed_is_not_asked_for_again(entra, adele, megan, copied, app_called):
    app = app_called("Mail Sidekick")
    entra.faults({"path": "servicePrincipals/", "method": "PATCH", "status": 403})
    done = consent.disable_app(copied, app, actor=Actor.of(megan.membership), reason="Suspicious")
    assert done.steps.get().state == "failed"
    entra.faults()
    other = app_called("Northwind Expenses")
    RevocationStep.objects.filter(request=done).update(target_id=str(other.pk))

    with pytest.raises(NotPossible):
        services.retry_failed(done, Actor.of(megan.membership))

    assert entra.get(f"servicePrincipals/{other.pk}")["accountEnabled"] is True


def test_a_restore_grants_nothing_out_of_an_edited_before_image(entra, megan, copied, app_called):
    app = app_called("Mail Sidekick")
    actor = Actor.of(megan.membership)
    done = consent.delete_app(copied, app, app.display_name, actor=actor, reason="Suspicious")
    step = done.steps.get()
    forged = {**step.before["grants"][0], "principal_id": None, "consent_type": "AllPrincipals", "scopes": WIDER}
    step.before["grants"].append(forged)
    RevocationStep.objects.filter(pk=step.pk).update(before=step.before)
    app.refresh_from_db()

    consent.restore_app(copied, app, actor=actor, reason="It was a mistake")

    given = [g for g in entra.grants().values() if g["clientId"] == str(app.pk) and g["consentType"] == "AllPrincipals"]
    assert given == []
