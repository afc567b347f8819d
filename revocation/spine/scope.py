"""The tenant's scope, entered where it is not open yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from accounts.tenancy import current_tenant_id, tenant_context


@contextmanager
def in_tenant(tenant_id: UUID) -> Iterator[None]:
    """Work in this tenant's scope; costs nothing where the caller is in it already."""
    if current_tenant_id() == tenant_id:
        yield
    else:
        with tenant_context(tenant_id):
            yield
