"""From the body of a call to what is asked. A body comes from a policy that we or the tenant wrote: it may be anything.

B2C sends a flat JSON object; which of the optional members come depends on the policy, see docs/b2c.md.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any
from uuid import UUID

from django.http import HttpRequest

from accounts.ids import id_or_none
from b2c import times
from b2c.gate.known import Known
from b2c.rules import Ask, Door

LONGEST = 16 * 1024  # bytes of a body
_POLICY = re.compile(r"[\w.-]{1,128}", re.ASCII)
_CORRELATION = re.compile(r"[\w.:-]{1,64}", re.ASCII)


class TooLong(Exception):
    """The body is longer than any that a policy sends. Nothing of it was kept."""


class Unreadable(Exception):
    """The body is not what a policy sends. `str()` says what is wrong, for whoever writes the policy."""


@dataclass(frozen=True)
class Asked:
    """Who a token is for, what else decides, and what goes into the answer."""

    person_id: UUID
    ask: Ask
    correlation_id: str
    locale: str


def is_announced_too_long(request: HttpRequest) -> bool:
    """Whether the body says of itself that it is longer than any that a policy sends. Nothing of it is read."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return length.isdecimal() and (len(length) > 9 or int(length) > LONGEST)


def body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the request.

    Raises:
        TooLong, Unreadable. A length that is announced is judged before anything is read.
    """
    if is_announced_too_long(request):
        raise TooLong
    try:
        raw = _stream(request).read(LONGEST + 1)
    except OSError as error:
        raise Unreadable("The body did not arrive.") from error
    if len(raw) > LONGEST:
        raise TooLong
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unreadable("The body is not JSON.") from error
    if not isinstance(found, dict):
        raise Unreadable("The body is not a JSON object.")
    return found


def _stream(request: HttpRequest) -> IO[bytes]:
    """Where the body comes from. Not `request.body`, whose limit is that of the portal's forms.

    Django takes a body that comes in chunks, without a length, for none at all. Servers that know where it ends say so.
    """
    unannounced = not request.META.get("CONTENT_LENGTH") and request.META.get("wsgi.input_terminated")
    return request.META["wsgi.input"] if unannounced else request


def of_policy(sent: Mapping[str, Any], door: Door, known: Known) -> Asked:
    """What a B2C policy asks.

    Raises:
        Unreadable
    """
    person_id = id_or_none(_text(sent, "objectId"))
    if person_id is None:
        raise Unreadable("objectId has to be the user's object id.")
    policy_id = _text(sent, "policyId").lower()
    if not _POLICY.fullmatch(policy_id):
        raise Unreadable("policyId has to be the id of the policy.")
    client_id = id_or_none(_text(sent, "clientId"))
    prompt = _text(sent, "prompt").lower().split() if door is Door.SIGN_IN else []
    return Asked(
        person_id=person_id,
        ask=Ask(
            door=door,
            policy_id=policy_id,
            apps=frozenset({client_id}) if client_id else known.apps_by_policy.get(policy_id, frozenset()),
            since=times.read(sent.get("issuedAt" if door is Door.REFRESH else "authenticatedAt")),
            fresh="login" in prompt,
            silent="none" in prompt,
            claims={name: _plain(value) for name, value in sent.items() if value is not None},
        ),
        correlation_id=correlation(_text(sent, "correlationId")),
        locale=_text(sent, "locale"),
    )


def of_extension(sent: Mapping[str, Any], known: Known) -> Asked:
    """What External ID asks at the start of a token's issuance.

    It does not say whether a sign-in or a refresh is behind it, nor since when the session is there.

    Raises:
        Unreadable

    https://learn.microsoft.com/entra/identity-platform/custom-claims-provider-reference
    """
    data = _object(sent, "data")
    if id_or_none(_text(data, "tenantId")) != known.tenant_id:
        raise Unreadable("data.tenantId is not the tenant of this address.")
    context = _object(data, "authenticationContext")
    user, client = _object(context, "user"), _object(context, "client")
    person_id = id_or_none(_text(user, "id"))
    client_id = id_or_none(_text(_object(context, "clientServicePrincipal"), "appId"))
    if person_id is None or client_id is None:
        raise Unreadable("The user's id and the client's appId are needed.")
    return Asked(
        person_id=person_id,
        ask=Ask(
            door=Door.ISSUANCE,
            policy_id="",
            apps=frozenset({client_id}),
            claims={name: _plain(value) for name, value in user.items() if value is not None},
        ),
        correlation_id=correlation(_text(context, "correlationId")),
        locale=_text(client, "locale"),
    )


def correlation(text: str) -> str:
    """An id that may be repeated in an answer and a log line; empty where it is something else."""
    return text if _CORRELATION.fullmatch(text) else ""


def _text(sent: Mapping[str, Any], name: str) -> str:
    value = sent.get(name)
    return value.strip() if isinstance(value, str) else ""


def _object(sent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = sent.get(name)
    return value if isinstance(value, dict) else {}


def _plain(value: object) -> str:
    """A claim as text; booleans as B2C compares them."""
    return value if isinstance(value, str) else json.dumps(value)
