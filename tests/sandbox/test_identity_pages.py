"""The sandbox's pages in Debian's Chromium: readable by everybody, and without a script complaining."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium, Page

from sandbox.catalogue import PORTAL_APP_ID
from tests.browser.launching import a_browser
from tests.sandbox.client import REDIRECT

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with a_browser() as running:
        yield running


@pytest.fixture(params=["light", "dark"])
def page(chromium: Chromium, request) -> Iterator[Page]:
    context = chromium.new_context(color_scheme=request.param, viewport={"width": 1000, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    # Chromium logs each page that was meant to be a refusal.
    assert [one for one in complaints if "Failed to load resource" not in one] == []


def address(served, app_id, redirect_uri, scope, **more):
    query = {"client_id": app_id, "response_type": "code", "redirect_uri": redirect_uri, "scope": scope} | more
    return f"{served.url}/organizations/oauth2/v2.0/authorize?{urlencode(query)}"


@pytest.fixture
def to_sidekick(served, sidekick):
    return address(served, sidekick.app_id, f"{served.url}/apps/mail-sidekick/callback", sidekick.scope)


def clean(page: Page) -> None:
    page.wait_for_load_state()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_from_the_picker_to_consent_and_back(page, served, to_sidekick):
    page.goto(to_sidekick)
    clean(page)
    page.get_by_role("button", name="Megan Bowen").click()
    page.get_by_role("heading", name="Permissions requested").wait_for()
    page.get_by_text("Mail.ReadWrite").click()
    clean(page)
    page.get_by_label("Consent on behalf of your organization").check()

    page.get_by_role("button", name="Accept").click()

    page.wait_for_url(f"{served.url}/apps/mail-sidekick/callback?*")
    clean(page)


def test_needs_admin_approval_and_a_refusal(page, served, sidekick, contoso_directory):
    contoso_directory.user_consent = "none"
    page.goto(address(served, sidekick.app_id, sidekick.redirect_uri, sidekick.scope))
    page.get_by_role("button", name="Henrietta Mueller").click()
    page.get_by_role("heading", name="Needs admin approval").wait_for()
    clean(page)

    page.goto(address(served, sidekick.app_id, "https://evil.example/", sidekick.scope))
    page.get_by_text("AADSTS50011").wait_for()
    clean(page)


def test_the_app_page_shows_what_works_and_what_does_not(page, served, contoso_directory):
    contoso_directory.revoke_sessions(contoso_directory.user("adele@contoso.example").id)
    page.goto(f"{served.url}/apps/mail-sidekick/")

    page.get_by_role("button", name="Use all tokens now").click()

    page.get_by_text("AADSTS50173", exact=True).wait_for()
    clean(page)


def test_a_second_account_and_signing_out(page, served, to_sidekick):
    page.goto(f"{served.url}/apps/mail-sidekick/")
    for name in ("Adele Vance", "Johanna Lorenz"):
        page.get_by_role("button", name="Sign in / connect again").click()
        page.get_by_role("button", name=name).click()
        page.wait_for_url(f"{served.url}/apps/mail-sidekick/")
    page.goto(f"{served.url}/organizations/oauth2/v2.0/logout")
    clean(page)

    page.get_by_role("button", name="Adele Vance").click()

    page.get_by_role("heading", name="You signed out").wait_for()
    clean(page)


def test_signing_out_goes_on_once_the_apps_were_told(page, served):
    # The portal does not run here: its frame fails to load, and that must not hold the person up.
    own = f"{served.url}/accounts/entra/login/callback/"
    page.goto(address(served, PORTAL_APP_ID, own, "openid profile"))
    page.get_by_role("button", name="Adele Vance").click()
    page.wait_for_url(f"{own}?*")
    target = urlencode({"post_logout_redirect_uri": own, "state": "s"})

    page.goto(f"{served.url}/organizations/oauth2/v2.0/logout?{target}")

    page.wait_for_url(f"{own}?state=s", timeout=10_000)


def test_an_answer_by_form_is_sent_without_a_click(page, served):
    page.goto(address(served, PORTAL_APP_ID, REDIRECT, "openid", response_mode="form_post"))
    sent = []
    page.route(f"{REDIRECT}*", lambda route: (sent.append(route.request.post_data), route.fulfill(body="ok")))

    page.get_by_role("button", name="Adele Vance").click()

    page.wait_for_url(REDIRECT)
    assert sent[0].startswith("code=")


def test_a_code_of_another_device_is_typed(page, served):
    page.goto(f"{served.url}/common/oauth2/deviceauth")
    clean(page)
    page.get_by_label("Code").fill("WRONG")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("alert").wait_for()
    clean(page)


def test_the_front_page(page, served):
    page.goto(served.url)
    clean(page)
    page.get_by_role("link", name="Mail Sidekick").click()
    page.get_by_role("heading", name="Mail Sidekick").wait_for()


def test_without_scripts_everything_still_works(chromium, served, to_sidekick):
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 700})
    page = context.new_page()
    page.goto(to_sidekick)
    page.get_by_role("button", name="Adele Vance").click()

    page.wait_for_url(f"{served.url}/apps/mail-sidekick/callback?*")
    page.goto(f"{served.url}/apps/mail-sidekick/")
    # The wide table scrolls inside its own region.
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()
