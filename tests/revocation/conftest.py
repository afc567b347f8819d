"""The stage for the spine: the tenant's scope is open, as the middleware would leave it."""

from collections.abc import Iterator

import pytest

from accounts.models import Tenant
from accounts.tenancy import tenant_context
from graph import tokens


@pytest.fixture(autouse=True)
def _fresh_tokens() -> None:
    """No token of an earlier world."""
    tokens.forget_everything()


@pytest.fixture
def at_contoso(contoso: Tenant) -> Iterator[Tenant]:
    """Contoso, with its rows visible to the test."""
    with tenant_context(contoso.id):
        yield contoso
