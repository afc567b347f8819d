"""What a rule says about a file, and the rules themselves: one table, from which pages, command and manual are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from b2c.policies.elements import Element


class Severity(StrEnum):
    ERROR = "error"  # does not upload, does not work, or does not refuse
    WARNING = "warning"  # leaves a way around, or loses something
    NOTE = "note"  # worth knowing


@dataclass(frozen=True)
class Rule:
    name: str
    severity: Severity
    why: str | Promise
    mend: str | Promise


@dataclass(frozen=True)
class Finding:
    """`policy`: the id of the policy it was found for; file and line say where to mend."""

    rule: str
    severity: Severity
    policy: str
    file: str
    line: int
    what: str

    @property
    def why(self) -> str:
        return str(RULES[self.rule].why)

    @property
    def mend(self) -> str:
        return str(RULES[self.rule].mend)


def found(rule: str, policy: str, at: Element, what: str) -> Finding:
    return Finding(rule, RULES[rule].severity, policy, at.file, at.line, what)


E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE

_TABLE = [
    # The set
    ("base-missing", N, _("What it inherits cannot be judged: references and gates may be there or not."),
     _("Add the file of the policy it is based on.")),
    ("policy-twice", E, _("Only one of two files with the same policy id is in the tenant."),
     _("Give one of them another id, or take it out of the folder.")),
    ("policy-id", E, _("B2C takes only custom policies whose id begins with B2C_1A_."), _("Rename the policy.")),
    ("base-of-another-tenant", E, _("A policy inherits within its own tenant only."),
     _("Write the same TenantId in both places.")),
    # References
    ("dangling-profile", E, _("The journey fails, or the upload is refused, where a technical profile does not exist."),
     _("Correct the id, or define the technical profile.")),
    ("dangling-journey", E, _("What names a journey that does not exist fails with AADB2C90288 when it is used."),
     _("Correct the id, or define the journey.")),
    ("dangling-transformation", E, _("The upload is refused, or the profile fails."),
     _("Correct the id, or define the claims transformation.")),
    ("dangling-claim", E, _("B2C refuses a policy that refers to a claim type nobody declares."),
     _("Declare the claim type in ClaimsSchema, or correct the id.")),
    ("dangling-reference", E, _("The upload is refused, or the page fails."), _("Correct the id, or define it.")),
    ("include-circle", E, _("A technical profile that includes itself cannot be put together."),
     _("Take one of the IncludeTechnicalProfile elements out.")),
    # Journeys
    ("step-order", E, _("B2C numbers the steps of a journey 1, 2, 3 …; gaps, repeats and other words are refused."),
     _("Number the steps again, from 1.")),
    ("no-send-claims", E, _("A journey that sends no claims issues no token."),
     _("End the journey with a SendClaims step.")),
    ("journey-redefined", W, _("A child adds to an inherited journey and takes nothing away: steps of both may run."),
     _("Give the changed journey an id of its own and point the relying party at it.")),
    ("claim-redeclared", E, _("A claim type that is declared again with another data type breaks the upload."),
     _("Declare a second claim type, and map it with PartnerClaimType.")),
    ("metadata-twice", W, _("Which of two items with the same key counts is not documented."), _("Keep one of them.")),
    # Refresh
    ("no-refresh-journey", W,
     _("A refresh here runs no journey of yours: no date is compared and no gate is asked, so a refresh token from "
       "this policy lives until it expires."),
     _("Name the refresh journey in RelyingParty/Endpoints, as the sign-in policy does.")),
    ("both-selections", E, _("No source says which wins: the endpoint, or the issuer's RefreshTokenUserJourneyId."),
     _("Keep the one that the tenant's other policies use.")),
    ("second-send-claims", E,
     _("A second SendClaims step in a refresh journey does not stop the first: two answers are glued together."),
     _("Keep one SendClaims step, the last, and refuse by an assertion or by a REST error.")),
    ("refused-by-oauth2error", E, _("On a refresh, an OAuth2Error step does not stop tokens from being issued."),
     _("Refuse by an assertion or by a REST service that answers 409.")),
    ("send-claims-not-last", E, _("What stands after SendClaims happens after the tokens have left."),
     _("Make SendClaims the last step.")),
    ("token-not-read", E,
     _("Without the refresh token's own claims nobody knows who refreshes; AADB2C90085 has been reported."),
     _("Begin with a profile of protocol None that gives objectId and refreshTokenIssuedOnDateTime.")),
    ("token-read-late", E, _("What runs before the token is read knows neither the person nor the time of issue."),
     _("Read the refresh token in the first step.")),
    ("account-not-read", W, _("A person who was deleted, or changed, keeps refreshing with old claims."),
     _("Read the account by objectId, with RaiseErrorIfClaimsPrincipalDoesNotExist.")),
    ("deleted-person-passes", W, _("The directory read does not fail for an account that is gone."),
     _("Set RaiseErrorIfClaimsPrincipalDoesNotExist to true.")),
    ("no-date-assertion", W, _("A sign-out everywhere is not noticed: nothing compares the account's date."),
     _("Assert that refreshTokenIssuedOnDateTime is later than refreshTokensValidFromDateTime.")),
    ("operands-swapped", E, _("The assertion passes exactly when it should refuse."),
     _("leftOperand is the time of issue, rightOperand the date of the account.")),
    ("wrong-operand", E, _("The assertion compares something else than the token's issue with the account's date."),
     _("leftOperand is refreshTokenIssuedOnDateTime, rightOperand refreshTokensValidFromDateTime.")),
    ("assertion-signature", E, _("AssertDateTimeIsGreaterThan takes strings; the upload is refused otherwise."),
     _("Declare the claim type as string.")),
    ("five-minute-tolerance", W,
     _("A token issued less than this before a sign-out stays good for all its life: both dates stand still."),
     _("Set TreatAsEqualIfWithinMillseconds to 0, or let the gate compare.")),
    ("date-not-read", E, _("The date that is compared is not read; whether a missing date passes is not documented."),
     _("Read the date from the directory in the profile that compares it.")),
    ("assertion-too-early", E, _("The claim that is asserted is only made afterwards."),
     _("Put the transformation that makes it first.")),
    ("claims-lost-on-refresh", W,
     _("The application gets this claim at sign-in and not after a refresh: nothing in the refresh journey gives it."),
     _("List it in the profile that reads the refresh token, or read it again.")),
    # REST services and keys
    ("rest-without-authentication", W, _("Anybody who finds the address can ask it, and answer for it."),
     _("Use Basic, ApiKeyHeader, Bearer or ClientCertificate, with a policy key.")),
    ("rest-not-https", E, _("B2C calls services over HTTPS only, and credentials would travel in the clear."),
     _("Use an https address.")),
    ("missing-key", E, _("The profile cannot prove itself, or cannot sign, without its key."),
     _("Add the key to CryptographicKeys, and the container to the tenant's policy keys.")),
    ("resolver-not-enabled", W, _("The text in braces is sent as it stands: claim resolvers are off here."),
     _("Set IncludeClaimResolvingInClaimsHandling, and AlwaysUseDefaultValue on the claim.")),
    # The gate
    ("gate-not-in-refresh", E, _("Rules do not reach refreshes at this policy."),
     _("Let `write` make a gated policy of it, or call the gate before SendClaims.")),
    ("gate-not-at-sign-in", W,
     _("A refused single-page app gets new tokens from the browser's session, in a hidden frame, without a question."),
     _("Ask the gate in the sign-in journey too, before SendClaims.")),
    ("gate-too-late", E, _("The gate is asked after the tokens have left, or before the person is known."),
     _("Ask it after the account is read and before SendClaims.")),
    ("gate-skippable", E, _("A precondition can skip the gate."), _("Take the precondition off the step.")),
    ("gate-session", W, _("A session provider may remember the answer and not ask again."),
     _("Use a session profile with the NoopSSOSessionProvider.")),
    ("gate-answer-ignored", E, _("An answer other than open does not refuse: only an error of the service does."),
     _("Assert that the answer is open, with AssertBooleanClaimIsEqualToValue, in the same profile.")),
    ("gate-open-by-default", E, _("An empty answer counts as open."), _("Let the default be anything but open.")),
    ("gate-claim-missing", E, _("The gate cannot decide without it, and answers as the tenant's fail mode says."),
     _("Send objectId, policyId and, at a refresh, issuedAt.")),
    ("gate-unauthenticated", E, _("The gate answers 401 to a caller without a credential, so every refresh fails."),
     _("Use the credential that the gate's page gave.")),
    ("gate-prefix-taken", E, _("The ids that `write` would add exist already, and would be merged into."),
     _("Choose another prefix for generated ids.")),
]  # fmt: skip

RULES = {name: Rule(name, severity, why, mend) for name, severity, why, mend in _TABLE}
