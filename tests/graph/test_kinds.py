"""What an app is, and whose a person is: told apart by what Microsoft documents, row by row."""

import pytest

from graph.types import AppKind, ServicePrincipal, User

ID = "bbbbbbbb-0000-4000-8000-000000000001"
BLUEPRINT = "b10e0000-0000-4000-8000-0000000000b1"


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"servicePrincipalType": "Application"}, AppKind.APPLICATION),
        ({"servicePrincipalType": "ManagedIdentity"}, AppKind.MANAGED_IDENTITY),
        ({"servicePrincipalType": "Legacy"}, AppKind.LEGACY),
        ({"servicePrincipalType": "ServiceIdentity"}, AppKind.AGENT),
        ({"@odata.type": "#microsoft.graph.agentIdentity", "servicePrincipalType": "ServiceIdentity"}, AppKind.AGENT),
        # A blueprint's principal says Application: only its type tells.
        (
            {"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal", "servicePrincipalType": "Application"},
            AppKind.BLUEPRINT,
        ),
        ({"@odata.type": "#microsoft.graph.servicePrincipal", "servicePrincipalType": "SocialIdp"}, "SocialIdp"),
    ],
)
def test_kinds_of_apps(row, kind):
    assert ServicePrincipal.read({"id": ID, "appId": ID, **row}).kind == kind


def test_an_agents_blueprint_is_read_from_the_whole_object():
    agent = {"id": ID, "servicePrincipalType": "ServiceIdentity", "agentIdentityBlueprintId": BLUEPRINT}

    assert str(ServicePrincipal.read(agent).blueprint_app_id) == BLUEPRINT


def test_disabled_by_its_publisher_is_not_disabled_here():
    app = ServicePrincipal.read({"id": ID, "appId": ID, "accountEnabled": True, "isDisabled": True})

    assert (app.account_enabled, app.is_disabled) == (True, True)


@pytest.mark.parametrize(
    ("row", "external", "guest"),
    [
        ({"userPrincipalName": "adele@contoso.example", "userType": "Member"}, False, False),
        ({"userPrincipalName": "lynne_fabrikam.example#EXT#@contoso.example", "userType": "Guest"}, True, True),
        # A member of another organisation, as multitenant organisations have them.
        ({"userPrincipalName": "lynne_fabrikam.example#EXT#@contoso.example", "userType": "Member"}, True, False),
        (
            {"userPrincipalName": "x@contoso.example", "userType": "Member", "externalUserState": "Accepted"},
            True,
            False,
        ),
        # A guest with an account of this tenant's own: a call here does sign them out.
        ({"userPrincipalName": "temp@contoso.example", "userType": "Guest", "externalUserState": None}, False, True),
    ],
)
def test_being_external_and_being_a_guest_are_two_things(row, external, guest):
    """https://learn.microsoft.com/entra/external-id/user-properties"""
    person = User.read({"id": ID, **row})

    assert (person.is_external, person.is_guest) == (external, guest)


@pytest.mark.parametrize(
    "row", [{"@odata.type": "#microsoft.graph.agentUser"}, {"identityParentId": "5a1e0c11-0000-4000-8000-0000000000a1"}]
)
def test_an_agents_account_is_no_person(row):
    assert User.read({"id": ID, **row}).is_agent
    assert not User.read({"id": ID, "identityParentId": None}).is_agent
