"""From a question about permissions to an app that is off. Many at once: test_with_a_second_person.py."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.counting import Way
from tests.browser.looking import WIDTHS, faults_of, too_wide
from tests.browser.test_three_jobs import stay_until_proved


def test_who_can_read_all_mail_is_off_in_five_clicks(visitor: Callable):
    admin = visitor("Megan Bowen")
    page = admin.open("/")
    way = Way(page)
    page.get_by_role("link", name="Contoso workspace").click()
    page.get_by_role("link", name="Reads everyone's mail").click()
    who = page.get_by_role("region", name="Apps that can")
    expect(who).to_be_visible()
    way.reaches("Who can read all mail?")
    assert faults_of(page) + too_wide(page, WIDTHS) == []
    app = who.get_by_role("link").filter(has_not_text="All of them").first
    name = (app.text_content() or "").strip()
    app.click()
    page.get_by_role("link", name=f"Disable {name}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(re.compile("Reason")).fill("Nobody knows why it reads all mail")
    dialog.get_by_role("button", name=f"Disable {name}").click()

    stay_until_proved(page)
    way.reaches("… and it is off")
    listed = admin.open(f"/t/contoso/apps/?enabled=no&q={name.replace(' ', '+')}")
    listed.get_by_role("main").get_by_role("link", name=name).first.click()
    page.get_by_role("link", name=f"Enable {name}").click()  # as it was, for whoever comes next
    dialog.get_by_label(re.compile("Reason")).fill("Somebody knows")
    dialog.get_by_role("button", name=f"Enable {name}").click()
    stay_until_proved(page)
