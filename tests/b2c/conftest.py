from collections.abc import Iterator

import pytest

from accounts.models import Tenant
from accounts.tenancy import tenant_context


@pytest.fixture
def at_contoso(contoso: Tenant) -> Iterator[Tenant]:
    """Work in Contoso's scope, as a request there does."""
    with tenant_context(contoso.pk):
        yield contoso
