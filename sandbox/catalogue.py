"""The applications of the pretend world: the portal, Microsoft's own, and a dozen from harmless to alarming."""

from __future__ import annotations

from sandbox.clouds import CLOUDS
from sandbox.objects import (
    AZURE_APP_ID,
    GRAPH_APP_ID,
    MICROSOFT_TENANT,
    Application,
    AppRole,
    RequiredAccess,
    Scope,
    make_id,
)
from sandbox.permissions import GRAPH_ROLES, GRAPH_SCOPES

CONTOSO = "11111111-1111-4111-8111-111111111111"
FABRIKAM = "22222222-2222-4222-8222-222222222222"
TAILSPIN = "33333333-3333-4333-8333-333333333333"
WOODGROVE = "44444444-4444-4444-8444-444444444444"
CONTOSO_CUSTOMERS = "55555555-5555-4555-8555-555555555555"

PORTAL_APP_ID = "c0c0c0c0-0000-4000-8000-000000000001"
PORTAL_SECRET = "sandbox-portal-secret"
PORTAL_ROLES = {
    "Portal.Helpdesk": "Help desk",
    "Portal.TenantAdmin": "Tenant administrator",
    "Portal.Auditor": "Auditor",
}
AGENT_PERMISSIONS = [
    "AgentIdentity.DeleteRestore.All",
    "AgentIdentity.EnableDisable.All",
    "AgentIdentity.Read.All",
    "AgentIdentityBlueprintPrincipal.DeleteRestore.All",
    "AgentIdentityBlueprintPrincipal.EnableDisable.All",
]
PORTAL_PERMISSIONS = [
    *AGENT_PERMISSIONS,
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "AuditLog.Read.All",
    "ConsentRequest.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "Policy.Read.All",
    "RoleManagement.Read.Directory",
    "User.Read.All",
    "User.RevokeSessions.All",
]
PORTAL_PAGES = ["/accounts/entra/login/callback/", "/onboarding/callback/", "/accounts/signed-out/"]

EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
SHAREPOINT_APP_ID = "00000003-0000-0ff1-ce00-000000000000"
COMMAND_LINE_APP_ID = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
AZURE_CLI_APP_ID = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def app_id(name: str) -> str:
    return make_id("application", name)


def _portal() -> Application:
    roles = [
        AppRole(make_id("Consentry", value), value, name, f"{name} in the portal", ("User",))
        for value, name in PORTAL_ROLES.items()
    ]
    return Application(
        app_id=PORTAL_APP_ID,
        display_name="Consentry",
        home_tenant_id=CONTOSO,
        secrets=[PORTAL_SECRET],
        redirect_uris=[f"http://{host}{page}" for host in ("localhost", "127.0.0.1") for page in PORTAL_PAGES],
        any_loopback_port=True,
        logout_url="http://localhost/accounts/front-channel-logout/",
        required_access=[
            RequiredAccess(
                GRAPH_APP_ID,
                scopes=["openid", "profile", "email", "offline_access", "User.Read"],
                roles=PORTAL_PERMISSIONS,
            )
        ],
        app_roles=roles,
        publisher="Contoso",
        verified=True,
        group_membership_claims="DirectoryRole",
        optional_claims={"idToken": ["acct", "auth_time", "login_hint", "sid"]},
        description="Which apps can act in your name, and how to make them stop.",
    )


