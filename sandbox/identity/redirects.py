"""Where answers go: which redirect URIs an application has registered, and how an answer travels there."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.responses import RedirectResponse, Response

from sandbox.identity import pages
from sandbox.identity.errors import Refusal
from sandbox.objects import Application


def registered(application: Application, uri: str, own_origin: str) -> bool:
    """Whether answers for this application may go there.

    The address must be one of the registered ones to the letter. `http://localhost` matches on any port, and so does
    every loopback address of an application made for this machine. Apps inside the sandbox live at its address.
    """
    if uri in application.redirect_uris:
        return True
    if application.slug and uri == f"{own_origin}/apps/{application.slug}/callback":
        return True
    return any(_same_but_port(one, uri, application.any_loopback_port) for one in application.redirect_uris)


def _same_but_port(known: str, uri: str, any_loopback: bool) -> bool:
    try:
        left, right = urlsplit(known), urlsplit(uri)
        hosts = left.hostname, right.hostname
        _ = right.port
    except ValueError:
        return False
    if left.scheme != "http" or "@" in right.netloc or "#" in uri:
        return False
    if any_loopback:
        near = {"localhost", "127.0.0.1", "::1"}
        same_host = right.scheme in ("http", "https") and hosts[0] in near and hosts[1] in near
    else:
        same_host = right.scheme == "http" and hosts == ("localhost", "localhost")
    return same_host and (left.path or "/", left.query) == (right.path or "/", right.query)


def require(application: Application, uri: str | None, own_origin: str) -> str:
    """The address to answer to.

    Raises:
        Refusal: 50011, not registered.
    """
    if not uri and application.redirect_uris:
        return application.redirect_uris[0]
    if not uri or not registered(application, uri, own_origin):
        raise Refusal(
            50011,
            f"The redirect URI '{uri or ''}' specified in the request does not match the redirect URIs configured for "
            f"the application '{application.app_id}'. Make sure the redirect URI sent in the request matches one added "
            "to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn "
            "more about how to fix this.",
            on_page=True,
        )
    return uri


def answer(uri: str, values: Mapping[str, str | None], mode: str = "query") -> Response:
    """Send the browser back to the application with these values; those that are None are left out."""
    present = {name: value for name, value in values.items() if value is not None}
    if mode == "form_post":
        return pages.show("form_post.html", {"action": uri, "fields": list(present.items())}, posts_anywhere=True)
    parts = urlsplit(uri)
    if mode == "fragment":
        return RedirectResponse(urlunsplit(parts._replace(fragment=urlencode(present))), 302, headers=pages.NO_STORE)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *present.items()])
    return RedirectResponse(urlunsplit(parts._replace(query=query)), 302, headers=pages.NO_STORE)


def origin_of(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"
