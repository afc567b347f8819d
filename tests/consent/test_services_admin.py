"""An administrator decides about the tenant's apps, against the sandbox."""

import pytest
from django.core.management import CommandError, call_command

from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit import personal
from audit.models import AuditEntry, AuditEvent
from consent import services
from consent.apps_now import Absent
from directory import selectors, sync
from directory.models import AppRoleAssignment, PermissionGrant, ServicePrincipal
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules.refusals import NothingToRevoke, Protected, Refused, WrongConfirmation
from revocation.spine import executor

Verified = RevocationStep.State.VERIFIED


@pytest.fixture
def actor(megan) -> Actor:
    return Actor.of(megan.membership)


def grants_in(entra, app) -> dict[str, tuple]:
    return {
        grant_id: (grant["principalId"], grant["resourceId"], frozenset(grant["scope"].split()))
        for grant_id, grant in entra.grants().items()
        if grant["clientId"] == str(app.pk)
    }


def assigned_in(entra, app) -> set[tuple]:
    found = entra.all(f"servicePrincipals/{app.pk}/appRoleAssignedTo")
    return {(one["principalId"], one["appRoleId"]) for one in found}


def verified(request: RevocationRequest) -> bool:
    """Whether all of it was proved, however many rounds that takes."""
    for _round in range(20):
        request.refresh_from_db()
        if not request.is_open:
            break
        executor.run_request(request, seconds=2)
    return {step.state for step in request.steps.all()} == {Verified}


def changes(entra) -> list[str]:
    return [one["method"] for one in entra.requests() if one["method"] in ("PATCH", "DELETE")]


def test_one_persons_consent_is_revoked_and_others_stay(entra, copied, actor, adele, app_called):
    app = app_called("Mail Sidekick")
    before = grants_in(entra, app)
    done = services.revoke_user_consent(copied, app, adele.object_id, actor=actor, reason="Phishing", ticket="INC-7")
    assert verified(done)
    left = grants_in(entra, app)
    assert left == {key: value for key, value in before.items() if value[0] != str(adele.object_id)}
    assert selectors.user_consent(app, adele.object_id) is None
    (asked,) = personal.reveal(copied.pk, list(AuditEntry.objects.filter(event=AuditEvent.REVOCATION_REQUESTED)))
    assert (asked.reason, asked.ticket, asked.actor_label) == ("Phishing", "INC-7", "Megan Bowen")


def test_a_person_who_never_consented(entra, copied, actor, nestor, app_called):
    with pytest.raises(NothingToRevoke):
        services.revoke_user_consent(copied, app_called("Mail Sidekick"), nestor.object_id, actor=actor)
    assert changes(entra) == []


def test_the_organisations_consent_is_revoked(entra, copied, actor, app_called):
    app = app_called("Contoso Travel")
    assert app.has_admin_consent
    assert verified(services.revoke_tenant_consent(copied, app, actor=actor))
    assert not [one for one in grants_in(entra, app).values() if one[0] is None]
    app.refresh_from_db()
    assert not app.has_admin_consent
    with pytest.raises(NothingToRevoke):
        services.revoke_tenant_consent(copied, app, actor=actor)


def test_disabling_and_enabling(entra, copied, actor, app_called):
    app = app_called("Mail Sidekick")
    assert verified(services.disable_app(copied, app, actor=actor, reason="Phishing"))
    assert entra.get(f"servicePrincipals/{app.pk}")["accountEnabled"] is False
    app.refresh_from_db()
    assert not app.account_enabled
    with pytest.raises(Refused, match="disabled already"):
        services.disable_app(copied, app, actor=actor)
    assert verified(services.enable_app(copied, app, actor=actor))
    assert entra.get(f"servicePrincipals/{app.pk}")["accountEnabled"] is True
    app.refresh_from_db()
    assert app.account_enabled


def test_a_copy_that_was_wrong_about_enabled_is_put_right(entra, copied, actor, app_called):
    app = app_called("Mail Sidekick")
    entra.graph("PATCH", f"servicePrincipals/{app.pk}", json={"accountEnabled": False})
    with pytest.raises(Refused):
        services.disable_app(copied, app, actor=actor)
    app.refresh_from_db()
    assert not app.account_enabled


