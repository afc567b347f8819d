"""An application as the sandbox meets it: it sends people to sign in, and asks for tokens."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import requests

from sandbox.catalogue import PORTAL_APP_ID, PORTAL_SECRET
from tests.sandbox.browser import Browser, Page

REDIRECT = "http://127.0.0.1:8000/accounts/entra/login/callback/"
SCOPE = "openid profile offline_access User.Read"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Client:
    """By default the portal, with PKCE, through `organizations`."""

    def __init__(
        self,
        base: str,
        browser: Browser | None = None,
        *,
        app_id: str = PORTAL_APP_ID,
        secret: str | None = PORTAL_SECRET,
        redirect_uri: str = REDIRECT,
        scope: str = SCOPE,
        authority: str = "organizations",
    ) -> None:
        self.base, self.browser = base, browser
        self.app_id, self.secret, self.redirect_uri = app_id, secret, redirect_uri
        self.scope, self.authority = scope, authority

    def authorize(self, **more: str | None) -> Page:
        """Open the sign-in page; a value of None leaves a parameter out."""
        values = {
            "client_id": self.app_id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | more
        authority = values.pop("authority", self.authority)
        present = {name: value for name, value in values.items() if value is not None}
        return self.browser.open(f"/{authority}/oauth2/v2.0/authorize", **present)

    def code(self, person: str, *, consent: bool = True, **more: str | None) -> dict[str, str]:
        """What the application is told after a person signed in and, where asked, accepted."""
        page = self.authorize(**more)
        if page.url.startswith(self.base):
            page = self.browser.press(page, person)
        if consent and page.url.startswith(self.base) and "Accept" in page.text:
            page = self.browser.press(page, "Accept")
        assert not page.url.startswith(self.base), page.text
        return page.answer

    def sign_in(self, person: str, **more: str | None) -> dict[str, Any]:
        """The token response after a person's sign-in."""
        answer = self.redeem(self.code(person, **more)["code"], authority=more.get("authority"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def redeem(self, code: str, *, authority: str | None = None, **more: str | None) -> requests.Response:
        values = {"code": code, "redirect_uri": self.redirect_uri, "code_verifier": VERIFIER, "scope": self.scope}
        return self.token("authorization_code", authority=authority, **(values | more))

    def refresh(self, token: str | dict, *, authority: str | None = None, **more: str | None) -> requests.Response:
        value = token["refresh_token"] if isinstance(token, dict) else token
        values = {"refresh_token": value, "scope": self.scope}
        return self.token("refresh_token", authority=authority, **(values | more))

    def app_only(self, tenant: str, **more: str | None) -> requests.Response:
        values = {"scope": "https://graph.microsoft.com/.default"}
        return self.token("client_credentials", authority=tenant, **(values | more))

    def token(
        self, grant_type: str | None, *, authority: str | None = None, headers: dict | None = None, **values: str | None
    ) -> requests.Response:
        sent = {"grant_type": grant_type, "client_id": self.app_id, "client_secret": self.secret} | values
        with requests.Session() as http:
            http.trust_env = False
            return http.post(
                f"{self.base}/{authority or self.authority}/oauth2/v2.0/token",
                data={name: value for name, value in sent.items() if value is not None},
                headers=headers,
                timeout=10,
            )


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def unpacked(text: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(text + "=="))


def fragment(page: Page) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.url).fragment))


def refused(
    answer: requests.Response, code: int, error: str = "invalid_grant", suberror: str | None = None
) -> dict[str, Any]:
    """The body of a refusal, once it is known to be this one."""
    body = answer.json()
    assert body.get("error_codes") == [code], body
    assert (body["error"], body.get("suberror")) == (error, suberror)
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    return body
