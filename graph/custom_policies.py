"""The Identity Experience Framework policies of an Azure AD B2C tenant. Microsoft Graph has them in beta only.

https://learn.microsoft.com/graph/api/trustframework-list-trustframeworkpolicies
https://learn.microsoft.com/graph/api/trustframeworkpolicy-get
"""

from uuid import UUID

from graph.requesting import Requester, segment


def read_all(tenant_id: UUID | str) -> dict[str, bytes]:
    """Every policy as XML, by its id.

    Raises:
        GraphError: they could not be read, one of them or all.
    """
    ask = Requester(tenant_id, "high")
    found = ask.whole("/trustFramework/policies", {}, lambda row: str(row["id"]), page_size=None, beta=True)
    return {one: ask.content(f"/trustFramework/policies/{segment(one)}/$value", beta=True) for one in found}
