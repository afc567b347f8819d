"""What goes to Microsoft's sign-in host: token requests, discovery and keys.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, …/v2-oauth2-auth-code-flow
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

Found = Iterator[tuple[str, str]]

_TENANT = r"[0-9A-Fa-f-]{36}|organizations|common|[\w.-]+\.[a-z]+"
_DOCUMENTS = re.compile(
    rf"^/(?:(?:{_TENANT})/v2\.0/\.well-known/openid-configuration"
    rf"|(?:{_TENANT})/discovery/v2\.0/keys|common/discovery/(?:v2\.0/)?(?:keys|instance))$"
)
_TOKEN = re.compile(rf"^/({_TENANT})/oauth2/v2\.0/token$")
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_NEEDED = {
    "client_credentials": {"scope"},
    "authorization_code": {"code", "redirect_uri"},
    "refresh_token": {"refresh_token"},
}


def judge(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Found:
    """What is wrong with a request to the sign-in host."""
    if method == "GET":
        if not _DOCUMENTS.match(path):
            yield "token-path", f"no document at {path}"
        return
    found = _TOKEN.match(path)
    if method != "POST" or not found:
        yield "token-path", f"{method} {path} is no endpoint of the sign-in host"
        return
    if query:
        yield "token-form", "a token request carries its fields in its body"
    if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        yield "token-form", f"Content-Type: {headers.get('content-type')}"
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    fields = dict(pairs)
    if len(pairs) != len(fields):
        yield "token-form", "a field is given twice"
    kind = fields.get("grant_type", "")
    if kind not in _NEEDED:
        yield "token-grant", f"grant_type {kind!r}"
        return
    for name in sorted(_NEEDED[kind] | {"client_id"}):
        if not fields.get(name):
            yield "token-field", f"{kind} without {name}"
    yield from _credential(fields)
    if kind == "client_credentials":
        if found[1] in ("organizations", "common"):
            yield "token-path", "client credentials are asked for from one tenant"
        if fields.get("scope", "") and not re.fullmatch(r"https://\S+/\.default", fields["scope"]):
            yield "token-field", f"scope {fields['scope']!r}; client credentials take one resource's /.default"


def _credential(fields: Mapping[str, str]) -> Found:
    if fields.get("client_assertion"):
        if fields.get("client_assertion_type") != _ASSERTION:
            yield "token-field", "client_assertion without its type"
    elif not fields.get("client_secret"):
        yield "token-field", "neither client_secret nor client_assertion"
