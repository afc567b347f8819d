"""Microsoft's own pages, in the cloud that the installation belongs to."""

from uuid import UUID

import pytest

from graph import entra_pages
from graph.clouds import CLOUDS

TENANT, OBJECT, APP = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_administrators_are_led_to_the_portal_of_their_cloud_in_the_tenant_meant(settings, cloud):
    settings.ENTRA_CLOUD = cloud

    found = [
        entra_pages.person(TENANT, OBJECT),
        entra_pages.sign_in_methods(TENANT, OBJECT),
        entra_pages.app(TENANT, OBJECT, APP),
        entra_pages.users_and_groups(TENANT, OBJECT, APP),
        entra_pages.consent_requests(TENANT),
    ]

    assert [page for page in found if not page.startswith(f"{CLOUDS[cloud].portal}/{TENANT}/#view/")] == []
    assert len(set(found)) == len(found)
    assert entra_pages.own_password().startswith("https://")
