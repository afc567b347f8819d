"""Applications: what their home tenant registered, with their credentials.

https://learn.microsoft.com/graph/api/resources/application
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from sandbox.graph_api import access as may, bodies
from sandbox.graph_api.app_shapes import APPLICATION
from sandbox.graph_api.errors import bad_request, forbidden, invalid_id, not_found
from sandbox.graph_api.pages import collection, counted, entity
from sandbox.graph_api.resources import find
from sandbox.graph_api.resources.changing import changes
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import OBJECT
from sandbox.graph_api.wire import Answer, AppId, Ask, is_guid, new_id, stamp
from sandbox.objects import Application, AppRole, RequiredAccess, Scope, ServicePrincipal

SIMPLE = {
    "displayName": "display_name",
    "description": "description",
    "identifierUris": "identifier_uris",
    "groupMembershipClaims": "group_membership_claims",
    "isFallbackPublicClient": "public_client",
}
COMPOSED = frozenset(
    {"signInAudience", "web", "publicClient", "spa", "requiredResourceAccess", "appRoles", "api", "optionalClaims"}
    | {"keyCredentials", "passwordCredentials"}
)
FIXED = ("id", "appId", "createdDateTime", "deletedDateTime", "publisherDomain", "verifiedPublisher", "createdByAppId")
PASSWORD_LIFETIME = timedelta(days=730)
LOOPBACK = ("http://localhost", "http://127.0.0.1")


@graph.on("GET", "/applications", units=2)
def list_applications(ask: Ask) -> Answer:
    return collection(ask, APPLICATION, lambda equals: _candidates(ask, equals))


@graph.on("GET", "/applications/$count", units=2)
def count_applications(ask: Ask) -> Answer:
    return counted(ask, APPLICATION, _candidates(ask, {}))


@graph.on("POST", "/applications")
def create_application(ask: Ask) -> Answer:
    given = bodies.properties(ask, "application", required=("displayName",), read_only=FIXED)
    made = Application(
        app_id=new_id(),
        display_name=given["displayName"],
        home_tenant_id=ask.tenant.id,
        created=ask.world.clock.now(),
        owners=[ask.caller.object_id],
    )
    _change(ask, made, given)
    ask.world.add_application(made)
    answer = entity(ask, APPLICATION, made)
    answer.status = 201
    answer.headers["Location"] = ask.location(made.id, "Application")
    return answer


@graph.on("GET", "/applications/{}")
def get_application(ask: Ask, key: str) -> Answer:
    return entity(ask, APPLICATION, _present(ask, key))


@graph.on("PATCH", "/applications/{}")
def change_application(ask: Ask, key: str) -> Answer:
    present = _present(ask, key)
    given = bodies.properties(ask, "application", read_only=FIXED)
    _check_owner(ask, present)
    _change(ask, present, given)
    return Answer(204)


@graph.on("DELETE", "/applications/{}")
def delete_application(ask: Ask, key: str) -> Answer:
    """Into the recycle bin; its presence in the home tenant goes with it."""
    present = _present(ask, key)
    _check_owner(ask, present)
    del ask.world.applications[present.app_id]
    present.deleted_at = ask.world.clock.now()
    ask.tenant.deleted_applications[present.id] = present
    if principal := ask.tenant.service_principal_for(present.app_id):
        ask.tenant.delete_service_principal(principal.id)
    return Answer(204)


@graph.on("GET", "/applications/{}/owners")
def list_owners(ask: Ask, key: str) -> Answer:
    return collection(ask, OBJECT, ask.view.objects(_present(ask, key).owners), related=True)


@graph.on("POST", "/applications/{}/addPassword")
def add_password(ask: Ask, key: str) -> Answer:
    """https://learn.microsoft.com/graph/api/application-addpassword"""
    present = _present(ask, key)
    _check_owner(ask, present)
    return _with_password(ask, present, present)


@graph.on("POST", "/servicePrincipals/{}/addPassword", roles=may.APP_WRITERS)
def add_password_to_principal(ask: Ask, key: str) -> Answer:
    """https://learn.microsoft.com/graph/api/serviceprincipal-addpassword"""
    principal = find.service_principal(ask, key)
    application = ask.world.application(principal.app_id)
    if application is None:
        raise forbidden()
    if not ask.caller.has(*may.names("Application.ReadWrite.All Directory.ReadWrite.All")) and (
        ask.caller.object_id not in principal.owners
    ):
        raise forbidden()
    return _with_password(ask, application, principal)


