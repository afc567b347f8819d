"""A browser without a screen: it keeps cookies, reads the sandbox's pages and presses their buttons."""

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests


class Form:
    def __init__(self, action: str, method: str) -> None:
        self.action, self.method = action, method
        self.values: dict[str, str] = {}
        self.boxes: dict[str, str] = {}
        self.buttons: list[tuple[str, dict[str, str]]] = []  # text, what it adds


class Page(HTMLParser):
    """One answer: its forms, its text, and where it is."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__()
        self.status, self.url, self.headers = response.status_code, response.url, response.headers
        self.forms: list[Form] = []
        self.frames: list[str] = []
        self._words: list[str] = []
        self._button: list[str] | None = None
        self._form: Form | None = None
        self.feed(response.text)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    @property
    def answer(self) -> dict[str, str]:
        """What an application is told in the address it was reached by."""
        return dict(parse_qsl(urlsplit(self.url).query))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._form = Form(found.get("action", ""), found.get("method", "get"))
            self.forms.append(self._form)
        elif tag == "iframe":
            self.frames.append(found["src"])
        elif tag == "input" and self._form:
            store = self._form.boxes if found.get("type") == "checkbox" else self._form.values
            store[found["name"]] = found.get("value", "")
        elif tag == "button" and self._form:
            self._button = []
            self._form.buttons.append(("", {found["name"]: found["value"]} if "name" in found else {}))

    def handle_endtag(self, tag: str) -> None:
        if tag == "button" and self._form and self._button is not None:
            text = " ".join(" ".join(self._button).split())
            self._form.buttons[-1] = (text, self._form.buttons[-1][1])
            self._button = None
        elif tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._button is not None:
            self._button.append(data)


class Browser:
    def __init__(self, base: str) -> None:
        self.base = base
        self.http = requests.Session()
        self.http.trust_env = False

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *exception: object) -> None:
        self.http.close()

    def open(self, address: str, **query: str) -> Page:
        url = urljoin(self.base, address)
        return self._follow("GET", url + ("?" + urlencode(query) if query else ""))

    def press(self, page: Page, text: str, *, tick: bool = False, **typed: str) -> Page:
        """Press the first button whose label begins so, with every box ticked or none."""
        for form in page.forms:
            for label, adds in form.buttons:
                if label.startswith(text):
                    sent = form.values | typed | adds | (form.boxes if tick else {})
                    return self._follow(form.method.upper(), urljoin(page.url, form.action), data=sent)
        raise AssertionError(f"no button {text!r} on: {page.text}")

    def _follow(self, method: str, url: str, **options: object) -> Page:
        """Follow redirects inside the sandbox; an answer for an application elsewhere is not delivered."""
        for _ in range(10):
            response = self.http.request(method, url, allow_redirects=False, timeout=10, **options)
            if not response.is_redirect:
                return Page(response)
            url, method, options = urljoin(url, response.headers["Location"]), "GET", {}
            if not url.startswith(self.base + "/"):
                response.url, response._content = url, b""
                return Page(response)
        raise AssertionError("too many redirects")
