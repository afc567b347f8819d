"""Who gets to a view, and how a fresh sign-in is asked for on the way."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from accounts.access import Actor, local_path, require, safe_next
from accounts.roles import Capability, Role, capabilities, roles_from_claims

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
HELPDESK_ADMINISTRATOR = "729827e3-9c14-49f7-bb1b-9608f156bbb8"


@pytest.mark.parametrize(
    ("app_roles", "directory_roles", "expected"),
    [
        ([], [], ["user"]),
        (["Portal.Helpdesk"], [], ["helpdesk", "user"]),
        ([], [GLOBAL_ADMINISTRATOR], ["tenant_admin", "user"]),
        (["Portal.Auditor"], [GLOBAL_ADMINISTRATOR], ["auditor", "user"]),  # what was assigned here wins
        (["Portal.Helpdesk", "Portal.Auditor"], [], ["auditor", "helpdesk", "user"]),
        (["Portal.Emperor"], ["11111111-0000-4000-8000-000000000000"], ["user"]),
        ([], ["9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"], ["app_admin", "user"]),  # apps, and nobody's sessions
        (["Portal.Emperor"], [HELPDESK_ADMINISTRATOR], ["helpdesk", "user"]),
    ],
)
def test_roles_come_from_our_app_roles_else_from_directory_roles(app_roles, directory_roles, expected):
    assert roles_from_claims(app_roles, directory_roles) == expected


def test_an_unknown_role_can_do_nothing():
    assert capabilities(["emperor"]) == frozenset()
    assert capabilities([Role.USER]) == {Capability.OWN_APPS}


@pytest.mark.parametrize("auth_age", [0, 290])
def test_a_fresh_sign_in_sends_what_asks_for_one(client, sign_in, megan, auth_age):
    sign_in(client, megan, auth_age=auth_age)

    assert client.post("/t/contoso/settings/providers/", {"who": ""}).status_code == 422


def test_with_an_old_one_the_page_opens_and_what_it_sends_leads_to_the_confirmation_and_back(client, sign_in, megan):
    sign_in(client, megan, auth_age=400)
    address = "/t/contoso/settings/providers/?page=2"

    assert client.get(address).status_code == 200
    response = client.post(address, headers={"referer": f"http://testserver{address}"})

    assert response["Location"] == "/accounts/step-up/?next=%2Ft%2Fcontoso%2Fsettings%2Fproviders%2F%3Fpage%3D2"


def test_what_was_sent_is_not_repeated_but_its_page_is_opened_again(client, sign_in, megan):
    sign_in(client, megan, auth_age=400)

    response = client.post(
        "/t/contoso/settings/providers/", headers={"referer": "http://testserver/t/contoso/apps/?q=mail"}
    )

    assert response["Location"] == "/accounts/step-up/?next=%2Ft%2Fcontoso%2Fapps%2F%3Fq%3Dmail"


@pytest.mark.parametrize("referer", ["https://evil.example/x", "http://testserver//evil.example/x", "", "nonsense"])
def test_a_page_of_another_site_is_never_gone_back_to(client, sign_in, megan, referer):
    sign_in(client, megan, auth_age=400)

    response = client.post("/t/contoso/settings/providers/", headers={"referer": referer})

    assert response["Location"] == "/accounts/step-up/?next=%2F"


def test_htmx_moves_the_whole_page(client, sign_in, megan):
    sign_in(client, megan, auth_age=400)
    headers = {"hx-request": "true", "hx-current-url": "http://testserver/t/contoso/apps/"}

    response = client.post("/t/contoso/settings/providers/", headers=headers)

    assert response["HX-Redirect"] == "/accounts/step-up/?next=%2Ft%2Fcontoso%2Fapps%2F"


@pytest.mark.parametrize("auth_time", [None, "now", 4_000_000_000])
def test_a_session_that_does_not_know_when_must_confirm(client, sign_in, megan, auth_time):
    sign_in(client, megan)
    session = client.session
    session["auth_time"] = auth_time
    session.save()

    assert client.post("/t/contoso/settings/providers/").status_code == 302


def test_a_role_that_is_missing_is_said_in_words(client, sign_in, henrietta):
    sign_in(client, henrietta)

    response = client.get("/t/contoso/settings/providers/")

    assert response.status_code == 403
    assert "change the tenant&#x27;s settings" in response.content.decode()


@pytest.mark.parametrize("slug", ["fabrikam", "nowhere"])
def test_another_tenant_is_as_absent_as_one_that_never_was(client, sign_in, adele, fabrikam, slug):
    sign_in(client, adele)

    assert client.get(f"/t/{slug}/").status_code == 404


def test_strangers_are_asked_to_sign_in_and_come_back(client, contoso):
    response = client.get("/t/contoso/apps/?q=mail")

    assert response["Location"] == "/accounts/sign-in/?next=/t/contoso/apps/%3Fq%3Dmail"


def test_an_actor_outlives_the_account(megan):
    actor = Actor.of(megan.membership)

    assert (actor.id, actor.label) == (str(megan.object_id), "Megan Bowen")
    assert actor.roles == {"tenant_admin", "user"}
    assert (actor.tenant_id, actor.user_id) == (megan.tenant.id, megan.user.pk)
    assert Actor.system().user_id is None


def test_the_decorator_shows_what_it_asks_for():
    @require(Capability.CHANGE_APPS, step_up=True)
    def view(request):
        return HttpResponse()

    assert (view.capability, view.step_up) == (Capability.CHANGE_APPS, True)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/a/?b=1", "/a/?b=1"),
        ("http://testserver/a/?b=1#c", "/a/?b=1"),
        ("http://evil.example/a/", "/"),
        ("http://testserver//evil.example", "/"),
        ("//evil.example", "/"),
        ("http://[", "/"),
        ("", "/"),
    ],
)
def test_only_paths_of_this_host_are_gone_back_to(address, path):
    assert local_path(RequestFactory().get("/"), address) == path


@pytest.mark.parametrize(
    "address", [None, "", "a", "//x", "/\\x", "\\x", "javascript:x", "http:/x", "/\t/evil.example"]
)
def test_an_address_that_could_lead_elsewhere_is_dropped(address):
    assert safe_next(address) == ""


def test_pages_of_the_door_are_reachable_by_name():
    assert reverse("entra_callback") == "/accounts/entra/login/callback/"
