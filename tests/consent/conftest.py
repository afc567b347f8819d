import pytest

from accounts.tenancy import tenant_context
from directory.models import ServicePrincipal
from tests.copied import read_directory


@pytest.fixture
def copied(entra, contoso):
    """Contoso, read once, with its scope open as middleware opens it."""
    with tenant_context(contoso.pk):
        yield read_directory(contoso)


@pytest.fixture
def app_called(copied):
    """`app_called("Mail Sidekick")`: the app of Contoso with this name."""
    return lambda name: ServicePrincipal.objects.get(tenant=copied, display_name=name)
