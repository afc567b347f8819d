"""Rules about REST services, keys, resolvers and assertions, wherever a profile stands."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from b2c.policies import doors
from b2c.policies.elements import Element
from b2c.policies.linting.findings import Finding, found
from b2c.policies.merging import Effective, setting
from b2c.policies.model import PolicySet

KEYS = {
    "basic": ("BasicAuthenticationUsername", "BasicAuthenticationPassword"),
    "bearer": ("BearerAuthenticationToken",),
    "clientcertificate": ("ClientCertificate",),
}
ISSUER_KEYS = ("issuer_secret", "issuer_refresh_token_key")


def check(policies: PolicySet) -> Iterator[Finding]:
    judged: set[str] = set()
    for leaf in policies.leaves():
        effective, whole = policies.effective(leaf.id), not policies.missing_base(leaf.id)
        definer = policies.definer(leaf.id)
        for key in effective.profiles if definer not in judged else ():
            profile = effective.profile(key)
            if profile is None:
                continue
            if doors.is_rest(profile):
                yield from _rest(leaf.id, profile, whole)
            yield from _resolvers(leaf.id, profile, whole)
            yield from _assertions(effective, leaf.id, profile)
        judged.add(definer)
        journeys = (doors.sign_in_journey(effective), doors.refresh_journey(effective)) if whole else ()
        for issuer in (one for journey in journeys if journey is not None for one in doors.issuers(effective, journey)):
            if issuer.text_of("OutputTokenFormat").upper() == "JWT":
                yield from _lacking(leaf.id, issuer, ISSUER_KEYS)


def _rest(policy: str, profile: Element, whole: bool) -> Iterator[Finding]:
    service, kind = setting(profile, "ServiceUrl"), setting(profile, "AuthenticationType").lower()
    if service.lower().startswith("http:"):
        yield found("rest-not-https", policy, profile, f"{profile.get('Id')}: {service}")
    if kind == "none" or (not kind and whole):
        yield found("rest-without-authentication", policy, profile, profile.get("Id"))
    elif kind == "apikeyheader" and not list(profile.under("CryptographicKeys", "Key")):
        yield found("missing-key", policy, profile, _("%s: the key that is named as the header.") % profile.get("Id"))
    elif kind == "bearer" and setting(profile, "UseClaimAsBearerToken"):
        return
    else:
        yield from _lacking(policy, profile, KEYS.get(kind, ()))


def _lacking(policy: str, profile: Element, wanted: tuple[str, ...]) -> Iterator[Finding]:
    keys = {one.get("Id").lower() for one in profile.under("CryptographicKeys", "Key") if one.get("StorageReferenceId")}
    for name in wanted:
        if name.lower() not in keys:
            yield found("missing-key", policy, profile, f"{profile.get('Id')}: {name}")


def _resolvers(policy: str, profile: Element, whole: bool) -> Iterator[Finding]:
    if not doors.is_rest(profile) or not whole:
        return
    enabled = setting(profile, "IncludeClaimResolvingInClaimsHandling").lower() == "true"
    for one in profile.under("InputClaims", "InputClaim"):
        default = one.get("DefaultValue")
        is_resolver = default.startswith("{") and default.endswith("}") and ":" in default
        if is_resolver and not (enabled and one.get("AlwaysUseDefaultValue").lower() == "true"):
            yield found("resolver-not-enabled", policy, one, f"{profile.get('Id')}: {default}")


def _assertions(effective: Effective, policy: str, profile: Element) -> Iterator[Finding]:
    own = {one.get("ClaimTypeReferenceId").lower() for one in profile.under("OutputClaims", "OutputClaim")}
    after = doors.after_outputs(effective, profile)
    for at, one in enumerate(after):
        if not one.get("TransformationMethod").lower().startswith("assert"):
            continue
        taken = {each.get("ClaimTypeReferenceId").lower() for each in one.under("InputClaims", "InputClaim")}
        before = {each for other in after[:at] for each in _makes(other)}
        later = {each for other in after[at + 1 :] for each in _makes(other)}
        if early := sorted(taken & later - before - own):
            yield found("assertion-too-early", policy, profile, f"{one.get('Id')}: {', '.join(early)}")


def _makes(transformation: Element) -> set[str]:
    return {one.get("ClaimTypeReferenceId").lower() for one in transformation.under("OutputClaims", "OutputClaim")}
