"""What is known to be missing is switched off, on the pages and behind them; what is not known is not."""

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.access import Actor
from accounts.permissions import missing
from accounts.tenancy import tenant_context
from directory.features import READING
from directory.models import Person, ServicePrincipal
from graph.client import GRAPH_APP_ID
from revocation import services
from revocation.actions import create_assignment, revoke_sessions
from revocation.models import RevocationRequest
from revocation.rules import granting
from revocation.rules.refusals import NotGranted
from tests.copied import read_directory

pytestmark = pytest.mark.django_db


def lacks(tenant, *permissions: str):
    tenant.granted_permissions = [one for one in tenant.granted_permissions if one not in permissions]
    tenant.save()


@pytest.fixture
def there(entra, contoso):
    """Contoso as its directory was read, with everything granted."""
    with tenant_context(contoso.pk):
        read_directory(contoso)
        contoso.refresh_from_db()
        yield contoso


@pytest.fixture
def app(there) -> ServicePrincipal:
    return ServicePrincipal.objects.get(tenant=there, display_name="Mail Sidekick")


def writes(entra) -> list[str]:
    return [one["path"] for one in entra.requests() if one["method"] != "GET" and "oauth2/v2.0" not in one["path"]]


def test_a_sign_out_without_its_permission_is_refused_before_anything_is_recorded(entra, there, henrietta):
    lacks(there, "User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All")
    person = Person.objects.get(tenant=there, display_name="Pradeep Gupta")
    entra.reset()

    with pytest.raises(NotGranted, match=r"User\.RevokeSessions\.All"):
        services.sign_out(there, [person], actor=Actor.of(henrietta.membership), reason="lost phone")

    assert not RevocationRequest.objects.exists()
    assert writes(entra) == []


def test_what_is_not_known_is_tried(there):
    there.granted_permissions, there.permissions_checked_at = [], None

    assert granting.refusal_of(there, "revoke_sessions", "delete_app", "delete_grant") == ""
    assert all(missing(there, one.any_of) == "" for one in READING.values())


def test_the_command_says_so_too(there):
    lacks(there, "User.RevokeSessions.All")

    with pytest.raises(CommandError, match=r"User\.RevokeSessions\.All"):
        call_command("sign_out", tenant="contoso", user=["adele@contoso.example"], reason="lost phone")


def test_a_person_of_whom_one_more_powerful_permission_is_enough(there):
    lacks(there, "User.RevokeSessions.All")
    there.granted_permissions += ["User.ReadWrite.All"]

    assert granting.refusal_of(there, "revoke_sessions") == ""
    assert granting.refusal_of(there, "invalidate_tokens")


def test_only_graphs_own_app_roles_need_the_strong_permission(there):
    lacks(there, "AppRoleAssignment.ReadWrite.All")
    image = {"principal_id": "p", "app_role_id": "r", "resource_id": "x"}

    assert granting.refusal(there, [create_assignment.step(image)]) == ""
    why = granting.refusal(there, [create_assignment.step(image, resource_app_id=GRAPH_APP_ID)])
    assert "AppRoleAssignment.ReadWrite.All" in why


def test_agents_need_permissions_of_their_own(there, app):
    lacks(there, "AgentIdentity.EnableDisable.All", "AgentIdentity.ReadWrite.All")
    agent = ServicePrincipal(kind=ServicePrincipal.Kind.AGENT)

    assert granting.refusal_of(there, "disable_app", app=app) == ""
    assert "AgentIdentity.EnableDisable.All" in granting.refusal_of(there, "disable_app", app=agent)


def test_what_follows_a_restore_is_tried_whatever_was_granted(there):
    lacks(there, "AppRoleAssignment.ReadWrite.All")
    gate = granting.Gate(there, first_only=True)
    image = {"principal_id": "p", "app_role_id": "r", "resource_id": "x"}

    gate.admit(revoke_sessions.step(Person.objects.filter(tenant=there).first()))
    gate.admit(create_assignment.step(image, resource_app_id=GRAPH_APP_ID))


# --- The pages ----------------------------------------------------------------------------------------


def disabled(page, word: str) -> bool:
    """Whether the page has a disabled button of that name, and no live one."""
    text = " ".join(page.content.decode().split())
    return f'disabled aria-describedby="switched-off"> {word}' in text


PAGES = [
    ("megan", "Application.ReadWrite.All", lambda app: reverse("consent:app", args=["contoso", app.pk]), "Delete<"),
    (
        "megan",
        "DelegatedPermissionGrant.ReadWrite.All",
        lambda app: reverse("consent:app", args=["contoso", app.pk]),
        "",
    ),
    ("adele", "DelegatedPermissionGrant.ReadWrite.All", lambda app: reverse("consent:my-apps"), "Remove<"),
    ("adele", "DelegatedPermissionGrant.ReadWrite.All", lambda app: reverse("consent:my-app", args=[app.pk]), "Remove"),
    ("adele", "User.RevokeSessions.All", lambda app: reverse("consent:sign-out-everywhere"), "Sign me out"),
    (
        "henrietta",
        "User.RevokeSessions.All",
        lambda app: reverse("revocation:people", args=["contoso"]),
        "Sign out many",
    ),
    ("henrietta", "User.Read.All", lambda app: reverse("revocation:people", args=["contoso"]), ""),
    ("megan", "Application.ReadWrite.All", lambda app: reverse("consent:deleted-apps", args=["contoso"]), ""),
    (
        "henrietta",
        "GroupMember.Read.All",
        lambda app: reverse("revocation:new", args=["contoso"]) + "?source=group",
        "",
    ),
    ("megan", "Application.Read.All", lambda app: reverse("consent:apps", args=["contoso"]), ""),
    (
        "megan",
        "AuditLog.Read.All",
        lambda app: reverse("consent:app", args=["contoso", app.pk]) + "?tab=facts",
        "",
    ),
]


@pytest.mark.parametrize(("who", "permission", "address", "word"), PAGES)
def test_a_page_shows_what_is_switched_off_and_why(
    request, client, sign_in, there, app, who, permission, address, word
):
    instead = [one for feature in READING.values() if permission in feature.any_of for one in feature.any_of]
    sign_in(client, request.getfixturevalue(who))
    ServicePrincipal.objects.filter(pk=app.pk).update(last_used_at=None)
    before = client.get(address(app))
    lacks(there, permission, "Directory.Read.All", "Directory.ReadWrite.All", "User.ReadWrite.All", *instead)

    page = client.get(address(app))

    assert "has not granted the portal" not in before.content.decode()
    assert "has not granted the portal" in page.content.decode()
    if word:
        assert disabled(page, word)
        assert not disabled(before, word)


def test_pressing_a_button_of_a_page_that_was_open_before_changes_nothing(client, sign_in, entra, there, app, megan):
    sign_in(client, megan)
    lacks(there, "Application.ReadWrite.All")
    entra.reset()

    answer = client.post(reverse("consent:disable-app", args=["contoso", app.pk]), {"reason": "test"}, follow=True)

    assert "has not granted the portal Application.ReadWrite.All" in answer.content.decode()
    assert writes(entra) == []
    assert not RevocationRequest.objects.exists()


def test_signing_oneself_out_says_why_it_cannot(client, sign_in, there, adele):
    sign_in(client, adele)
    lacks(there, "User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All")

    answer = client.post(reverse("consent:sign-out-everywhere"), follow=True)

    assert "User.RevokeSessions.All" in answer.content.decode()
    assert not RevocationRequest.objects.exists()
