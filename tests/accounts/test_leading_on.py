"""Forms that lead to Microsoft are answered here, with a page that leads on by itself.

Browsers hold `form-action` against every redirect that follows a form, so that where Microsoft sends people on to their
organisation's own sign-in (AD FS, Okta) a plain redirect would end at a blank page.

https://www.w3.org/TR/CSP3/#directive-form-action
"""

import pytest
from csp.constants import SELF
from django.conf import settings as configured
from django.urls import reverse

from tests.accounts.browser import links, onward
from tests.accounts.test_sign_in import MEGAN
from tests.accounts.test_step_up import make_old

MICROSOFT = "/organizations/oauth2/v2.0/authorize?"


def from_sign_in(browser):
    return browser.send(browser.open("/accounts/sign-in/"), "/accounts/entra/login/")


def from_confirming(browser):
    browser.sign_in(MEGAN)
    make_old(browser)
    return browser.send(browser.open("/accounts/step-up/"), "/accounts/step-up/")


@pytest.mark.parametrize("ask", [from_sign_in, from_confirming])
def test_the_answer_leads_on_by_itself_and_by_a_link(contoso, browser, ask):
    page = ask(browser)

    assert page.status_code == 200
    assert onward(page).startswith(browser.sandbox_url + MICROSOFT)
    assert onward(page) in links(page)
    assert "no-store" in page["Cache-Control"]


def test_so_does_connecting_an_organisation(browser, db):
    page = browser.send(browser.open(reverse("tenants:onboarding")), reverse("tenants:onboarding"))

    assert page.status_code == 200
    assert "/organizations/v2.0/adminconsent?" in onward(page)


def test_no_form_of_ours_may_lead_anywhere_else(client, db):
    assert configured.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"] == ["'self'"] == [SELF]
    assert "form-action 'self';" in client.get("/accounts/sign-in/")["Content-Security-Policy"] + ";"
