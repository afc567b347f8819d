"""The stage for the spine: the tenant's scope is open, as the middleware would leave it."""

from collections.abc import Iterator

import pytest

from accounts.models import Tenant
from accounts.tenancy import tenant_context
from revocation import nudges


@pytest.fixture
def at_contoso(contoso: Tenant) -> Iterator[Tenant]:
    """Contoso, with its rows visible to the test."""
    with tenant_context(contoso.id):
        yield contoso


@pytest.fixture
def messages(monkeypatch) -> list[str]:
    """The tenants that workers are told to look at."""
    sent = []
    monkeypatch.setattr(nudges.current_app, "send_task", lambda name, args, **options: sent.extend(args))
    return sent
