"""The three jobs, by the people whose they are, with everything running: web, worker, database, Entra ID and Graph.

What a person does for themselves, a stolen account, and taking an app out are done by keyboard alone.
"""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.by_keyboard import press, write
from tests.browser.counting import Way
from tests.browser.looking import faults_of

SLOWEST_PROOF = 60_000  # milliseconds until a step must be verified


def use_token_of(app: Page, name: str) -> None:
    app.get_by_role("button", name=f"Use the token now, of {name}").click()


def follow_until_proved(page: Page) -> None:
    """Stay on the revocation's page, which fills in by itself."""
    page.wait_for_url(re.compile(r"/t/contoso/revocations/[0-9a-f-]{36}/"))
    expect(page.get_by_role("main")).to_contain_text("Done, and proved", timeout=SLOWEST_PROOF)


def stay_until_proved(page: Page) -> None:
    """Stay where one worked: the message there follows what becomes of it."""
    expect(page.locator("#messages")).to_contain_text("Done, and proved", timeout=SLOWEST_PROOF)


def last_try(app: Page, name: str):
    return app.get_by_role("row", name=re.compile(rf"^\s*{re.escape(name)}\b"))  # others' mail may name them too


def test_a_person_removes_an_app_and_it_loses_its_access(visitor: Callable):
    name = "Alex Wilber"
    person = visitor(name)
    app = person.client_app("mail-sidekick")
    use_token_of(app, name)
    expect(last_try(app, name)).to_contain_text("OK")

    page = person.open("/")
    way = Way(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Apps that can act in your name")
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"\d+ apps can use your Contoso account"))
    way.reaches("What acts in my name?")
    row = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Mail Sidekick", exact=True))
    expect(row.first).to_contain_text("High risk Microsoft has not checked who makes it")
    way.reaches("Is this one dangerous?")
    press(page, page.get_by_role("link", name="Remove Mail Sidekick"))
    dialog = page.get_by_role("dialog", name="Remove Mail Sidekick?")
    expect(dialog.get_by_role("link", name="Keep it")).to_be_focused()
    assert faults_of(page) == []
    press(page, dialog.get_by_role("button", name="Remove Mail Sidekick"))

    removed = page.get_by_role("listitem").filter(has_text="Mail Sidekick").filter(has_text="Undo")
    expect(removed).to_be_visible()
    way.reaches("Make it stop")
    way.begins()
    expect(removed).to_contain_text("Verified at", timeout=SLOWEST_PROOF)
    way.reaches("Did it really stop?")
    use_token_of(app, name)
    expect(last_try(app, name)).to_contain_text("AADSTS65001")


def test_a_removal_can_be_undone(visitor: Callable):
    name = "Alex Wilber"
    person = visitor(name)
    page = person.page
    page.get_by_role("link", name="Remove Wingtip Notes").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove Wingtip Notes").click()
    removed = page.get_by_role("listitem").filter(has_text="Wingtip Notes").filter(has_text="Undo")
    expect(removed).to_contain_text("Verified at", timeout=SLOWEST_PROOF)

    removed.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("link", name="Remove Wingtip Notes")).to_be_visible(timeout=SLOWEST_PROOF)
    app = person.client_app("wingtip-notes")
    use_token_of(app, name)
    expect(last_try(app, name)).to_contain_text("OK")


def test_helpdesk_signs_a_person_out_and_every_refresh_is_refused(visitor: Callable):
    name = "Pradeep Gupta"
    agent = visitor("Henrietta Mueller")
    app = agent.client_app("mail-sidekick")
    use_token_of(app, name)
    expect(last_try(app, name)).to_contain_text("OK")

    page = agent.open("/t/contoso/people/")
    page.get_by_role("searchbox").fill(name.split()[0])
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name=f"Sign out {name} everywhere").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert faults_of(page) == []
    dialog.get_by_label(re.compile("Reason")).fill("Reported a stolen laptop")
    dialog.get_by_role("button", name=f"Sign out {name} everywhere").click()

    follow_until_proved(page)
    use_token_of(app, name)
    expect(last_try(app, name)).to_contain_text("AADSTS50173")


