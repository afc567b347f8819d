"""The stage for attacks: a directory copy that knows the tenant."""

from collections.abc import Callable

import pytest

from accounts.models import Tenant
from accounts.tenancy import tenant_context
from directory import selectors
from tests.copied import read_directory


@pytest.fixture
def copied(entra, contoso: Tenant):
    """Contoso with its directory copied, and its scope open."""
    with tenant_context(contoso.pk):
        yield read_directory(contoso)


@pytest.fixture
def app_called(copied: Tenant) -> Callable:
    return lambda name: selectors.apps(copied, q=name).items[0]
