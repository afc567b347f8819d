"""Apps with the assignments that hang on them, as they come along in a list of apps.

https://learn.microsoft.com/graph/query-parameters#expand-parameter
"""

from dataclasses import dataclass

from graph.types import AppRoleAssignment, ServicePrincipal


@dataclass(frozen=True)
class AppWithTies:
    """An app with the assignments on it that came along in a list.

    Attributes:
        whole: whether those are all: the directory cuts an expansion at 20, without a word.
    """

    app: ServicePrincipal
    ties: tuple[AppRoleAssignment, ...]
    whole: bool

    TO = {"$select": ServicePrincipal.SELECT, "$expand": "appRoleAssignedTo"}
    OF = {"$select": ServicePrincipal.SELECT, "$expand": "appRoleAssignments"}
    MOST = 20

    @classmethod
    def read(cls, data: dict) -> "AppWithTies":
        listed = data["appRoleAssignedTo"] if "appRoleAssignedTo" in data else data["appRoleAssignments"]
        ties = tuple(AppRoleAssignment.read(one) for one in listed)
        cut = len(ties) >= cls.MOST or any(name.endswith("@odata.nextLink") for name in data)
        return cls(ServicePrincipal.read(data), ties, not cut)
