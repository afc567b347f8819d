"""Custom policies of an Azure AD B2C tenant, and the key sets they name. Beta only.

https://learn.microsoft.com/graph/api/resources/trustframeworkpolicy
https://learn.microsoft.com/graph/api/resources/trustframeworkkeyset
"""

from __future__ import annotations

from typing import Any

from sandbox.b2c.uploading import refusals
from sandbox.graph_api import access as may
from sandbox.graph_api.errors import Refused, not_found
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.wire import Answer, Ask
from sandbox.tenant import Tenant

XML = {"Content-Type": "application/xml"}
CODE = "AADB2C"


@graph.on("GET", "/trustFramework/policies", beta_only=True)
def list_policies(ask: Ask) -> Answer:
    ask.only()
    return _list(ask, "policies", [{"id": one} for one in _tenant(ask).custom_policies])


@graph.on("GET", "/trustFramework/policies/{}", beta_only=True)
def get_policy(ask: Ask, key: str) -> Answer:
    ask.only()
    return Answer(body={"@odata.context": ask.context("trustFramework/policies/$entity"), "id": _named(ask, key)})


@graph.on("GET", "/trustFramework/policies/{}/$value", beta_only=True)
def read_policy(ask: Ask, key: str) -> Answer:
    """The XML as it was uploaded."""
    return Answer(body=_tenant(ask).custom_policies[_named(ask, key)], headers=dict(XML))


@graph.on("PUT", "/trustFramework/policies/{}/$value", roles=may.POLICY_WRITERS, beta_only=True, raw=True)
def upload_policy(ask: Ask, key: str) -> Answer:
    """Make or replace a policy. It counts from the next journey on, for tokens issued before as well."""
    tenant = _tenant(ask)
    if not ask.headers.get("content-type", "").lower().startswith("application/xml"):
        raise Refused(415, "UnsupportedMediaType", "The Content-Type of a policy is application/xml.")
    content = ask.body if isinstance(ask.body, bytes) else str(ask.body or "").encode()
    if found := refusals(key, content, tenant.custom_policies):
        message = f"Validation failed: {len(found)} validation error(s) found in policy '{key}'. {' '.join(found)}"
        raise Refused(400, CODE, message)
    made = tenant.put_policy(key, content)
    return Answer(201 if made else 200, content, dict(XML))


@graph.on("DELETE", "/trustFramework/policies/{}", roles=may.POLICY_WRITERS, beta_only=True)
def delete_policy(ask: Ask, key: str) -> Answer:
    _tenant(ask).delete_policy(_named(ask, key))
    return Answer(204)


@graph.on("GET", "/trustFramework/keySets", roles=may.KEY_SET_READERS, beta_only=True)
def list_key_sets(ask: Ask) -> Answer:
    ask.only()
    return _list(ask, "keySets", [_key_set(name, secret) for name, secret in _tenant(ask).policy_keys.items()])


@graph.on("GET", "/trustFramework/keySets/{}", roles=may.KEY_SET_READERS, beta_only=True)
def get_key_set(ask: Ask, key: str) -> Answer:
    ask.only()
    for name, secret in _tenant(ask).policy_keys.items():
        if name.lower() == key.lower():
            shown = _key_set(name, secret)
            return Answer(body={"@odata.context": ask.context("trustFramework/keySets/$entity"), **shown})
    raise not_found(key)


def _list(ask: Ask, kind: str, entries: list[dict[str, Any]]) -> Answer:
    return Answer(body={"@odata.context": ask.context(f"trustFramework/{kind}"), "value": entries})


def _key_set(name: str, secret: str) -> dict[str, Any]:
    """A key set without what is in it: Graph never gives a secret back."""
    kind, use = ("oct", "sig") if secret else ("RSA", "enc" if "Encryption" in name else "sig")
    return {"id": name, "keys": [{"kid": f"{name}-1", "use": use, "kty": kind, "nbf": None, "exp": None}]}


def _tenant(ask: Ask) -> Tenant:
    """
    Raises:
        Refused: 400, the tenant is of another kind.
    """
    if not ask.tenant.b2c:
        raise Refused(400, CODE, f"The tenant '{ask.tenant.id}' is no Azure AD B2C tenant.")
    return ask.tenant


def _named(ask: Ask, key: str) -> str:
    """
    Raises:
        Refused: 404, the tenant has no policy of that id.
    """
    found = _tenant(ask).policy_named(key)
    if found is None:
        raise not_found(key)
    return found