def _microsoft() -> list[Application]:
    return [
        Application(
            app_id=GRAPH_APP_ID,
            display_name="Microsoft Graph",
            home_tenant_id=MICROSOFT_TENANT,
            app_roles=GRAPH_ROLES,
            scopes=GRAPH_SCOPES,
            identifier_uris=[
                "https://graph.microsoft.com",
                "https://graph.microsoft.com/",
                "00000003-0000-0000-c000-000000000000/ags.windows.net",
            ],
            publisher="Microsoft Services",
        ),
        Application(
            app_id=EXCHANGE_APP_ID,
            display_name="Office 365 Exchange Online",
            home_tenant_id=MICROSOFT_TENANT,
            app_roles=[
                AppRole(
                    "dc890d15-9560-4a4c-9b7f-a736ec74ec40",
                    "full_access_as_app",
                    "Use Exchange Web Services with full access to all mailboxes",
                )
            ],
            scopes=[
                Scope(
                    "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5",
                    "EWS.AccessAsUser.All",
                    name="Access mailboxes as the signed-in user via Exchange Web Services",
                    description="Lets the app open every mailbox that the signed-in person can.",
                    user_name="Access your mailboxes",
                    user_description="Lets the app open every mailbox that you can.",
                )
            ],
            identifier_uris=["https://outlook.office365.com", "https://outlook.office.com"],
            publisher="Microsoft Services",
        ),
        Application(
            app_id=SHAREPOINT_APP_ID,
            display_name="Office 365 SharePoint Online",
            home_tenant_id=MICROSOFT_TENANT,
            identifier_uris=["https://microsoft.sharepoint-df.com"],
            publisher="Microsoft Services",
        ),
        Application(
            app_id="1fec8e78-bce4-4aaf-ab1b-5451cc387264",
            display_name="Microsoft Teams",
            home_tenant_id=MICROSOFT_TENANT,
            public_client=True,
            publisher="Microsoft Services",
        ),
        Application(
            app_id=AZURE_APP_ID,
            display_name="Windows Azure Service Management API",
            home_tenant_id=MICROSOFT_TENANT,
            scopes=[
                Scope(
                    "41094075-9dad-400e-a0bd-54e686782033",
                    "user_impersonation",
                    name="Access Azure Service Management as organization users",
                    description="Lets the app do in Azure what the signed-in person can.",
                    user_name="Access Azure Service Management as you",
                    user_description="Lets the app do in Azure what you can.",
                )
            ],
            identifier_uris=[
                f"https://{host}{slash}"
                for cloud in CLOUDS.values()
                for host in (cloud.azure, cloud.core_azure)
                for slash in ("", "/")
            ],
            publisher="Microsoft Services",
        ),
        Application(
            app_id=AZURE_CLI_APP_ID,
            display_name="Microsoft Azure CLI",
            home_tenant_id=MICROSOFT_TENANT,
            public_client=True,
            redirect_uris=["http://localhost", "https://login.microsoftonline.com/common/oauth2/nativeclient"],
            any_loopback_port=True,
            preauthorized={
                AZURE_APP_ID: ["user_impersonation"],
                GRAPH_APP_ID: [
                    "openid",
                    "profile",
                    "email",
                    "offline_access",
                    "AuditLog.Read.All",
                    "Directory.AccessAsUser.All",
                    "Group.ReadWrite.All",
                    "User.ReadWrite.All",
                ],
            },
            publisher="Microsoft Services",
        ),
        Application(
            app_id=COMMAND_LINE_APP_ID,
            display_name="Microsoft Graph Command Line Tools",
            home_tenant_id=MICROSOFT_TENANT,
            public_client=True,
            redirect_uris=["http://localhost", "https://login.microsoftonline.com/common/oauth2/nativeclient"],
            any_loopback_port=True,
            required_access=[RequiredAccess(GRAPH_APP_ID, ["openid", "profile", "offline_access", "User.Read"])],
            publisher="Microsoft Services",
        ),
    ]


