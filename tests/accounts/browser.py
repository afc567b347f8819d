"""A person with a browser: the portal through Django's test client, Microsoft's pages over real HTTP."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests
from django.http import HttpResponse
from django.test import Client

PORTAL = "http://127.0.0.1:8000"


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.found: list[Form] = []
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        values = dict(attrs)
        if tag == "form":
            self.found.append(Form(values.get("action", "")))
            self._inside = True
        elif tag == "input" and self._inside and values.get("name") and values.get("type") == "hidden":
            self.found[-1].fields[values["name"]] = values.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


class _Ways(HTMLParser):
    """Where a page leads by itself, and by its links."""

    def __init__(self, html: str):
        super().__init__()
        self.by_itself, self.links = "", []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        values = dict(attrs)
        if tag == "meta" and values.get("http-equiv") == "refresh":
            self.by_itself = values["content"].removeprefix("0;url=")
        elif tag == "a" and values.get("href"):
            self.links.append(values["href"])


def onward(page: HttpResponse) -> str:
    """The address a page leads on to by itself, as a browser without scripts follows it."""
    return _Ways(page.content.decode()).by_itself


def links(page: HttpResponse) -> list[str]:
    return _Ways(page.content.decode()).links


def forms(html: str) -> list[Form]:
    return _Forms(html).found


class Browser:
    def __init__(self, sandbox_url: str, user_agent: str = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"):
        self.portal = Client(enforce_csrf_checks=True, HTTP_HOST="127.0.0.1:8000", headers={"user-agent": user_agent})
        self.microsoft = requests.Session()
        self.microsoft.trust_env = False
        self.sandbox_url = sandbox_url

    # --- the portal ------------------------------------------------------------------------------

    def open(self, address: str, **options) -> HttpResponse:
        parts = urlsplit(address)
        return self.portal.get(parts.path + (f"?{parts.query}" if parts.query else ""), **options)

    def send(self, page: HttpResponse, action: str, **fields: str) -> HttpResponse:
        """Send the form of a page whose action holds `action`, as it is but for `fields`."""
        form = next(one for one in forms(page.content.decode()) if action in one.action)
        return self.portal.post(form.action, form.fields | fields)

    # --- Microsoft -------------------------------------------------------------------------------

    def at_microsoft(self, address: str, upn: str, *, consent: str = "accept") -> str:
        """Go through Microsoft's pages as `upn`; where it sends the browser in the end."""
        response = self.microsoft.get(address, timeout=10, allow_redirects=False)
        for _ in range(6):
            if response.is_redirect:
                found = urljoin(response.url, response.headers["Location"])
                if found.startswith(PORTAL):
                    return found
                response = self.microsoft.get(found, timeout=10, allow_redirects=False)
                continue
            found = {form.action: form.fields for form in forms(response.text)}
            if "/_signin/consent" in found:
                response = self._post("/_signin/consent", found, decision=consent)
            elif "/_signin/account" in found:
                response = self._post("/_signin/account", found, other=upn)
            else:
                raise AssertionError(f"Microsoft's last word: {response.text[-1500:]}")
        raise AssertionError("Microsoft never sent the browser back")

    def _post(self, action: str, found: dict, **fields: str) -> requests.Response:
        origin = {"Origin": self.sandbox_url}
        return self.microsoft.post(
            self.sandbox_url + action, data=found[action] | fields, headers=origin, timeout=10, allow_redirects=False
        )

    # --- both ------------------------------------------------------------------------------------

    def leave_to_sign_in(self, address: str = "/accounts/sign-in/") -> str:
        """Press the button on the sign-in page; the address at Microsoft it leads to."""
        return onward(self.send(self.open(address), "/accounts/entra/login/"))

    def sign_in(self, upn: str, address: str = "/accounts/sign-in/", **options) -> HttpResponse:
        """All the way; the portal's answer to Microsoft's."""
        return self.open(self.at_microsoft(self.leave_to_sign_in(address), upn, **options))

    def step_up(self, upn: str, next_url: str = "/") -> HttpResponse:
        leave = self.send(self.open(f"/accounts/step-up/?next={next_url}"), "/accounts/step-up/")
        return self.open(self.at_microsoft(onward(leave), upn))

    @property
    def signed_in(self) -> bool:
        return "_auth_user_id" in self.portal.session
