"""A form on another site cannot make a signed-in person's browser do anything here."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

NAMES = {"tenant": "contoso", "scope": "Mail.Send"}
MADE_UP = {"IntConverter": 1, "UUIDConverter": uuid4(), "StringConverter": "made-up"}
MADE_UP |= {"SlugConverter": "made-up", "PathConverter": "made/up"}


def addresses() -> list[str]:
    """Every address of ours, with made-up arguments of the sort that it takes."""
    found = []
    for namespace in ("accounts", "consent", "revocation", "audit", "inbox", "tenants"):
        _prefix, resolver = get_resolver().namespace_dict[namespace]
        for name in {key for key in resolver.reverse_dict if isinstance(key, str)}:
            for possible, _pattern, _defaults, converters in resolver.reverse_dict.getlist(name):
                given = {
                    one: NAMES[one] if one in NAMES else MADE_UP[type(converters[one]).__name__]
                    for one in possible[0][1]
                }
                found.append(reverse(f"{namespace}:{name}", kwargs=given))
    return sorted(found)


@pytest.mark.django_db
def test_no_address_takes_a_post_without_our_token(adele, megan, sign_in):
    browser = sign_in(Client(enforce_csrf_checks=True), megan)

    answers = {path: browser.post(path, {"next": "/"}).status_code for path in addresses()}

    assert len(answers) > 40
    # Of the exempted, one takes no POST at all; the other only what we signed ourselves, from a mail.
    exempted = {path: status for path, status in answers.items() if status != 403}
    assert exempted == {"/accounts/front-channel-logout/": 405, "/mail/off/made-up/": 404}
