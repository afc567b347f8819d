"""What changed since a day, and how many apps act for each person."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tenancy import tenant_context
from directory.models import Collection
from directory.sync import derive
from tests.directory.rows import a_grant, an_app, graph_api, somebody

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def admin(client, sign_in, megan):
    return sign_in(client, megan)


@pytest.fixture
def copy(contoso):
    """Contoso, read first ten days ago; since then one person let an app in, and another an old one."""
    with tenant_context(contoso.pk):
        api, adele = graph_api(contoso), somebody(contoso, "Adele Vance")
        Collection.objects.create(
            tenant=contoso,
            kind=Collection.Kind.GRANTS,
            complete_at=NOW,
            first_complete_at=NOW - timedelta(days=10),
        )
        dates = {"first_seen_at": NOW - timedelta(days=2), "consented_at": NOW - timedelta(days=2, hours=1)}
        a_grant(an_app(contoso, "Mail Sidekick"), api, "Mail.Read", adele, consented_by="Adele Vance", **dates)
        a_grant(an_app(contoso, "Old Notes"), api, "User.Read", adele, first_seen_at=NOW - timedelta(days=11))
        known = {"first_seen_at": NOW - timedelta(days=11), "consented_at": NOW - timedelta(days=3)}
        a_grant(an_app(contoso, "Trey Research"), api, "User.Read", adele, **known)  # the log knows better
        derive(contoso)
    return contoso


def test_new_consents_are_told_with_who_and_when(admin, copy):
    page = admin.get(reverse("consent:changes", args=[copy.slug])).content.decode()

    assert "Mail Sidekick" in page
    assert "by Adele Vance" in page
    assert page.index("Mail Sidekick") < page.index("Trey Research")
    assert "Old Notes" not in page


@pytest.mark.parametrize("since", ["2020-01-01", "never", ""])
def test_what_the_first_reading_found_is_never_called_new(admin, copy, since):
    page = admin.get(reverse("consent:changes", args=[copy.slug]), {"since": since}).content.decode()

    assert "Old Notes" not in page
    assert ("The first reading of the directory was on" in page) is (since == "2020-01-01")


def test_before_a_whole_reading_nothing_is_known_to_be_new(admin, contoso):
    page = admin.get(reverse("consent:changes", args=[contoso.slug])).content.decode()

    assert "nothing is known to be new" in page


def test_the_list_of_people_counts_their_apps_by_risk(admin, copy):
    page = admin.get(reverse("revocation:people", args=[copy.slug])).content.decode()

    assert "1 high" in page
    assert "2 medium" in page
