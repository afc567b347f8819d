"""Microsoft's clouds: where sign-in and Graph live in each. Registrations and tokens never cross from one to another.

https://learn.microsoft.com/graph/deployments
https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
"""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Cloud:
    """The roots of one cloud, without a trailing slash: where people sign in, Graph, and where administrators work.

    `other_logins` are other names of its sign-in host.

    Whatever name was asked, issuers are written with the host of `login`.
    """

    login: str
    graph: str
    portal: str
    other_logins: tuple[str, ...] = ()

    @property
    def login_host(self) -> str:
        return self.login.removeprefix("https://")

    @property
    def graph_host(self) -> str:
        return self.graph.removeprefix("https://")

    @property
    def login_hosts(self) -> frozenset[str]:
        return frozenset({self.login_host, *self.other_logins})

    def authority(self, tenant: str) -> str:
        """The authority of a tenant id, or of ANY_ORGANISATION."""
        return f"{self.login}/{tenant}"


CLOUDS = {
    "global": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com", "https://entra.microsoft.com"),
    "us_gov": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us", "https://portal.azure.us"),
    "us_dod": Cloud("https://login.microsoftonline.us", "https://dod-graph.microsoft.us", "https://portal.azure.us"),
    "china": Cloud(
        "https://login.partner.microsoftonline.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://portal.azure.cn",
        ("login.chinacloudapi.cn",),
    ),
}
ANY_ORGANISATION = "organizations"  # in the place of a tenant: sign-in from any work or school account
LOGIN_HOSTS = frozenset().union(*(cloud.login_hosts for cloud in CLOUDS.values()))
HOSTS = LOGIN_HOSTS | {cloud.graph_host for cloud in CLOUDS.values()}


def installed() -> Cloud:
    """The cloud this installation belongs to: a registration lives in one, and so do all tenants that use it."""
    try:
        return CLOUDS[settings.ENTRA_CLOUD]
    except KeyError:
        raise ImproperlyConfigured(f"ENTRA_CLOUD must be one of {', '.join(CLOUDS)}.") from None
