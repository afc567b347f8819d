"""Every page that can be reached: axe finds nothing in light, in dark, on a telephone, or mirrored.

No width scrolls sideways, and scripts are silent.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.access_table import TABLE
from tests.browser.looking import bring_axe, faults_of, too_wide
from tests.browser.walking import NO_PAGES, Walk, name_of

pytestmark = [
    pytest.mark.timeout(600),  # some sixty pages each, and axe takes its time
    pytest.mark.xdist_group("every page"),  # what one of them measured is not measured again
]

# Contoso has no gate: looked at by themselves, below.
OF_A_GATE = {
    "revocation:check-rule",
    "revocation:end-rule",
    "revocation:new-rule",
    "revocation:refuse-refresh",
    "revocation:rule",
    "revocation:rules",
    "tenants:end-credential",
    "tenants:upload-policies",
}
# Pages that need something which no link leads to in this world; their parts are on other pages.
NOT_LINKED = {
    "accounts:go-on",  # shown only while a button without a page of its own waits; looked at in tests/accounts
    "consent:remove-apps",  # where several apps are one's own: Adele's, not Megan's
    "consent:sign-out-proof",  # looked at in test_demo.py
    "inbox:mail-off",  # only mails lead there; its answer to a wrong link is looked at below
    "accounts:ended",  # shown only to a browser whose session was ended
    "tenants:end-provider",
    "tenants:onboarding-waiting",  # shown while a consent is under way; looked at in tests/tenants
    "revocation:reading",  # shown while a long list is read; looked at in tests/revocation/test_long_lists.py
    "revocation:pause",
    "revocation:resume",
    "revocation:cancel",
    "revocation:retry",
    "revocation:undo",  # looked at in test_many_apps.py
    "revocation:approve",  # looked at in test_with_a_second_person.py
    "revocation:reject",
    "revocation:override",
}


@pytest.mark.parametrize("name", ["Adele Vance", "Henrietta Mueller", "Nestor Wilke"])
def test_pages_of_others(visitor: Callable, name: str):
    person = visitor(name)
    start = "/" if name == "Adele Vance" else "/t/contoso/"
    walk = Walk(person.page, person.demo.portal_url).from_(start)

    assert walk.faults == []
    assert walk.shared_titles == {}


def test_an_admin_reaches_every_page(visitor: Callable):
    """After one of each thing was done, links lead everywhere."""
    megan = visitor("Megan Bowen")
    reached = Walk(megan.page, megan.demo.portal_url).from_("/")
    do_one_of_each(megan.page, megan.demo.portal_url)
    reached.from_(
        "/activity/",
        "/t/contoso/",
        "/t/contoso/revocations/",
        "/accounts/sessions/",
        "/onboarding/",
        "/accounts/signed-out/",
    )
    preview = preview_of_a_list(megan.page, megan.demo.portal_url)
    reached.from_(preview, change_of_those_ticked(megan.page, megan.demo.portal_url), "/accounts/sign-in/")
    reached.into("/t/contoso/apps/?enabled=no", "consent:app")
    reached.into("/t/contoso/apps/?q=Contoso+Travel", "consent:app", "?tab=organisation")
    reached.into("/t/contoso/apps/?q=Research&kind=agentIdentityBlueprintPrincipal", "consent:app", "?tab=passes")
    reached.into("/t/contoso/apps/?q=Helpdesk&kind=agents", "consent:app", "?tab=ties")
    reached.into("/t/contoso/revocations/", "revocation:detail")
    put_back(megan.page, megan.demo.portal_url)
    megan.demo.forget_sign_in_time(megan.context)
    reached.from_("/accounts/step-up/")

    pages = {name for name, row in TABLE.items() if row.method == "get"} - NO_PAGES - NOT_LINKED - OF_A_GATE
    assert " ".join(sorted(pages - reached.names)) == ""
    assert reached.faults == []
    assert reached.shared_titles == {}


def test_pages_of_a_tenant_with_a_gate(visitor: Callable):
    nadia = visitor("Nadia Fischer")
    page, origin = nadia.page, nadia.demo.portal_url + "/t/contosocustomers/"
    page.goto(origin + "people/?q=Wanda")
    page.get_by_role("link", name="Wanda Kowalska").click()
    page.get_by_role("link", name="Refuse Contoso Mobile").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Refuse the refresh of Wanda Kowalska")
    seen, faults = {name_of(page.url)}, faults_of(page) + too_wide(page)
    page.get_by_label(re.compile("Reason")).fill("A lost telephone")
    page.get_by_role("button", name="Refuse the refresh").click()
    expect(page.get_by_role("main")).to_contain_text("The gate refuses the refresh")

    def look(path: str) -> None:
        page.goto(path)
        seen.add(name_of(page.url))
        faults.extend(faults_of(page) + too_wide(page))

    for path in ("refresh-rules/", "refresh-rules/new/", "refresh-rules/new/check/?condition=missing&claim=country"):
        look(origin + path)
    page.goto(origin + "refresh-rules/")
    rule = origin.partition("/t/")[0] + page.get_by_role("link", name="Wanda Kowalska").get_attribute("href")
    look(rule)
    look(rule + "end/")
    look(origin + "settings/gate/")
    credential = page.get_by_role("link", name=re.compile("^End ")).first.get_attribute("href")
    look(origin.partition("/t/")[0] + credential)
    page.goto(origin + "settings/gate/why/")
    page.get_by_role("button", name="Read the policies").click()
    expect(page.get_by_role("main")).to_contain_text("As they were read")
    look(page.url)
    look(origin + "settings/gate/policies/")
    look(origin + "settings/gate/policies/upload/")

    assert faults == []
    assert OF_A_GATE - seen == set()
    page.goto(rule + "end/")
    page.get_by_label(re.compile("Reason")).fill("Found")
    page.get_by_role("button", name="End the rule").click()


def do_one_of_each(page: Page, origin: str) -> None:
    """Remove an own app, and sign a person out."""
    page.goto(origin)
    page.get_by_role("link", name=re.compile("^Remove ")).first.click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Remove ")).click()
    expect(page.get_by_role("link", name=re.compile("^Every step")).first).to_be_visible()
    page.goto(f"{origin}/t/contoso/people/?q=graham")
    page.get_by_role("link", name="Miriam Graham").click()
    page.wait_for_url("**/people/*-*/")
    # The button, not an earlier sign-out of the same title among the past ones.
    page.locator("a.button", has_text="Sign out Miriam Graham everywhere").click()
    page.get_by_role("dialog").get_by_label(re.compile("Reason")).fill("A lost telephone")
    page.get_by_role("dialog").get_by_role("button", name="Sign out Miriam Graham everywhere").click()
    page.wait_for_url("**/t/contoso/revocations/*/")


def put_back(page: Page, origin: str) -> None:
    """Undo the removal, so that whoever comes next finds something to remove."""
    page.goto(origin)
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("link", name=re.compile("^Remove ")).first).to_be_visible(timeout=60_000)


def change_of_those_ticked(page: Page, origin: str) -> str:
    page.goto(f"{origin}/t/contoso/apps/?publisher=unverified&enabled=yes")
    page.get_by_label("All shown").check()
    page.get_by_role("button", name=re.compile("^Disable")).click()
    page.wait_for_url("**/apps/change/**")
    return page.url.removeprefix(origin)


def preview_of_a_list(page: Page, origin: str) -> str:
    page.goto(f"{origin}/t/contoso/revocations/new/")
    page.locator("textarea[name=text]").fill("pradeep@contoso.example\nnobody@contoso.example")
    page.get_by_role("button", name="Check who this is").click()
    page.wait_for_url("**/revocations/lists/*/**")
    return urlsplit(page.url).path


@pytest.mark.parametrize(
    "path", ["/accounts/sign-in/", "/accounts/signed-out/", "/no-such-page/", "/onboarding/", "/mail/off/no-token/"]
)
def test_pages_without_a_person(browser, demo, path: str):
    context = browser.new_context(reduced_motion="reduce")
    bring_axe(context)
    page = context.new_page()
    page.goto(demo.portal_url + path)

    assert faults_of(page) + too_wide(page) == []
    context.close()
