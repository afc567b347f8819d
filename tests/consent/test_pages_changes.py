"""What changed since a day, and how many apps act for each person."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tenancy import tenant_context
from directory.models import Collection, Person, ServicePrincipal, WithdrawnGrant
from directory.sync import derive
from revocation.models import RevocationRequest
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


def test_what_was_taken_back_here_and_what_was_deleted_is_told_too(admin, copy, megan):
    with tenant_context(copy.pk):
        an_app(copy, "Gone Yesterday", deleted_at=NOW - timedelta(days=1))
        an_app(copy, "Gone Long Ago", deleted_at=NOW - timedelta(days=20))
        common = {"tenant": copy, "actor_id": "x", "actor_label": "Megan Bowen", "digest": "", "step_count": 1}
        kinds, states = RevocationRequest.Kind, RevocationRequest.State
        for title, kind, state in (
            ("Withdraw the consent of Adele Vance", kinds.REVOKE_USER_CONSENT, states.FINISHED),
            ("Disable Mail Sidekick", kinds.DISABLE_APP, states.FINISHED),
            ("Sign out Adele Vance", kinds.SIGN_OUT, states.FINISHED),
            ("Delete Trey Research", kinds.DELETE_APP, states.REJECTED),
        ):
            RevocationRequest.objects.create(title=title, kind=kind, state=state, **common)
    page = admin.get(reverse("consent:changes", args=[copy.slug])).content.decode()

    assert "Withdraw the consent of Adele Vance" in page
    assert "Disable Mail Sidekick" in page
    assert "Sign out Adele Vance" not in page  # of no app
    assert "Delete Trey Research" not in page  # never done
    assert "Gone Yesterday" in page
    assert "Gone Long Ago" not in page
    assert "outside this portal" in page


def test_what_was_taken_back_at_microsoft_is_told_with_the_app_and_whose_it_was(admin, copy):
    with tenant_context(copy.pk):
        (app,) = ServicePrincipal.objects.filter(display_name="Old Notes")
        person = Person.objects.get(display_name="Adele Vance")
        gone = {"tenant": copy, "client_id": app.pk, "app_name": app.display_name, "scopes": ["Mail.Read"]}
        WithdrawnGrant.objects.create(graph_id="1", principal_id=person.pk, gone_at=NOW - timedelta(days=1), **gone)
        WithdrawnGrant.objects.create(graph_id="2", gone_at=NOW - timedelta(days=2), **gone)
        WithdrawnGrant.objects.create(graph_id="3", gone_at=NOW - timedelta(days=20), **gone)
    page = admin.get(reverse("consent:changes", args=[copy.slug])).content.decode()
    rows = page.partition('id="withdrawn"')[2].partition("</table>")[0].split("<tr>")[2:]

    assert ["Adele Vance" in row for row in rows] == [True, False]
    assert ["everyone" in row for row in rows] == [False, True]
    assert all("Old Notes" in row and "mail" in row for row in rows)


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
