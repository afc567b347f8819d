"""A form on another site cannot make a signed-in person's browser do anything here."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

NAMES = {"tenant": "contoso", "scope": "Mail.Send"}


def addresses() -> list[str]:
    """Every address of ours that takes arguments we can make up, or none."""
    found = []
    for namespace in ("accounts", "consent", "revocation", "audit"):
        _prefix, resolver = get_resolver().namespace_dict[namespace]
        for name in {key for key in resolver.reverse_dict if isinstance(key, str)}:
            for possible, *_rest in resolver.reverse_dict.getlist(name):
                wanted = possible[0][1]
                given = {
                    one: NAMES.get(one, 1 if one == "pk" and namespace == "accounts" else uuid4()) for one in wanted
                }
                found.append(reverse(f"{namespace}:{name}", kwargs=given))
    return sorted(found)


@pytest.mark.django_db
def test_no_address_takes_a_post_without_our_token(adele, megan, sign_in):
    browser = sign_in(Client(enforce_csrf_checks=True), megan)

    answers = {path: browser.post(path, {"next": "/"}).status_code for path in addresses()}

    assert len(answers) > 40
    # The one exempted takes no POST at all.
    exempted = {path: status for path, status in answers.items() if status != 403}
    assert exempted == {"/accounts/front-channel-logout/": 405}
