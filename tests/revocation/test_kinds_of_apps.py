"""Agents need permissions of their own, managed identities are nobody's to change, and a 403 is told as what it is.

Written from Microsoft's documents, on a scripted wire. https://learn.microsoft.com/graph/api/agentidentity-update
"""

import uuid
from collections.abc import Iterator

import pytest
from django.utils import timezone

from directory.models import ServicePrincipal
from revocation import services
from revocation.actions import delete_app, restore_app, revoke_sessions, set_app_enabled
from revocation.rules import protection
from tests.graph.scripted import Microsoft, Reply, problem
from tests.revocation.copies import in_copy
from tests.revocation.spine import actor

DENIED = problem("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
Kind = ServicePrincipal.Kind


@pytest.fixture
def microsoft(settings) -> Iterator[Microsoft]:
    with Microsoft() as running:
        settings.SANDBOX_URL = running.url
        yield running


@pytest.fixture
def app_of(at_contoso):
    def make(kind: str, **fields) -> ServicePrincipal:
        return ServicePrincipal.objects.create(
            tenant=at_contoso,
            id=uuid.uuid4(),
            app_id=uuid.uuid4(),
            display_name="Minutes Helper",
            kind=kind,
            synced_at=timezone.now(),
            **fields,
        )

    return make


def batch(*items: tuple[int, dict | None]) -> Reply:
    return Reply(body={"responses": [{"id": str(at), "status": s, "body": b} for at, (s, b) in enumerate(items)]})


def asked(microsoft: Microsoft, method: str) -> list[str]:
    """Paths of the batch items of one method, in order."""
    bodies = [one.body for one in microsoft.asked("$batch")]
    return [item["url"] for body in bodies for item in body["requests"] if item["method"] == method]


def carry_out(tenant, by, step, kind="disable_app"):
    return services.submit(tenant=tenant, actor=actor(by), kind=kind, title="x", steps=[step]).steps.get()


@pytest.mark.parametrize("kind", [Kind.AGENT, Kind.BLUEPRINT])
@pytest.mark.parametrize(
    ("ask", "method", "what"),
    [(set_app_enabled.disable, "PATCH", "EnableDisable"), (delete_app.step, "DELETE", "DeleteRestore")],
    ids=["disable", "delete"],
)
def test_an_agent_is_changed_under_its_own_type_and_a_refusal_names_its_own_permission(
    microsoft, at_contoso, megan, app_of, ask, method, what, kind
):
    at_contoso.permissions_checked_at = None  # what is known to be missing is not asked for at all
    at_contoso.save()
    agent = app_of(kind)
    if method == "PATCH":
        microsoft.answers(batch((200, {"id": str(agent.pk), "accountEnabled": True})))
    microsoft.answers(batch((403, DENIED)))

    step = carry_out(at_contoso, megan, ask(agent))

    assert asked(microsoft, method) == [f"/servicePrincipals/microsoft.graph.{kind}/{agent.pk}"]
    assert step.state == "failed"
    permission = f"{kind[0].upper()}{kind[1:]}.{what}.All"
    assert f"does not have the permission {permission}" in step.outcome


def test_a_permission_that_spoils_those_for_agents_is_named(microsoft, at_contoso, megan, app_of):
    """https://learn.microsoft.com/graph/api/agentidentity-delete"""
    at_contoso.granted_permissions = ["AgentIdentity.DeleteRestore.All", "Directory.ReadWrite.All"]
    at_contoso.save()
    microsoft.answers(batch((403, DENIED)))

    step = carry_out(at_contoso, megan, delete_app.step(app_of(Kind.AGENT)))

    assert "ignores permissions for agents where the portal also has Directory.ReadWrite.All" in step.outcome


def test_everything_else_is_changed_as_an_app(microsoft, at_contoso, megan, app_of):
    app = app_of(Kind.APP)
    microsoft.answers(batch((403, DENIED)))

    carry_out(at_contoso, megan, delete_app.step(app))

    assert asked(microsoft, "DELETE") == [f"/servicePrincipals/{app.pk}"]


def test_restoring_an_agent_needs_its_own_permission(microsoft, at_contoso, megan, app_of):
    at_contoso.permissions_checked_at = None
    at_contoso.save()
    microsoft.answers(batch((404, problem("Request_ResourceNotFound"))), batch((403, DENIED)))

    step = carry_out(at_contoso, megan, restore_app.step(app_of(Kind.AGENT)), kind="restore_app")

    assert "AgentIdentity.DeleteRestore.All" in step.outcome


def test_a_403_for_one_person_is_not_told_as_a_missing_permission(microsoft, at_contoso, megan):
    """https://learn.microsoft.com/entra/identity/role-based-access-control/admin-units-restricted-management"""
    at_contoso.granted_permissions = ["User.RevokeSessions.All"]
    at_contoso.save()
    person = in_copy(at_contoso, "Adele Vance")
    microsoft.answers(batch((200, {"id": str(person.pk)})), batch((403, DENIED)))

    step = carry_out(at_contoso, megan, revoke_sessions.step(person), kind="sign_out")

    assert "restricted administrative unit" in step.outcome
    assert "does not have the permission" not in step.outcome


def test_nobody_may_change_a_managed_identity(at_contoso, app_of):
    """https://learn.microsoft.com/entra/identity/enterprise-apps/restore-application"""
    assert "Azure" in protection.app_refusal(at_contoso, app_of(Kind.MANAGED_IDENTITY))
    assert protection.app_refusal(at_contoso, app_of(Kind.AGENT)) is None


def test_an_external_member_is_not_proved_signed_out(microsoft, at_contoso, megan):
    """The call does nothing for external users, members or guests: whatever the valid-from time says."""
    person = in_copy(at_contoso, "Lynne Robbins", upn="lynne_fabrikam.example#EXT#@contoso.example")
    moved = (timezone.now()).isoformat()
    shown = {
        "id": str(person.pk),
        "userType": "Member",
        "externalUserState": "Accepted",
        "signInSessionsValidFromDateTime": moved,
    }
    microsoft.answers(batch((200, {"id": str(person.pk)})), batch((200, {"value": True})), batch((200, shown)))

    step = carry_out(at_contoso, megan, revoke_sessions.step(person), kind="sign_out")

    assert (step.state, step.outcome_code) == ("no_effect", "external")


def test_an_internal_guest_is_signed_out_like_anybody(microsoft, at_contoso, megan, henrietta):
    person = in_copy(at_contoso, "Temp Worker", is_guest=True)

    assert protection.refusal(at_contoso, person, actor(henrietta)) is None
