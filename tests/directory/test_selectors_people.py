"""People of a tenant, and the apps that can act in one person's name."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.tenancy import tenant_context
from directory import selectors
from directory.models import Person, Risk, ServicePrincipal
from tests.directory.rows import a_grant, an_app, graph_api, somebody


def test_people_by_name_mail_or_id(inside):
    adele = somebody(inside, "Adele Vance")
    somebody(inside, "Megan Bowen")
    for q in ("vance", "ADELE", "adele@contoso", str(adele.pk), "vance adele"):
        assert [person.display_name for person in selectors.people(inside, q)] == ["Adele Vance"], q
    assert len(selectors.people(inside)) == 2


@pytest.mark.parametrize("sort", ["name", "-name", "sessions", "-sessions"])
def test_pages_of_people_follow_each_other_without_gap_or_repeat(inside, sort):
    for number in range(60):
        valid = timezone.now() - timedelta(days=number % 4) if number % 3 else None
        somebody(inside, f"Person {number % 7}", sessions_valid_from=valid)
    first = selectors.people(inside, sort=sort)
    second = selectors.people(inside, sort=sort, after=first.next)
    seen = [person.pk for page in (first, second) for person in page]

    assert (len(seen), len(set(seen)), second.next) == (60, 60, "")


def test_whose_sessions_began_last_come_first_and_who_is_not_known_last(inside):
    now = timezone.now()
    for name, valid in (("A", None), ("B", now), ("C", now - timedelta(days=3))):
        somebody(inside, name, sessions_valid_from=valid)

    assert [person.display_name for person in selectors.people(inside, sort="sessions")] == ["B", "C", "A"]
    assert [person.display_name for person in selectors.people(inside, sort="-sessions")] == ["A", "C", "B"]


def test_another_tenants_person_does_not_exist(inside, fabrikam):
    with tenant_context(fabrikam.pk):
        robin = somebody(fabrikam, "Robin Counts")
    with pytest.raises(Person.DoesNotExist):
        selectors.person(inside, robin.pk)


def test_my_apps_merge_what_i_and_my_organisation_granted(inside):
    api, adele, megan = graph_api(inside), somebody(inside, "Adele Vance"), somebody(inside, "Megan Bowen")
    both = an_app(inside, "Trey Research Scheduler")
    a_grant(both, api, "Mail.Read offline_access", adele)
    a_grant(both, api, "User.Read Mail.Read")
    a_grant(an_app(inside, "Contoso Travel"), api, "User.Read")
    a_grant(an_app(inside, "Megan's own"), api, "User.Read", megan)
    a_grant(an_app(inside, "Gone", deleted_at=timezone.now()), api, "User.Read", adele)

    first, second = selectors.my_apps(inside, adele.pk)
    assert first.app.display_name == "Trey Research Scheduler"
    assert (first.granted_by_me, first.granted_by_organisation, first.works_offline) == (True, True, True)
    assert sorted(first.scopes) == ["Mail.Read", "User.Read", "offline_access"]
    mail = next(one for group in first.permissions for one in group.sentences if one.value == "Mail.Read")
    assert mail.text == "Read your mail"
    assert len(mail.grants) == 2
    assert first.mine(mail) == first.own_grants
    assert second.app.display_name == "Contoso Travel"
    assert not second.removable


def test_mine_to_remove_come_first_then_the_riskiest(inside):
    api, adele = graph_api(inside), somebody(inside, "Adele Vance")
    a_grant(an_app(inside, "Organisation", risk=Risk.HIGH), api, "User.Read")
    a_grant(an_app(inside, "Harmless", risk=Risk.LOW), api, "User.Read", adele)
    a_grant(an_app(inside, "Alarming", risk=Risk.HIGH), api, "Mail.Read", adele)
    assert [one.app.display_name for one in selectors.my_apps(inside, adele.pk)] == [
        "Alarming",
        "Harmless",
        "Organisation",
    ]


def test_an_app_that_cannot_act_in_my_name_is_not_mine(inside):
    api, adele, megan = graph_api(inside), somebody(inside, "Adele Vance"), somebody(inside, "Megan Bowen")
    app = an_app(inside, "Megan's own")
    a_grant(app, api, "User.Read", megan)
    for app_id in (app.pk, uuid4()):
        with pytest.raises(ServicePrincipal.DoesNotExist):
            selectors.my_app(inside, adele.pk, app_id)
    assert selectors.my_app(inside, megan.pk, app.pk).removable


@pytest.mark.parametrize("count", [2, 40])
def test_my_apps_cost_the_same_at_any_number(inside, count, django_assert_num_queries):
    api, adele = graph_api(inside), somebody(inside, "Adele Vance")
    for number in range(count):
        a_grant(an_app(inside, f"App {number}"), api, "User.Read Mail.Read", adele)
    with django_assert_num_queries(3):
        assert len(selectors.my_apps(inside, adele.pk)) == count
