"""Azure CLI's sign-in: its own client, the resource manager's tokens, and what it looks for there."""

import pytest

from sandbox.catalogue import AZURE_CLI_APP_ID, CONTOSO, FABRIKAM
from tests.sandbox.client import Client, claims

ARM = "https://management.core.windows.net"


@pytest.fixture
def azure_cli(served, browser):
    return Client(
        served.url,
        browser,
        app_id=AZURE_CLI_APP_ID,
        secret=None,
        redirect_uri="http://localhost:8400",
        scope=f"{ARM}//.default openid profile offline_access",
    )


@pytest.fixture
def ask(served, browser):
    def ask(path, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return browser.http.get(f"{served.url}/{path}?api-version=2022-12-01", headers=headers, timeout=10)

    return ask


def test_microsofts_own_client_asks_nobody_for_consent(azure_cli, contoso_directory):
    """Known in every tenant and pre-authorised for Azure: no page, no grant, a token."""
    assert contoso_directory.service_principal_for(AZURE_CLI_APP_ID) is None

    body = azure_cli.sign_in("Adele Vance")

    token = claims(body["access_token"])
    assert (token["aud"], token["appid"], token["scp"]) == (f"{ARM}/", AZURE_CLI_APP_ID, "user_impersonation")
    assert f"{ARM}//user_impersonation" in body["scope"].split()
    client = contoso_directory.service_principal_for(AZURE_CLI_APP_ID)
    assert contoso_directory.grants_of_client(client.id) == []


def test_its_refresh_token_serves_graph_as_well(azure_cli):
    body = azure_cli.sign_in("Adele Vance")

    answer = azure_cli.refresh(body, authority=CONTOSO, scope="https://graph.microsoft.com//.default")

    assert "Directory.AccessAsUser.All" in claims(answer.json()["access_token"])["scp"].split()


def test_an_app_gets_a_token_for_the_resource_manager_of_every_tenant(portal):
    """https://learn.microsoft.com/cli/azure/authenticate-azure-cli-service-principal"""
    token = claims(portal.app_only(FABRIKAM, scope=f"{ARM}//.default").json()["access_token"])

    assert (token["aud"], token["tid"]) == (f"{ARM}/", FABRIKAM)
    assert "roles" not in token


def test_a_person_has_a_subscription_and_an_app_or_a_guest_none(azure_cli, portal, ask):
    adele = azure_cli.sign_in("Adele Vance")["access_token"]
    app = portal.app_only(CONTOSO, scope=f"{ARM}//.default").json()["access_token"]
    guest = azure_cli.sign_in("Lynne Robbins", authority=CONTOSO, prompt="select_account")["access_token"]

    (subscription,) = ask("subscriptions", adele).json()["value"]
    assert (subscription["tenantId"], subscription["state"]) == (CONTOSO, "Enabled")
    assert ask("subscriptions", app).json()["value"] == ask("subscriptions", guest).json()["value"] == []


def test_tenants_are_the_persons_own_and_where_they_are_a_guest(azure_cli, ask):
    found = ask("tenants", azure_cli.sign_in("Lynne Robbins")["access_token"]).json()["value"]

    assert [(one["tenantId"], one["tenantCategory"]) for one in found] == [(FABRIKAM, "Home"), (CONTOSO, "Guest")]


def test_nothing_is_told_without_a_token_for_the_resource_manager(portal, ask):
    for_graph = portal.app_only(CONTOSO).json()["access_token"]

    for token in (None, "nonsense", for_graph):
        assert ask("subscriptions", token).status_code == ask("tenants", token).status_code == 401


def test_a_cloud_can_be_registered_by_what_the_resource_manager_says_of_it(served, ask):
    """What `az cloud register --endpoint-resource-manager` reads."""
    found = ask("metadata/endpoints").json()

    assert found["name"] == "AzureCloud"
    assert found["authentication"]["audiences"][0] == f"{ARM}/"
    assert found["authentication"]["loginEndpoint"] == found["resourceManager"] == f"{served.url}/"
    assert {"graphAudience", "microsoftGraphResourceId", "portal", "gallery"} <= set(found)
    assert {"storage", "keyVaultDns", "sqlServerHostname", "acrLoginServer"} <= set(found["suffixes"])
