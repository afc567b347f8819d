"""An ID token names directory roles only where the registration asks for them: what is not told is not known.

https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference (`wids`, `groupMembershipClaims`)
"""

import pytest

from accounts import selectors
from accounts.tenancy import tenant_context
from tests.accounts.test_freshness import account, give_role, make_old
from tests.accounts.test_sign_in import ADELE, memberships
from tests.sandbox_client import CONTOSO, PORTAL_CLIENT_ID

READER = "miriam@contoso.example"  # Global Reader, and in no role of ours
NOT_KNOWN = "Which directory roles you hold is not known here"


@pytest.fixture
def told(entra):
    """Change what the registration asks for."""

    def ask(claims: str | None) -> None:
        change = {"tenant": CONTOSO, "do": "registration", "app": PORTAL_CLIENT_ID, "group_membership_claims": claims}
        entra.control("POST", "world", json=change)

    return ask


def test_where_nobody_asked_the_page_does_not_say_that_there_is_none(contoso, browser, told):
    told(None)
    browser.sign_in(READER)

    answer = browser.open("/t/contoso/")

    assert answer.status_code == 403
    assert NOT_KNOWN in answer.content.decode()
    assert memberships(contoso) == {READER: ["user"]}


def test_where_it_is_told_a_person_without_a_role_has_none(contoso, browser):
    browser.sign_in(ADELE)

    page = browser.open("/t/contoso/").content.decode()

    assert "your role does not include that" in page
    assert NOT_KNOWN not in page


def test_a_role_of_ours_is_known_without_them(contoso, browser, told, entra):
    told(None)
    browser.sign_in(ADELE)
    give_role(entra, contoso, account(contoso), "Portal.Helpdesk")
    make_old(contoso, 700)

    page = browser.open("/t/contoso/audit/").content.decode()

    assert "your role does not include that" in page
    assert NOT_KNOWN not in page


def test_a_registration_that_asks_from_now_on_is_seen_at_the_next_refresh(contoso, browser, told):
    told(None)
    browser.sign_in(READER)
    told("DirectoryRole")
    make_old(contoso, 700)

    assert browser.open("/t/contoso/").status_code == 200


def test_whether_a_tenants_tokens_told_can_be_asked(contoso, browser, another_browser, told):
    with tenant_context(contoso.id):
        assert selectors.directory_roles_told(contoso) is None

    told(None)
    browser.sign_in(READER)
    with tenant_context(contoso.id):
        assert selectors.directory_roles_told(contoso) is False

    told("All")
    another_browser().sign_in(ADELE)
    with tenant_context(contoso.id):
        assert selectors.directory_roles_told(contoso) is True


# --- who is a guest ----------------------------------------------------------------------------------------


def test_a_federated_tenants_people_are_its_own(contoso, browser, entra):
    """Their tokens may name the organisation's own sign-in server as `idp`; `acct` says whose they are."""
    entra.control("POST", "identity", json={"federated": {CONTOSO: "http://fs.contoso.example/adfs/services/trust"}})

    assert browser.sign_in(ADELE)["Location"] == "/"