@pytest.mark.parametrize("typed", ["", "Mail", "Wingtip Notes", "Mail Sidekick 2"])
def test_deleting_asks_for_the_name(entra, copied, actor, app_called, typed):
    with pytest.raises(WrongConfirmation):
        services.delete_app(copied, app_called("Mail Sidekick"), typed, actor=actor)
    assert changes(entra) == []
    assert not RevocationRequest.objects.exists()


def test_the_name_is_compared_with_what_the_app_is_called_now(entra, copied, actor, app_called):
    app = app_called("Mail Sidekick")
    entra.graph("PATCH", f"servicePrincipals/{app.pk}", json={"displayName": "Payroll"})
    with pytest.raises(WrongConfirmation, match="Payroll"):
        services.delete_app(copied, app, "Mail Sidekick", actor=actor)


def test_deleting_keeps_everything_as_a_before_image(entra, copied, actor, app_called):
    app = app_called("Northwind Expenses")
    grants, assigned = grants_in(entra, app), assigned_in(entra, app)
    done = services.delete_app(copied, app, " northwind  expenses", actor=actor, reason="Unused")
    assert verified(done)
    assert entra.graph("GET", f"servicePrincipals/{app.pk}").status_code == 404
    step = done.steps.get()
    assert {
        (one["principal_id"], one["resource_id"], frozenset(one["scopes"])) for one in step.before["grants"]
    } == set(grants.values())
    assert assigned <= {(one["principal_id"], one["app_role_id"]) for one in step.before["assignments"]}
    assert app in selectors.deleted_apps(copied).items
    assert not PermissionGrant.objects.filter(client=app).exists()


def test_restoring_brings_back_what_was_there_and_nothing_twice(entra, copied, actor, app_called):
    app = app_called("Northwind Expenses")
    grants, assigned = grants_in(entra, app), assigned_in(entra, app)
    assert verified(services.delete_app(copied, app, app.display_name, actor=actor))
    app.refresh_from_db()
    assert verified(services.restore_app(copied, app, actor=actor))
    assert grants_in(entra, app) == grants
    assert assigned_in(entra, app) == assigned
    app.refresh_from_db()
    assert app.deleted_at is None
    assert app.user_consent_count == len({one[0] for one in grants.values() if one[0]})


def test_the_second_click_gets_the_request_of_the_first(entra, copied, actor, app_called):
    app = app_called("Northwind Expenses")
    first = services.delete_app(copied, app, app.display_name, actor=actor)
    assert services.delete_app(copied, app, app.display_name, actor=actor) == first
    app.refresh_from_db()
    first = services.restore_app(copied, app, actor=actor)
    assert services.restore_app(copied, app, actor=actor) == first
    assert changes(entra) == ["DELETE"]


def test_a_restore_puts_back_what_microsoft_lost(entra, copied, actor, app_called):
    app = app_called("Northwind Expenses")
    before = grants_in(entra, app)
    assert verified(services.delete_app(copied, app, app.display_name, actor=actor))
    app.refresh_from_db()
    # Somebody restores it elsewhere, takes a grant away, and deletes it again: the directory's own image has changed.
    entra.graph("POST", f"directory/deletedItems/{app.pk}/restore")
    lost = min(before)
    entra.graph("DELETE", f"oauth2PermissionGrants/{lost}")
    entra.graph("DELETE", f"servicePrincipals/{app.pk}")
    assert verified(services.restore_app(copied, app, actor=actor))
    assert grants_in(entra, app) == before


def test_restoring_an_app_that_was_restored_meanwhile(entra, copied, actor, app_called):
    app = app_called("Northwind Expenses")
    services.delete_app(copied, app, app.display_name, actor=actor)
    entra.graph("POST", f"directory/deletedItems/{app.pk}/restore")
    sync.recent.RecentChange.objects.all().delete()
    with pytest.raises(Absent):
        services.restore_app(copied, app, actor=actor)
    app.refresh_from_db()
    assert app.deleted_at is None


def test_an_app_deleted_elsewhere_comes_back_as_microsoft_kept_it(entra, copied, actor):
    gone = ServicePrincipal.objects.filter(tenant=copied, deleted_at__isnull=False).first()
    assert verified(services.restore_app(copied, gone, actor=actor))
    assert entra.graph("GET", f"servicePrincipals/{gone.pk}").status_code == 200


