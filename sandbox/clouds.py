"""Microsoft's clouds: the hosts of each. A sandbox plays one; registrations and tokens never cross to another.

https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cloud:
    """Host names, without a scheme.

    Attributes:
        login: the one that issuers name. aliases: others that answer as it does.
        sts: what issuers of the first version name.
        azure: the resource manager; core_azure: the audience of its tokens.
        azure_name, portal, suffix: what Azure CLI calls the cloud, and where its other services are.
    """

    login: str
    graph: str
    old_graph: str
    azure: str
    core_azure: str
    azure_name: str
    portal: str
    suffix: str
    aliases: tuple[str, ...] = ()
    sts: str = "sts.windows.net"

    @property
    def login_hosts(self) -> tuple[str, ...]:
        return (self.login, *self.aliases)

    @property
    def hosts(self) -> tuple[str, ...]:
        return (*self.login_hosts, self.graph, self.azure, self.core_azure)

    @property
    def graph_audience(self) -> str:
        return f"https://{self.graph}"

    @property
    def azure_audience(self) -> str:
        return f"https://{self.core_azure}/"


US = {
    "login": "login.microsoftonline.us",
    "old_graph": "graph.microsoftazure.us",
    "azure": "management.usgovcloudapi.net",
    "core_azure": "management.core.usgovcloudapi.net",
    "azure_name": "AzureUSGovernment",
    "portal": "portal.azure.us",
    "suffix": "usgovcloudapi.net",
    "aliases": ("login.usgovcloudapi.net",),
}
CLOUDS = {
    "global": Cloud(
        login="login.microsoftonline.com",
        graph="graph.microsoft.com",
        old_graph="graph.windows.net",
        azure="management.azure.com",
        core_azure="management.core.windows.net",
        azure_name="AzureCloud",
        portal="portal.azure.com",
        suffix="windows.net",
        aliases=("login.windows.net", "login.microsoft.com", "sts.windows.net"),
    ),
    "us_gov": Cloud(graph="graph.microsoft.us", **US),
    "us_dod": Cloud(graph="dod-graph.microsoft.us", **US),
    "china": Cloud(
        login="login.partner.microsoftonline.cn",
        graph="microsoftgraph.chinacloudapi.cn",
        old_graph="graph.chinacloudapi.cn",
        azure="management.chinacloudapi.cn",
        core_azure="management.core.chinacloudapi.cn",
        azure_name="AzureChinaCloud",
        portal="portal.azure.cn",
        suffix="chinacloudapi.cn",
        aliases=("login.chinacloudapi.cn",),
        sts="sts.chinacloudapi.cn",
    ),
}
LOGIN_HOSTS = frozenset(host for cloud in CLOUDS.values() for host in cloud.login_hosts)
GRAPHS = frozenset(f"https://{host}" for cloud in CLOUDS.values() for host in (cloud.graph, cloud.old_graph))
# The sign-in host beside an API's: who speaks to the API by name finds sign-in there.
LOGIN_BESIDE = {host: cloud.login for cloud in CLOUDS.values() for host in (cloud.graph, cloud.azure, cloud.core_azure)}