@graph.on("POST", "/applications/{}/removePassword")
def remove_password(ask: Ask, key: str) -> Answer:
    """https://learn.microsoft.com/graph/api/application-removepassword"""
    present = _present(ask, key)
    _check_owner(ask, present)
    key_id = bodies.parameters(ask, {"keyId": "Guid"}, required=("keyId",))["keyId"]
    listed = (present.extra or {}).get("passwordCredentials", [])
    found = next((one for one in listed if one["keyId"] == key_id), None)
    if found is None:
        raise bad_request(f"No credentials found to be removed, keyId: {key_id}.")
    listed.remove(found)
    present.secrets = [one for one in present.secrets if not one.startswith(found["hint"])]
    return Answer(204)


def _with_password(ask: Ask, application: Application, shown_on: Application | ServicePrincipal) -> Answer:
    parameters = bodies.parameters(ask, {"passwordCredential": "passwordCredential"})
    wanted = parameters.get("passwordCredential") or {}
    now = ask.world.clock.now()
    secret = secrets.token_urlsafe(30)
    application.secrets.append(secret)
    credential = {
        "customKeyIdentifier": None,
        "displayName": wanted.get("displayName"),
        "endDateTime": wanted.get("endDateTime") or stamp(now + PASSWORD_LIFETIME),
        "hint": secret[:3],
        "keyId": new_id(),
        "secretText": None,
        "startDateTime": wanted.get("startDateTime") or stamp(now),
    }
    extra = shown_on.extra = shown_on.extra or {}
    extra.setdefault("passwordCredentials", []).append(credential)
    context = ask.context("microsoft.graph.passwordCredential")
    return Answer(body={"@odata.context": context, **credential, "secretText": secret})


def _candidates(ask: Ask, equals: dict[str, Any]) -> list[Application]:
    if "appId" in equals:
        known = ask.world.application(str(equals["appId"]))
        return [known] if known and known.home_tenant_id == ask.tenant.id else []
    return [one for one in ask.world.applications.values() if one.home_tenant_id == ask.tenant.id]


def _present(ask: Ask, key: str) -> Application:
    if not is_guid(key):
        raise invalid_id(key)
    name = "appId" if isinstance(key, AppId) else "id"
    found = _candidates(ask, {"appId": key} if name == "appId" else {})
    one = next((one for one in found if key.lower() in (one.id, one.app_id if name == "appId" else one.id)), None)
    if one is None:
        raise not_found(key)
    return one


def _check_owner(ask: Ask, application: Application) -> None:
    """An app with OwnedBy writes to what it owns; a person needs a role, or owns it.

    Raises:
        Refused: 403.
    """
    caller = ask.caller
    if caller.object_id in application.owners:
        return
    everything = caller.has("Application.ReadWrite.All")
    if not everything or not (caller.app_only or caller.holds(may.APP_WRITERS)):
        raise forbidden()


# --- what a registration is made of ----------------------------------------------------------------


def _change(ask: Ask, application: Application, given: dict[str, Any]) -> None:
    """Take over what was given, all of it or nothing.

    Raises:
        Refused: 400 for a part of which something is missing.
    """
    plain = {name: value for name, value in given.items() if name not in COMPOSED}
    try:
        parts = _parts(ask, given)
    except KeyError as missing:
        raise bad_request(f"A value is required for property '{missing.args[0]}' of resource.") from None
    if "keyCredentials" in given:
        parts["certificates"] = _certificates(application, given)
    for name, value in (changes(application, plain, SIMPLE) | parts).items():
        setattr(application, name, value)
    _redirects(application, given)
    principal = ask.tenant.service_principal_for(application.app_id)
    if principal is not None:
        ask.tenant.update_service_principal(
            principal.id,
            app_roles=list(application.app_roles),
            scopes=list(application.scopes),
            reply_urls=list(application.redirect_uris),
            names=[application.app_id, *application.identifier_uris],
        )