def test_deleting_for_good(entra, copied, actor):
    gone = ServicePrincipal.objects.filter(tenant=copied, deleted_at__isnull=False).first()
    with pytest.raises(WrongConfirmation):
        services.purge_app(copied, gone, "something else", actor=actor)
    assert verified(services.purge_app(copied, gone, gone.display_name, actor=actor))
    assert entra.graph("GET", f"directory/deletedItems/{gone.pk}").status_code == 404
    assert not ServicePrincipal.objects.filter(pk=gone.pk).exists()


@pytest.mark.parametrize("name", ["Microsoft Graph", "Consentry"])
def test_microsofts_apps_and_the_portal_are_protected(entra, copied, actor, app_called, name):
    app = app_called(name)
    for change in (services.disable_app, services.enable_app, services.revoke_tenant_consent):
        with pytest.raises(Protected):
            change(copied, app, actor=actor)
    with pytest.raises(Protected):
        services.delete_app(copied, app, name, actor=actor)
    with pytest.raises(Protected):
        services.revoke_user_consent(copied, app, actor.id, actor=actor)
    assert changes(entra) == []


def test_protection_does_not_trust_the_copy(entra, copied, actor, app_called):
    app = app_called("Microsoft Graph")
    app.owner_tenant_id, app.app_id = None, app.pk
    app.save()
    with pytest.raises(Protected):
        services.disable_app(copied, app, actor=actor)


def test_another_tenants_app_is_absent(entra, copied, actor, fabrikam):
    with tenant_context(fabrikam.pk):
        sync.sync_tenant(fabrikam)
        theirs = selectors.apps(fabrikam, q="Mail Sidekick").items[0]
    for change in (services.disable_app, services.revoke_tenant_consent, services.restore_app):
        with pytest.raises(Absent):
            change(copied, theirs, actor=actor)
    # Nor does saying that it is ours help: our own identity finds it nowhere.
    theirs.tenant = copied
    with pytest.raises(Absent):
        services.disable_app(copied, theirs, actor=actor)
    assert changes(entra) == []


def test_an_app_deleted_meanwhile_is_absent_and_the_copy_learns_it(entra, copied, actor, app_called):
    app = app_called("Wingtip Notes")
    entra.graph("DELETE", f"servicePrincipals/{app.pk}")
    with pytest.raises(Absent):
        services.disable_app(copied, app, actor=actor)
    app.refresh_from_db()
    assert app.deleted_at


def test_assignments_come_back_after_a_restore(entra, copied, actor, app_called):
    names = AppRoleAssignment.objects.exclude(principal_type="ServicePrincipal").values_list("resource", flat=True)
    candidates = ServicePrincipal.objects.filter(pk__in=names, owner_tenant_id__isnull=False)
    app = next(one for one in candidates if not one.is_microsoft and one.display_name != "Consentry")
    before = assigned_in(entra, app)
    assert before
    assert verified(services.delete_app(copied, app, app.display_name, actor=actor))
    app.refresh_from_db()
    assert verified(services.restore_app(copied, app, actor=actor))
    assert assigned_in(entra, app) == before


def test_commands_go_through_the_same_services(entra, copied, app_called, capsys):
    app = app_called("Mail Sidekick")
    about = {"tenant": "contoso", "app": str(app.app_id), "reason": "Phishing"}
    call_command("disable_app", **about)
    call_command("enable_app", **about)
    call_command("revoke_consent", user="adele@contoso.example", **about)
    with pytest.raises(CommandError, match="not the app's name"):
        call_command("delete_app", confirm="Something", **about)
    call_command("delete_app", confirm="Mail Sidekick", **about)
    call_command("restore_app", **about)
    assert entra.graph("GET", f"servicePrincipals/{app.pk}").status_code == 200
    for kind in ("disable_app", "enable_app", "revoke_user_consent", "delete_app", "restore_app"):
        assert RevocationRequest.objects.get(kind=kind).actor_id == "command-line"
    with pytest.raises(CommandError, match="Microsoft's own"):
        call_command("disable_app", **(about | {"app": "Microsoft Graph"}))
    with pytest.raises(CommandError, match="No app"):
        call_command("disable_app", **(about | {"app": "Nothing"}))
