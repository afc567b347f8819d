from collections.abc import Iterator

import pytest

from accounts.models import Tenant
from accounts.tenancy import tenant_context


@pytest.fixture
def inside(contoso: Tenant) -> Iterator[Tenant]:
    """Contoso, with its scope open as middleware opens it."""
    with tenant_context(contoso.pk):
        yield contoso