def _app(
    name: str,
    slug: str,
    site: str,
    publisher: str | None,
    *,
    scopes: str = "",
    roles: str = "",
    verified: bool = False,
    home: str | None = None,
    reply_url: str | None = None,
    description: str | None = None,
) -> Application:
    """An app somebody sells. With scopes it signs people in, on this machine; its site is what the tenant is shown."""
    return Application(
        app_id=app_id(name),
        display_name=name,
        home_tenant_id=home or make_id("tenant", publisher or name),
        secrets=[f"sandbox-{slug}-secret"],
        redirect_uris=[f"http://{host}/apps/{slug}/callback" for host in ("localhost", "127.0.0.1")],
        any_loopback_port=True,
        reply_urls=[reply_url or f"https://{site}/signin-oidc"],
        required_access=[RequiredAccess(GRAPH_APP_ID, scopes.split(), roles.split())],
        publisher=publisher,
        verified=verified,
        identifier_uris=[f"api://{app_id(name)}"],
        homepage=f"https://{site}",
        description=description,
        slug=slug if scopes else "",
    )


def _others() -> list[Application]:
    return [
        _app(
            "Mail Sidekick",
            "mail-sidekick",
            "mailsidekick-app.top",
            None,
            scopes="openid profile offline_access User.Read Mail.ReadWrite Mail.Send Contacts.Read",
            description="Your inbox, answered while you sleep.",
        ),
        _app(
            "Trey Research Scheduler",
            "trey-scheduler",
            "scheduler.treyresearch.example",
            "Trey Research",
            scopes="openid profile offline_access User.Read Calendars.ReadWrite",
            verified=True,
            description="Finds a time that suits everybody.",
        ),
        _app(
            "Northwind Expenses",
            "northwind-expenses",
            "expenses.northwindtraders.example",
            "Northwind Traders",
            scopes="openid profile email User.Read",
            verified=True,
            description="Receipts in, money out.",
        ),
        _app(
            "Contoso Travel",
            "contoso-travel",
            "travel.contoso.example",
            "Contoso",
            scopes="openid profile User.Read User.ReadBasic.All Calendars.Read",
            verified=True,
            home=CONTOSO,
            description="Book trips, for everybody at Contoso.",
        ),
        _app(
            "Wingtip Notes",
            "wingtip-notes",
            "notes.wingtiptoys.example",
            "Wingtip Toys",
            scopes="openid profile offline_access User.Read Notes.ReadWrite",
            verified=True,
            description="Notes that follow you.",
        ),
        _app(
            "Micros0ft Office Viewer",
            "office-viewer",
            "office-viewer-login.site",
            None,
            scopes="openid profile offline_access User.Read Files.ReadWrite.All Mail.Read",
            reply_url="http://localhost:4000/callback",
        ),
        _app(
            "Proseware Backup",
            "proseware-backup",
            "backup.proseware.example",
            "Proseware",
            roles="User.Read.All Mail.Read Files.Read.All Sites.Read.All",
            verified=True,
            description="Copies mailboxes and sites every night.",
        ),
        _app(
            "Litware Timesheets",
            "litware-timesheets",
            "time.litware.example",
            "Litware",
            scopes="openid profile offline_access User.Read Calendars.Read",
        ),
        _app(
            "Relecloud Forms",
            "relecloud-forms",
            "forms.relecloud.example",
            "Relecloud",
            scopes="openid profile offline_access User.Read Files.ReadWrite",
        ),
        _app(
            "Fourth Coffee Loyalty",
            "fourth-coffee",
            "loyalty.fourthcoffee.example",
            "Fourth Coffee",
            scopes="openid profile email User.Read Contacts.Read",
        ),
        _app(
            "Adatum Sign-in Monitor",
            "adatum-monitor",
            "monitor.adatum.example",
            "A. Datum",
            roles="AuditLog.Read.All Directory.Read.All",
            verified=True,
        ),
        _app(
            "Tailwind Helpdesk Bot",
            "tailwind-bot",
            "bot.tailwindtraders.example",
            "Tailwind Traders",
            scopes="openid profile offline_access User.Read Chat.ReadWrite Presence.Read",
            verified=True,
        ),
    ]


def applications() -> list[Application]:
    """Every registration, fresh."""
    return [_portal(), *_microsoft(), *_others()]
