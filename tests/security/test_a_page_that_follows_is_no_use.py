"""A page that asks again by itself is nobody at the desk: it keeps no session awake (ASVS 7.3.1)."""

import inspect
import re
from datetime import timedelta
from pathlib import Path

from allauth.usersessions.models import UserSession
from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts.models import EndedSession
from tests.accounts.conftest import *  # noqa: F403
from tests.accounts.test_sign_in import MEGAN
from tests.test_access import url_names

PROJECT = Path(__file__).resolve().parents[2]
# Those that ask again without `live`: a list that is being read, a message, a consent that is waited for.
OTHERS = {"revocation:reading", "revocation:toast", "tenants:onboarding-waiting"}


def view_of(name: str):
    found, resolver = None, get_resolver()
    for part in name.split(":"):
        if part in resolver.namespace_dict:
            resolver = resolver.namespace_dict[part][1]
            continue
        (found,) = [one for one in resolver.url_patterns if getattr(one, "name", None) == part]
    return found.callback


def marked() -> set[str]:
    names = [name for name in url_names(get_resolver()) if not name.startswith("(unnamed)") and "entra" not in name]
    return {name for name in names if getattr(view_of(name), "asks_by_itself", False)}


def left_alone(minutes: int) -> None:
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(minutes=minutes))


def ask_again(browser, name: str = "revocation:listed", *args: str):
    return browser.portal.get(reverse(name, args=args or ["contoso"]), headers={"HX-Request": "true"})


def test_asking_again_keeps_nobody_signed_in(contoso, browser):
    browser.sign_in(MEGAN)
    left_alone(29)

    assert ask_again(browser).status_code == 200

    assert UserSession.objects.get().last_seen_at < timezone.now() - timedelta(minutes=28)


def test_asking_again_after_the_limit_shows_nothing_and_ends_the_session(contoso, browser):
    """Whoever holds the cookie names the header as they like."""
    browser.sign_in(MEGAN)
    left_alone(31)

    assert ask_again(browser).headers["HX-Redirect"].startswith("/accounts/ended/")

    assert EndedSession.objects.count() == 1
    assert not browser.signed_in
    assert browser.open("/t/contoso/revocations/").status_code == 401


def test_who_opens_such_an_address_as_a_page_is_there(contoso, browser):
    browser.sign_in(MEGAN)
    left_alone(31)

    assert browser.open(reverse("revocation:listed", args=["contoso"])).status_code == 401


def test_everything_that_asks_again_is_marked():
    sources = [name for name in url_names(get_resolver()) if name.partition(":")[0] in ("consent", "revocation")]
    live = {name for name in sources if "live.answer" in inspect.getsource(inspect.unwrap(view_of(name)))}
    polls = [path for path in (PROJECT / "templates").rglob("*.html") if 'hx-trigger="every' in path.read_text()]

    assert marked() == live | OTHERS
    assert len([path for path in polls if not re.search(r"part\.every", path.read_text())]) == len(OTHERS)
