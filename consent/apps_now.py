"""Apps as Microsoft shows them at this moment, for decisions; and those nobody may change here."""

import unicodedata
from contextlib import contextmanager
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Tenant
from directory import sync
from directory.models import ServicePrincipal
from graph import types
from graph.client import GraphClient
from graph.errors import GraphError, NotFound
from graph.explain import words
from revocation.rules import protection
from revocation.rules.refusals import Protected, Unreachable

UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}  # categories of characters that show nothing, or turn the writing


class Absent(Http404):
    """Not there, not this tenant's, or not this person's: the three look the same."""


@contextmanager
def asking_microsoft():
    """Turn whatever goes wrong in a fresh read into `Unreachable`, in words."""
    try:
        yield
    except GraphError as error:
        text = _("%(what)s Nothing was changed.") % {"what": words(error).what}
        raise Unreachable(text, request_id=error.request_id) from error


def client_of(tenant: Tenant) -> GraphClient:
    return GraphClient(str(tenant.pk), priority="high")


def app_now(tenant: Tenant, app: ServicePrincipal) -> types.ServicePrincipal:
    """The app as it is now.

    Raises:
        Absent: it was deleted meanwhile, or is another tenant's. The copy is put right.
        Protected: it is Microsoft's own, or this portal.
        Unreachable: Microsoft could not be asked.
    """
    if app.tenant_id != tenant.pk:
        raise Absent
    with asking_microsoft():
        try:
            now = client_of(tenant).service_principal(app.pk)
        except NotFound:
            now = None
            sync.refresh_app(tenant, app.pk)
    if now is None:
        raise Absent
    if why := protection.app_refusal(tenant, now):
        raise Protected({str(app.pk): why})
    return now


def binned_app_now(tenant: Tenant, app: ServicePrincipal) -> types.ServicePrincipal:
    """The app as it lies in the recycle bin now.

    Raises:
        Absent: it is not there: never deleted, restored meanwhile, or gone for good. The copy is put right.
        Protected: it is Microsoft's own, or this portal.
    """
    if app.tenant_id != tenant.pk:
        raise Absent
    with asking_microsoft():
        found = [item for item in client_of(tenant).deleted_service_principals() if item.id == app.pk]
        if not found:
            sync.refresh_app(tenant, app.pk)
    if not found:
        raise Absent
    if why := protection.app_refusal(tenant, found[0]):
        raise Protected({str(app.pk): why})
    return found[0]


def everything_tied_to(
    tenant: Tenant, app: types.ServicePrincipal
) -> tuple[list[types.Grant], list[types.AppRoleAssignment]]:
    """All grants to the app, and all assignments to it and permissions it holds: what a deletion hides."""
    client = client_of(tenant)
    with asking_microsoft():
        grants = client.grants_of_client(app.id)
        assignments = {item.id: item for item in (*client.assigned_to(app.id), *client.app_permissions_of(app.id))}
    return grants, list(assignments.values())


def is_name(typed: str, app_name: str, app_id: UUID | str) -> bool:
    """Whether what somebody typed is the app's name, whatever its case and its spaces, or its application id.

    A name may be made of characters that nobody can type, or even see.
    """
    said = " ".join(typed.split()).casefold()
    return said in (" ".join(app_name.split()).casefold(), str(app_id).casefold()) and bool(said)


def spelled_out(name: str) -> str:
    """A name with what is invisible in it, or turns the writing round, spelled as escapes."""
    return "".join(f"\\u{{{ord(one):x}}}" if unicodedata.category(one) in UNSEEN else one for one in name)
