"""What the pages about apps say is so: what is not known is not nought, and nothing is done that cannot be."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tenancy import tenant_context
from consent.showing.app_changes import deleting
from directory.models import Collection, PermissionGrant, Person as DirectoryPerson, ServicePrincipal
from revocation import actions
from revocation.models import RevocationRequest, RevocationStep
from revocation.showing.timeline import timeline
from revocation.showing.words import what_happened

pytestmark = pytest.mark.django_db

Kind, State = Collection.Kind, RevocationStep.State


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|head)\b.*?</\1>", " ", html, flags=re.S)).split())


@pytest.fixture
def read(contoso):
    """`read(*kinds)`: these parts of the directory were read in full."""

    def in_full(*kinds):
        with tenant_context(contoso.pk):
            for kind in kinds:
                now = timezone.now()
                Collection.objects.create(tenant=contoso, kind=kind, complete_at=now, first_complete_at=now)

    return in_full


@pytest.fixture
def app(contoso):
    """`app(name, **facts)`: an app of the copy."""

    def made(name, **facts):
        ids = {"id": uuid4(), "app_id": uuid4(), "tenant": contoso, "synced_at": timezone.now()}
        with tenant_context(contoso.pk):
            return ServicePrincipal.objects.create(display_name=name, **(ids | facts))

    return made


@pytest.fixture
def page(client, sign_in, megan):
    """What Megan, or somebody else, reads at an address."""

    def text(name, *ids, person=megan, **query):
        args = ids if name.startswith("my-") else ["contoso", *ids]
        return plain(sign_in(client, person).get(reverse(f"consent:{name}", args=args), query).content.decode())

    return text


# --- What is not known --------------------------------------------------------------------------------


def test_before_grants_and_assignments_were_read_nobody_is_not_said(read, app, page):
    read(Kind.SERVICE_PRINCIPALS)
    one = app("Mail Sidekick")

    listed = page("apps")
    assert "nobody" not in listed
    assert listed.count("unknown") >= 3
    assert not re.search(r"Mail Sidekick.*\b0\b", listed)
    shown = page("app", one.pk)
    assert not re.search(r"(User consent|Admin consent|App-only|Assigned) 0", shown)
    with tenant_context(one.tenant_id):
        assert "may be more" in deleting(one, "/").truths[0].text
    for tab in ("people", "organisation", "alone", "assigned"):
        assert "Not known" in page("app", one.pk, tab=tab)


def test_once_they_were_read_none_is_none(read, app, page):
    read(Kind.SERVICE_PRINCIPALS, Kind.GRANTS, Kind.ASSIGNMENTS)
    one = app("Mail Sidekick")

    assert "publisher not verified nobody" in page("apps")
    assert "Assigned 0" in page("app", one.pk)


def test_the_overview_counts_no_grants_before_they_were_read(read, app, page):
    read(Kind.SERVICE_PRINCIPALS)

    assert "The grants have not been read in full yet." in page("overview")
    assert "0 of 0 grants" not in page("overview")


@pytest.mark.parametrize("kind", [Kind.SERVICE_PRINCIPALS, Kind.GRANTS])
def test_a_list_that_lacks_what_microsoft_counts_is_not_called_complete(read, contoso, page, kind):
    read(Kind.SERVICE_PRINCIPALS, Kind.GRANTS)
    with tenant_context(contoso.pk):
        row = Collection.objects.filter(tenant=contoso, kind=kind)
        row.update(row_count=41, graph_count=43, unreadable=0)
        assert "Not complete" in page("overview")
        assert "41 of 43" in page("overview")
        assert ("Not complete" in page("apps")) == (kind == Kind.SERVICE_PRINCIPALS)

        row.update(unreadable=2)  # said by itself, on the list
        assert "Complete as of" in page("overview")


def test_an_empty_copy_is_not_called_no_app(read, page, adele):
    assert "Your apps are not known yet" in page("my-apps", person=adele)

    read(Kind.GRANTS)
    assert "No app can act in your name" in page("my-apps", person=adele)


# --- Who gave it, and whether it can act --------------------------------------------------------------


def test_what_an_admin_gave_an_app_for_itself_was_not_given_by_nobody(read, app, page):
    read(Kind.SERVICE_PRINCIPALS, Kind.GRANTS, Kind.ASSIGNMENTS)
    app("Proseware Backup", app_permission_count=4)

    listed = page("apps")

    assert "publisher not verified By itself" in listed
    assert "nobody" not in listed


@pytest.fixture
def granted(contoso, app, adele):
    """An app that Adele let in."""
    resource, one = app("Microsoft Graph"), app("Litware", account_enabled=False)
    with tenant_context(contoso.pk):
        known = DirectoryPerson.objects.create(
            id=adele.object_id, tenant=contoso, display_name="Adele Vance", upn=adele.upn, synced_at=timezone.now()
        )
        PermissionGrant.objects.create(
            tenant=contoso,
            graph_id="g",
            client=one,
            resource=resource,
            principal=known,
            consent_type=PermissionGrant.ConsentType.ONE,
            scopes=["Mail.Read"],
            synced_at=timezone.now(),
        )
    return one


def test_an_app_an_administrator_disabled_is_told_as_such(read, page, adele, granted):
    read(Kind.GRANTS)

    listed = page("my-apps", person=adele)

    assert "Disabled by an administrator" in listed
    assert "No app can use your Contoso account in your name." in listed


# --- Words of an action -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(actions.all_actions()))
@pytest.mark.parametrize("state", [State.WAITING, State.ACCEPTED, State.VERIFIED, State.UNCONFIRMED])
def test_no_action_is_told_as_its_opposite(name, state):
    """Never "The directory shows it" of a thing that is gone, or "does not show it" of one that came back."""
    action = actions.get(name)
    now = timezone.now()
    request = RevocationRequest(title="Something", actor_label="Megan Bowen", state="running", created_at=now)
    step = RevocationStep(
        request=request, action=name, state=state, target_label="Mail Sidekick", accepted_at=now, finished_at=now
    )

    told = [what_happened(step), *(point.text for point in timeline(request, [step], own=False).points)]

    for text in told:
        assert text != "The directory shows it"
        assert not re.search(r"not show", text)
    if state == State.VERIFIED:
        assert str(action.shown) in told
    assert action.shown != actions.Action.shown