def test_a_stolen_account_is_secured_in_three_clicks_from_the_search(visitor: Callable):
    admin = visitor("Megan Bowen")
    page = admin.open("/t/contoso/people/")
    way = Way(page)

    page.keyboard.press("/")
    write(page, page.get_by_role("searchbox"), "Diego")
    expect(page.locator("#people tbody tr")).to_have_count(1)
    press(page, page.get_by_role("link", name="Diego Siciliani"))
    press(page, page.get_by_role("link", name="Secure account"))
    press(page, page.get_by_role("dialog").get_by_role("button", name="Secure the account of Diego Siciliani"))

    follow_until_proved(page)
    way.reaches("Contain a stolen account")
    done = page.get_by_role("region", name="Securing this account")
    expect(done).to_contain_text("Sign out everywhere")
    expect(done).to_contain_text("yours to do")
    assert faults_of(page) == []


def test_an_admin_deletes_an_app_and_brings_it_back(visitor: Callable):
    name, holder = "Trey Research Scheduler", "Isaiah Langer"
    admin = visitor("Megan Bowen")
    app = admin.client_app("trey-scheduler")

    page = admin.open("/t/contoso/apps/")
    page.get_by_role("link", name=name).first.click()
    page.get_by_role("link", name=f"Delete {name}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name=re.compile("name|type", re.IGNORECASE)).first.fill(name)
    assert faults_of(page) == []
    dialog.get_by_label(re.compile("Reason")).fill("No longer needed")
    dialog.get_by_role("button", name=f"Delete {name}").click()
    stay_until_proved(page)
    use_token_of(app, holder)
    expect(last_try(app, holder)).to_contain_text("Failed")

    page = admin.open("/t/contoso/deleted-apps/")
    page.get_by_role("link", name=f"Restore {name}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert faults_of(page) == []
    dialog.get_by_label(re.compile("Reason")).fill("Deleted by mistake")
    dialog.get_by_role("button", name=f"Restore {name}").click()
    stay_until_proved(page)
    use_token_of(app, holder)
    expect(last_try(app, holder)).to_contain_text("OK")


def test_helpdesk_refuses_one_customer_in_one_app_and_the_others_go_on(visitor: Callable, demo):
    """Azure AD B2C: the gate is asked inside every refresh, and inside the silent sign-in of a hidden frame."""
    name, who = "Ines Moreau", "ines.moreau@example.com"
    agent = visitor("Hugo Baker")

    def tries(app: str, what: str = "refresh") -> bool:
        return demo.sandbox.control("POST", f"b2c/apps/{app}/{what}", json={"user": who})["ok"]

    assert [tries(app) for app in ("store", "rewards", "mobile")] == [True, True, True]
    assert tries("rewards", "silent")

    def refuse(app: str) -> None:
        page.goto(of_person)
        page.get_by_role("link", name=f"Refuse {app}").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(f"Refuse the refresh of {name} in {app}")
        assert faults_of(page) == []
        page.get_by_label(re.compile("Reason")).fill("Lost her phone")
        page.get_by_role("button", name="Refuse the refresh").click()
        expect(page.get_by_role("main")).to_contain_text("The gate refuses the refresh")

    page = agent.open("/t/contosocustomers/people/")
    page.get_by_role("searchbox").fill("Ines")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=name).click()
    of_person = page.url

    refuse("Contoso Store")
    assert [tries(app) for app in ("store", "rewards", "mobile")] == [False, True, True]
    refuse("Contoso Rewards")
    assert [tries("rewards"), tries("rewards", "silent"), tries("mobile")] == [False, False, True]

    page.goto(of_person)
    for app in ("Contoso Store", "Contoso Rewards"):
        page.get_by_role("link", name=f"End {app}").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label(re.compile("Reason")).fill("Found it again")
        dialog.get_by_role("button", name="End the rule").click()
        expect(page.get_by_role("main")).to_contain_text("refuses nothing by this rule any more")
        page.goto(of_person)
    assert [tries(app) for app in ("store", "rewards", "mobile")] == [True, True, True]
    assert tries("rewards", "silent")