def _parts(ask: Ask, given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "signInAudience" in given:
        found["multi_tenant"] = given["signInAudience"] != "AzureADMyOrg"
    if "requiredResourceAccess" in given:
        found["required_access"] = [_required(ask, one) for one in given["requiredResourceAccess"]]
    if "appRoles" in given:
        found["app_roles"] = [_app_role(one) for one in given["appRoles"]]
    if "oauth2PermissionScopes" in (given.get("api") or {}):
        found["scopes"] = [_scope(one) for one in given["api"]["oauth2PermissionScopes"]]
    if given.get("optionalClaims"):
        claims = given["optionalClaims"]
        found["optional_claims"] = {kind: [one["name"] for one in claims[kind] or []] for kind in claims}
    return found


def _redirects(application: Application, given: dict[str, Any]) -> None:
    parts = [given[name] or {} for name in ("web", "publicClient", "spa") if name in given]
    named = [uri for part in parts for uri in part.get("redirectUris", ())]
    if any("redirectUris" in part for part in parts):
        application.redirect_uris = named
        application.any_loopback_port = any(uri.startswith(LOOPBACK) for uri in named)
    web = given.get("web") or {}
    if "homePageUrl" in web:
        application.homepage = web["homePageUrl"]
    if "logoutUrl" in web:
        application.logout_url = web["logoutUrl"]


def _required(ask: Ask, one: dict[str, Any]) -> RequiredAccess:
    found = RequiredAccess(one["resourceAppId"].lower())
    resource = ask.tenant.service_principal_for(found.resource_app_id)
    for wanted in one["resourceAccess"] if resource else ():
        scope = next((scope for scope in resource.scopes if scope.id == wanted["id"].lower()), None)
        role = resource.app_role(wanted["id"].lower())
        if wanted.get("type") == "Scope" and scope:
            found.scopes.append(scope.value)
        elif wanted.get("type") == "Role" and role:
            found.roles.append(role.value)
    return found


def _app_role(one: dict[str, Any]) -> AppRole:
    members = tuple(one.get("allowedMemberTypes") or ("User",))
    return AppRole(
        one["id"], one.get("value") or "", one.get("displayName") or "", one.get("description") or "", members
    )


def _scope(one: dict[str, Any]) -> Scope:
    return Scope(
        id=one["id"],
        value=one.get("value") or "",
        admin_only=one.get("type") == "Admin",
        name=one.get("adminConsentDisplayName") or "",
        description=one.get("adminConsentDescription") or "",
        user_name=one.get("userConsentDisplayName") or "",
        user_description=one.get("userConsentDescription") or "",
    )


def _certificates(application: Application, given: dict[str, Any]) -> list[str]:
    """The certificates as PEM. One that was listed before may be sent without its key, and stays.

    Raises:
        Refused: 400 for a key that is no certificate. Nothing was changed.
    """
    before = {one["keyId"]: pem for one, pem in zip(_listed(application), application.certificates, strict=False)}
    listed, found = [], []
    for one in given["keyCredentials"]:
        key_id = one.get("keyId") or new_id()
        pem = _pem(one["key"]) if one.get("key") else before.get(key_id)
        if pem is None:
            raise bad_request("Invalid value specified for property 'keyCredentials' of resource 'Application'.")
        found.append(pem)
        listed.append(_described(one, key_id, pem))
    application.extra = {**(application.extra or {}), "keyCredentials": listed}
    return found


def _listed(application: Application) -> list[dict[str, Any]]:
    return (application.extra or {}).get("keyCredentials", [])


def _pem(key: str) -> str:
    try:
        raw = base64.b64decode(key.replace("-", "+").replace("_", "/"))
        certificate = (
            x509.load_pem_x509_certificate(raw) if raw.startswith(b"-----") else x509.load_der_x509_certificate(raw)
        )
    except ValueError:
        raise bad_request("Key credential is no certificate.", target="keyCredentials") from None
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _described(one: dict[str, Any], key_id: str, pem: str) -> dict[str, Any]:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    thumbprint = base64.b64encode(certificate.fingerprint(hashes.SHA1())).decode()

    def date(moment: datetime) -> str:
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    return {
        "customKeyIdentifier": thumbprint,
        "displayName": one.get("displayName"),
        "endDateTime": one.get("endDateTime") or date(certificate.not_valid_after_utc),
        "key": None,
        "keyId": key_id,
        "startDateTime": one.get("startDateTime") or date(certificate.not_valid_before_utc),
        "type": one.get("type") or "AsymmetricX509Cert",
        "usage": one.get("usage") or "Verify",
    }
