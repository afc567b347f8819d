"""Agents, with everything running: a blueprint is switched off, and its agents are seen to be refused a token."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.by_keyboard import press, write
from tests.browser.looking import WIDTHS, faults_of, too_wide
from tests.browser.test_three_jobs import stay_until_proved

REFUSED = "AADSTS7000112"


def use_all(runner: Page) -> None:
    runner.get_by_role("button", name="Use all tokens now").click()


def test_a_person_sees_what_acts_in_their_name_by_whose_word(visitor: Callable):
    page = visitor("Adele Vance").page

    retail = page.get_by_role("listitem").filter(has_text="Research Assistant (Retail)")
    expect(retail.first).to_contain_text("Granted by you, and inherited from its blueprint")
    page.get_by_role("link", name="Remove Research Assistant (Retail)").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It goes on with what it inherits from its blueprint (Research Assistant)")
    assert faults_of(page) == []
    dialog.get_by_role("link", name="Keep it").click()
    page.locator("#my-agents").get_by_role("link", name="Research Assistant (Retail)").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Research Assistant (Retail)")
    assert faults_of(page) + too_wide(page) == []


def test_an_admin_switches_a_blueprint_off_and_its_agents_get_no_token(visitor: Callable):
    """By the keyboard alone, from the list to the proof."""
    admin = visitor("Megan Bowen")
    runner = admin.client_app("research-assistant")
    use_all(runner)
    expect(runner.get_by_role("row").filter(has_text="(Sales)")).to_contain_text("OK")

    page = admin.open("/t/contoso/apps/?kind=agentIdentityBlueprintPrincipal&q=Research")
    press(page, page.get_by_role("link", name="Research Assistant", exact=True))
    expect(page.get_by_role("heading", name="Agents made from it")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Research Assistant (Finance)")
    assert faults_of(page) + too_wide(page, WIDTHS) == []
    press(page, page.get_by_role("link", name="Passes on"))
    expect(page.get_by_role("heading", name="What it passes on to its agents")).to_be_visible()
    assert faults_of(page) + too_wide(page, WIDTHS) == []
    press(page, page.get_by_role("link", name="Disable Research Assistant"))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 agents made from it get no new token")
    assert faults_of(page) == []
    write(page, dialog.get_by_label(re.compile("Reason")), "Nobody knows what it is for")
    page.keyboard.press("Enter")

    stay_until_proved(page)
    use_all(runner)
    for place in ("Retail)", "Sales)", "Finance)"):
        expect(runner.get_by_role("row").filter(has_text=place).first).to_contain_text(REFUSED)

    press(page, page.get_by_role("link", name="Enable Research Assistant"))  # as it was, for whoever comes next
    write(page, dialog.get_by_label(re.compile("Reason")), "Somebody knows")
    page.keyboard.press("Enter")
    stay_until_proved(page)
    use_all(runner)
    expect(runner.get_by_role("row").filter(has_text="(Sales)")).to_contain_text("OK")
