"""What a page weighs on its way, and what of it stays in the browser: compression, ETags, Back, and sign-out.

Why so: docs/decisions/0024-compression.md.
"""

import re
from hashlib import blake2b

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.crypto import get_random_string

# Whose question an answer is compressed for: our own page's, or somebody's who typed the address. What another site
# makes a browser ask for is sent as long as it is, so that its length says nothing about what is inside (BREACH).
OWN = {"same-origin", "none"}
# Django masks the same token anew for every answer; the page is the same page.
TOKENS = re.compile(rb'(name="csrfmiddlewaretoken" value=|"X-CSRFToken": )"[^"]*"')


class PageMiddleware:
    """Around everything that makes pages: outside of sessions, so that it sees which cookie an answer leaves."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.compress = GZipMiddleware(get_response).process_response  # adds a random length: Heal the BREACH

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_secret = "no-store" in response.get("Cache-Control", "")  # a view's own word: shown once, or on its way
        _mark(request, response)
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not response.has_header("Cache-Control"):
            response = _leave_behind(request, response)
        if not is_secret and request.headers.get("Sec-Fetch-Site") in OWN:
            return self.compress(request, response)
        return response


def _leave_behind(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A page may stay in the browser, which asks before it shows it again. All else (files, parts, faults) may not."""
    is_page = response.status_code == 200 and response.get("Content-Type", "").startswith("text/html")
    own = is_page and request.method == "GET" and not response.streaming and getattr(request, "membership", None)
    if not own or request.headers.get("HX-Request"):
        patch_cache_control(response, no_store=True, private=True)
        return response
    patch_cache_control(response, no_cache=True, private=True)
    patch_vary_headers(response, ["Cookie"])  # another mark, another page: also when a browser goes back in its history
    digest = blake2b(TOKENS.sub(b"", response.content), digest_size=16)
    digest.update(request.META.get("CSRF_COOKIE", "").encode())  # an older page's tokens must still be good
    response["ETag"] = f'W/"{digest.hexdigest()}"'
    return get_conditional_response(request, etag=response["ETag"], response=response)


def _mark(request: HttpRequest, response: HttpResponse) -> None:
    """Give the browser a new mark where pages it kept may be out of date: page.js asks for those anew.

    That is after anything was sent, and where somebody signed in or out. Whoever is out leaves no page behind.
    """
    session = response.cookies.get(settings.SESSION_COOKIE_NAME)
    known = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    changed = session is not None and session.value != known
    if changed and known and not request.user.is_authenticated:
        response["Clear-Site-Data"] = '"cache"'
    sent = known and request.method not in ("GET", "HEAD", "OPTIONS")
    if changed or sent or (known and settings.MARK_COOKIE_NAME not in request.COOKIES):
        response.set_cookie(
            settings.MARK_COOKIE_NAME, get_random_string(12), secure=settings.HTTPS, samesite="Lax", httponly=False
        )
