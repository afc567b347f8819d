"""Nobody approves what they may not ask for: a role given since the list was made protects its holder."""

import pytest
from django.utils import timezone

from accounts.directory_roles import DirectoryRole
from directory.models import Person
from revocation import services
from revocation.rules.refusals import NotApproved
from tests.revocation.conftest import *  # noqa: F403
from tests.revocation.spine import actor, copy_of, sign_out_many


@pytest.mark.parametrize("count", [1, 3])
def test_an_approver_reaches_no_further_than_alone(at_contoso, entra, world, henrietta, isaiah, count):
    johanna = copy_of(at_contoso, world, "Johanna Lorenz")
    others = [one for one in world["tenants"][0]["users"] if not one["guest"] and one["id"] != str(johanna.pk)]
    people = [{"id": str(johanna.pk), "displayName": johanna.display_name}, *others[: count - 1]]
    request = sign_out_many(at_contoso, henrietta, people, needs_approval=True)
    promoted = {"role_template_ids": [DirectoryRole.GLOBAL_ADMINISTRATOR], "roles_known_at": timezone.now()}
    Person.objects.filter(pk=johanna.pk).update(**promoted)

    with pytest.raises(NotApproved, match="Global Administrator"):
        services.approve(request, actor(isaiah), request.digest)

    request.refresh_from_db()
    assert request.state == "awaiting_approval"
    Person.objects.filter(pk=johanna.pk).update(role_template_ids=[])
    assert services.approve(request, actor(isaiah), request.digest).state == "running"
