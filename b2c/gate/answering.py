"""The answers that B2C's documentation describes.

A refusal is HTTP 409 with `status` 409 in the body. No answer says more about a person than that their token is
refused, and one without good credentials says nothing at all.

https://learn.microsoft.com/azure/active-directory-b2c/restful-technical-profile#returning-validation-error-message
"""

import re
from collections.abc import Mapping
from http import HTTPStatus

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _, override

REFUSED, UNAVAILABLE, UNREADABLE = "CONSENTRY-REFUSED", "CONSENTRY-UNAVAILABLE", "CONSENTRY-UNREADABLE"
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{2,8})*", re.IGNORECASE | re.ASCII)


def let_through() -> HttpResponse:
    """A journey needs a JSON object that is not empty. Nothing in it is secret."""
    return JsonResponse({"gate": "open"})


def refused(messages: Mapping[str, str], locale: str, correlation_id: str) -> HttpResponse:
    """No new token for this person, who is told in the tenant's own words where it has some for their language."""
    return _conflict(REFUSED, _message(messages, locale), correlation_id)


def undecided(locale: str, correlation_id: str) -> HttpResponse:
    """It could not be decided, and the tenant wants nobody let through then."""
    with override(_language(locale)):
        text = _("Your access could not be checked. Please try again in a few minutes.")
    return _conflict(UNAVAILABLE, text, correlation_id)


def token_issuance(passes: bool, correlation_id: str) -> HttpResponse:
    """External ID's own form. It has no word for a refusal: whatever fails keeps the token from being issued.

    https://learn.microsoft.com/entra/identity-platform/custom-extension-troubleshoot
    """
    if not passes:
        return JsonResponse({"error": {"code": REFUSED, "requestId": correlation_id}}, status=HTTPStatus.FORBIDDEN)
    adds_nothing = {"@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken", "claims": {}}
    kind = "microsoft.graph.onTokenIssuanceStartResponseData"
    return JsonResponse({"data": {"@odata.type": kind, "actions": [adds_nothing]}})


def unreadable(why: str) -> HttpResponse:
    """For whoever writes the policy: B2C shows it in debug mode only."""
    body = _body(UNREADABLE, _("Your access could not be checked."), "")
    return JsonResponse(body | {"developerMessage": why}, status=HTTPStatus.BAD_REQUEST)


def not_recognised() -> HttpResponse:
    """A wrong secret, no secret, an unknown tenant: they look the same."""
    return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": 'Basic realm="gate"'})


def too_long() -> HttpResponse:
    return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def away() -> HttpResponse:
    """Whoever asks cannot be recognised, since the database does not answer."""
    return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "5"})


def _conflict(code: str, text: str, correlation_id: str) -> HttpResponse:
    return JsonResponse(_body(code, text, correlation_id), status=HTTPStatus.CONFLICT)


def _body(code: str, text: str, correlation_id: str) -> dict:
    body = {"version": "1.0.0", "status": 409, "code": code, "userMessage": text}
    return body | ({"requestId": correlation_id} if correlation_id else {})


def _message(messages: Mapping[str, str], locale: str) -> str:
    """The tenant's text in this language, region and all; else in the language; else in English; else ours."""
    wanted = locale.lower().replace("_", "-")
    language = wanted.partition("-")[0]
    texts = {name.lower(): text for name, text in messages.items() if text}
    found = texts.get(wanted) or texts.get(language) or texts.get("en")
    if found:
        return found
    with override(_language(locale)):
        return _("You have to sign in again. If that does not help, ask your organisation.")


def _language(locale: str) -> str:
    found = _LANGUAGE.fullmatch(locale)
    return found[1].lower() if found else "en"
