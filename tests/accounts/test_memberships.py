"""A provider's people in a customer's tenant: let in by its admin, and by nobody else."""

import pytest

from accounts import services
from accounts.access import Actor
from accounts.models import Membership
from accounts.tenancy import tenant_context, user_context


def test_an_admin_lets_somebody_from_another_tenant_in(client, sign_in, contoso, robin, megan, announced):
    services.grant_membership(contoso, robin.user, ["helpdesk"], actor=Actor.of(megan.membership))

    sign_in(client, robin)
    assert client.get("/t/contoso/").status_code == 200
    assert client.get("/t/contoso/settings/").status_code == 403
    name, details = announced[0]
    assert (name, details["actor_label"], details["reason"]) == ("membership_granted", "Megan Bowen", "helpdesk")
    assert "Robin Counts" in details["target_label"]
    assert details["tenant_id"] == contoso.id


def test_taken_back_it_is_over_with_the_next_request(client, sign_in, contoso, robin, megan, announced):
    member = services.grant_membership(contoso, robin.user, ["helpdesk"], actor=Actor.of(megan.membership))
    sign_in(client, robin)

    services.revoke_membership(member, actor=Actor.of(megan.membership))

    assert client.get("/t/contoso/").status_code == 404
    assert client.get("/t/fabrikam/").status_code == 200
    assert [name for name, _ in announced][:2] == ["membership_granted", "membership_revoked"]


def test_in_ones_own_tenant_roles_come_from_entra_only(contoso, adele, megan):
    with pytest.raises(ValueError, match="Entra"):
        services.grant_membership(contoso, adele.user, ["tenant_admin"], actor=Actor.of(megan.membership))
    with pytest.raises(ValueError, match="Entra"):
        services.revoke_membership(adele.membership, actor=Actor.of(megan.membership))


def test_a_role_nobody_knows_is_refused(contoso, robin, megan):
    with pytest.raises(ValueError, match="emperor"):
        services.grant_membership(contoso, robin.user, ["emperor"], actor=Actor.of(megan.membership))


def test_a_grant_again_replaces_the_roles(contoso, robin, megan):
    for roles in (["helpdesk"], ["auditor", "helpdesk"]):
        services.grant_membership(contoso, robin.user, roles, actor=Actor.of(megan.membership))

    with tenant_context(contoso.id):
        assert Membership.objects.get(source="granted").roles == ["auditor", "helpdesk"]


def test_a_suspended_tenant_is_absent_for_providers_too(client, sign_in, contoso, robin, megan):
    services.grant_membership(contoso, robin.user, ["helpdesk"], actor=Actor.of(megan.membership))
    type(contoso).objects.filter(pk=contoso.pk).update(state="suspended")
    sign_in(client, robin)

    assert client.get("/t/contoso/").status_code == 404


def test_a_person_sees_their_memberships_and_nobody_elses(contoso, robin, megan, adele):
    services.grant_membership(contoso, robin.user, ["helpdesk"], actor=Actor.of(megan.membership))

    with user_context(robin.user.pk):
        assert {one.user_id for one in Membership.objects.all()} == {robin.user.pk}
        assert Membership.objects.count() == 2


def test_who_never_signed_in_cannot_be_found(contoso, fabrikam, robin):
    assert services.find_person(fabrikam.id, robin.object_id).pk == robin.user.pk
    assert services.find_person(contoso.id, robin.object_id) is None
