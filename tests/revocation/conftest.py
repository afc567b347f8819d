"""The stage for the spine: the tenant's scope is open, as the middleware would leave it."""

from collections.abc import Iterator

import pytest

from accounts.models import Tenant
from accounts.tenancy import tenant_context
from revocation import nudges
from revocation.spine import proofs


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


@pytest.fixture(autouse=True)
def _a_list_is_proved_as_soon_as_a_click(monkeypatch) -> None:
    """Nothing replicates here, so nobody has to wait for it."""
    monkeypatch.setattr(proofs, "FIRST_PROOF_OF_A_LIST", proofs.FIRST_PROOF)
