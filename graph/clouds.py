"""Microsoft's clouds: where sign-in and Graph live in each. Registrations and tokens never cross from one to another.

https://learn.microsoft.com/graph/deployments
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cloud:
    """The two roots of one cloud, without a trailing slash."""

    login: str
    graph: str

    @property
    def login_host(self) -> str:
        return self.login.removeprefix("https://")

    @property
    def graph_host(self) -> str:
        return self.graph.removeprefix("https://")

    def authority(self, tenant: str) -> str:
        """The authority of a tenant id, or of `organizations` for sign-in from any work account."""
        return f"{self.login}/{tenant}"


CLOUDS = {
    "global": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "us_gov": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "us_dod": Cloud("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    "china": Cloud("https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
}
LOGIN_HOSTS = frozenset(cloud.login_host for cloud in CLOUDS.values())
HOSTS = LOGIN_HOSTS | {cloud.graph_host for cloud in CLOUDS.values()}
