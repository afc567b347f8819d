"""On behalf of: an API hands on the person who called it to an API of its own choice.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.identity import tokens
from sandbox.identity.errors import Refusal
from sandbox.identity.issuing import Asked, client_in_tenant, for_person


def on_behalf_of(asked: Asked) -> dict[str, Any]:
    """A token for the person in the assertion, which must be one that was made for the asking application.

    Raises:
        Refusal: 50013 the assertion is no access token for a person, 500133 too old, 500131 for another application;
            and everything that a person's own sign-in may be refused for.
    """
    application, assertion, scope = asked.application, asked.field("assertion"), asked.field("scope")
    if asked.field("requested_token_use") != "on_behalf_of":
        raise Refusal(90023, "Invalid value for 'requested_token_use': it must be 'on_behalf_of'.")
    if application.public_client:
        raise Refusal(700025, "Client is public so the grant type 'jwt-bearer' is not allowed.", error="invalid_client")
    claims, problem = tokens.examine(asked.world, assertion)
    if problem == "expired":
        raise Refusal(
            500133,
            "Assertion is not within its valid time range. Ensure that the access token is not expired before using it "
            "for user assertion, or request a new token.",
        )
    if claims is None:
        raise Refusal(50013, "Assertion failed signature validation. [Reason - The key was not found.]")
    if claims["aud"] not in (application.app_id, *application.identifier_uris):
        raise Refusal(
            500131,
            "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion "
            f"was '{claims['aud']}' and the expected audience is '{application.app_id}' or one of the Application Uris "
            f"of this application with App ID '{application.app_id}'({application.display_name}).",
        )
    handed_on = asked.identity.assertions.get(assertion)
    if handed_on is None:
        raise Refusal(50013, "Assertion failed: the token was not issued to a user.")
    family = replace(handed_on, app_id=application.app_id, tenant_id=claims["tid"], nonce=None)
    return for_person(asked, client_in_tenant(asked, family), family, scope)
