"""Addresses of Microsoft's own pages, for what only they can do, in the cloud this installation belongs to.

https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud#app-registration-endpoints
"""

from uuid import UUID

from django.conf import settings

from graph.clouds import installed

_PERSON = "#view/Microsoft_AAD_UsersAndTenants/UserProfileMenuBlade/~"
_APP = "#view/Microsoft_AAD_IAM/ManagedAppMenuBlade/~"
_CONSENT_REQUESTS = "#view/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AccessRequests"
_MY_SIGN_INS, _MY_SIGN_INS_US = "https://mysignins.microsoft.com", "https://mysignins.azure.us"
_PASSWORD = {  # by cloud
    "global": f"{_MY_SIGN_INS}/security-info/password/change",
    "us_gov": f"{_MY_SIGN_INS_US}/security-info/password/change",
    "us_dod": f"{_MY_SIGN_INS_US}/security-info/password/change",
    "china": "https://myaccount.windowsazure.cn/",
}


def own_password() -> str:
    """Where people change their own password, and open it themselves."""
    return _PASSWORD[settings.ENTRA_CLOUD]


def person(tenant_id: UUID, person_id: UUID | str) -> str:
    """A person's overview, where the password is reset and the account blocked."""
    return _at(tenant_id, f"{_PERSON}/overview/userId/{person_id}")


def sign_in_methods(tenant_id: UUID, person_id: UUID | str) -> str:
    """What a person proves themselves with beside the password."""
    return _at(tenant_id, f"{_PERSON}/UserAuthMethods/userId/{person_id}")


def app(tenant_id: UUID, object_id: UUID | str, app_id: UUID | str) -> str:
    """An enterprise application's overview."""
    return _at(tenant_id, f"{_APP}/Overview/objectId/{object_id}/appId/{app_id}")


def users_and_groups(tenant_id: UUID, object_id: UUID | str, app_id: UUID | str) -> str:
    """Where people and groups get an enterprise application's app roles.

    https://learn.microsoft.com/entra/identity/enterprise-apps/assign-user-or-group-access-portal
    """
    return _at(tenant_id, f"{_APP}/Users/objectId/{object_id}/appId/{app_id}")


def consent_requests(tenant_id: UUID) -> str:
    """Where administrators decide about apps that people asked for."""
    return _at(tenant_id, _CONSENT_REQUESTS)


def _at(tenant_id: UUID, view: str) -> str:
    return f"{installed().portal}/{tenant_id}/{view}"
