"""The questions people come with, and how far it is to each answer. Those that other files walk are counted there.

What each may take is in docs/walks.md.
"""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.by_keyboard import press, write
from tests.browser.counting import Way
from tests.browser.looking import faults_of
from tests.browser.test_three_jobs import follow_until_proved

IMITATION = "Micros0ft Office Viewer"


def test_an_app_that_somebody_does_not_know_is_stopped_and_security_hears_of_it(visitor: Callable):
    name = "M365 MCP Server for Claude"
    page = visitor("Alex Wilber").page
    way = Way(page)

    page.locator("summary", has_text=f"More {name}").click()
    page.get_by_role("button", name=f"Report and remove it {name}").click()
    removed = page.get_by_role("listitem").filter(has_text=name).filter(has_text="Undo")
    expect(removed).to_contain_text("Verified at")
    way.reaches("Stop an app I don't know and tell security")

    inbox = visitor("Megan Bowen").open("/t/contoso/")
    waiting = inbox.get_by_role("region", name="Inbox")
    expect(waiting).to_contain_text("1 person does not recognise it.")
    expect(waiting).to_contain_text("Alex Wilber")
    waiting.get_by_role("button", name=f"Dealt with {name}").click()
    expect(waiting).not_to_contain_text(name)


def test_an_admin_takes_the_worst_app_out_and_puts_it_back_by_keyboard_alone(visitor: Callable):
    megan = visitor("Megan Bowen")
    page = megan.page
    way = Way(page)

    press(page, page.get_by_role("link", name="Contoso workspace"))
    worst = page.get_by_role("region", name="Most dangerous apps")
    expect(worst.get_by_role("listitem").first).to_contain_text("Its name looks like")
    way.reaches("Which app is the worst?")
    press(page, worst.get_by_role("link", name=IMITATION, exact=True))
    expect(page.get_by_role("region", name="Who consented")).to_contain_text("Pradeep Gupta")
    way.reaches("Who consented to it?")
    press(page, page.get_by_role("link", name=f"Take out {IMITATION}"))
    write(page, page.get_by_label(re.compile("Reason")), "Imitates Microsoft")
    press(page, page.get_by_role("main").get_by_role("button", name="Take out"))
    follow_until_proved(page)
    way.reaches("Take it out")

    megan.open("/")
    way.begins()
    press(page, page.get_by_role("link", name="Contoso workspace"))
    recent = page.get_by_role("region", name="Recent revocations")
    press(page, recent.get_by_role("link", name=f"Take out {IMITATION}").first)
    press(page, page.get_by_role("main").get_by_role("link", name="Undo", exact=True))
    undone = page.url
    press(page, page.get_by_role("dialog").get_by_role("button", name=re.compile("Undo")))
    page.wait_for_url(lambda url: url != undone)
    follow_until_proved(page)
    way.reaches("Put it back")


def test_helpdesk_and_auditors_are_let_in(visitor: Callable):
    page = visitor("Megan Bowen").page
    way = Way(page)

    page.get_by_role("link", name="Contoso workspace").click()
    page.get_by_role("navigation", name="Workspace").get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="First steps").click()
    roles = page.get_by_role("listitem").filter(has_text="Helpdesk and auditors have their roles")
    expect(roles.get_by_role("link", name="Give roles in Entra")).to_have_attribute("href", re.compile("/Users"))
    way.reaches("Let helpdesk and auditors in")


def test_what_was_done_last_week_is_proved(visitor: Callable):
    auditor = visitor("Nestor Wilke")
    page = auditor.open("/")
    way = Way(page)

    page.get_by_role("link", name="Contoso workspace").click()
    page.get_by_role("navigation", name="Workspace").get_by_role("link", name="Audit").click()
    page.get_by_role("link", name="Last 7 days").click()
    expect(page.get_by_role("main")).to_contain_text("and they hold")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export what is filtered (CSV)").click()
    assert download.value.suggested_filename.endswith(".csv")
    way.reaches("Prove what was done last week")
    page.get_by_role("link", name="Check the whole chain").click()
    certificate = page.get_by_role("main").get_by_role("button", name=re.compile("certificate"))
    expect(certificate).to_be_visible()  # before that, the page may still be the one that was left
    assert faults_of(page) == []
    with page.expect_download() as download:
        certificate.click()
    assert download.value.suggested_filename.endswith(".json")
    way.reaches("… with a signed certificate")
