"""The five ways to say who: each ends in a draft that waits for its confirmation."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.ids import id_or_none
from accounts.models import Tenant
from directory.models import Person, ServicePrincipal
from graph.client import GraphClient
from graph.errors import GraphError, NotFound
from graph.types import Call, Group
from revocation.lists import kept, parser, recipes, resolver
from revocation.lists.parser import Tally, UnusableList
from revocation.lists.selection import Selection
from revocation.models import ListDraft

Source = ListDraft.Source


def draft(tenant: Tenant, actor: Actor, chosen: dict[str, Any]) -> ListDraft:
    """Resolve what a `ListForm` holds and keep it for an hour.

    Raises:
        UnusableList: it cannot be taken as a whole, or names nobody at all; the message says why.
        GraphError: a group could not be read. Nothing was kept.
    """
    selection, label = _selection(tenant, actor, chosen)
    return keep(tenant, actor, selection, label, chosen, chosen["terms"].params() if chosen.get("terms") else {})


def keep(
    tenant: Tenant, actor: Actor, selection: Selection, label: str, chosen: dict[str, Any], options: dict
) -> ListDraft:
    """
    Raises:
        UnusableList: it names nobody at all.
    """
    if not selection.rows:
        raise UnusableList(_("Nobody is named here. Nothing was kept."))
    actions = recipes.actions_of(tenant, chosen["recipe"], options)
    source_id = str(chosen.get(chosen["source"]) or "") if chosen["source"] in (Source.GROUP, Source.APP) else ""
    return kept.keep(
        tenant,
        actor,
        selection,
        recipe=chosen["recipe"],
        actions=actions,
        source=chosen["source"],
        label=label,
        source_id=source_id,
        options=options,
    )


def _selection(tenant: Tenant, actor: Actor, chosen: dict[str, Any]) -> tuple[Selection, str]:
    tally = Tally()
    match chosen["source"]:
        case Source.PASTE:
            return resolver.resolve(tenant, parser.parse_text(chosen["text"], tally), actor, tally), ""
        case Source.FILE:
            entries = parser.parse_file(chosen["file"], tally)
            return resolver.resolve(tenant, entries, actor, tally), chosen["file"].name
        case Source.GROUP:
            group = _group(tenant, chosen["group"])
            return resolver.select_people(tenant, _members(tenant, group), actor), group.display_name
        case Source.APP:
            app = ServicePrincipal.objects.filter(tenant=tenant, pk=chosen["app"]).first()
            if app is None:
                raise UnusableList(_("This tenant has no such app."))
            return resolver.consented_to(tenant, app.pk, actor), app.display_name
    return resolver.everyone(tenant, actor), tenant.name


def find_groups(tenant: Tenant, q: str) -> tuple[list[Group], str]:
    """Groups by name, from Graph; and in words why that failed, or nothing."""
    try:
        return GraphClient(str(tenant.pk), priority="high").find_groups(q), ""
    except GraphError as error:
        return [], _("Microsoft Graph could not be asked: %(why)s") % {"why": error}


def address_of(tenant: Tenant, object_id: str) -> str:
    """The address somebody signs in with, where our copy knows them."""
    found = Person.objects.filter(tenant=tenant, pk=object_id).first() if id_or_none(object_id) else None
    return found.upn if found else ""


def _group(tenant: Tenant, group_id: UUID) -> Group:
    client = GraphClient(str(tenant.pk), priority="high")
    (answer,) = client.batch([Call("GET", f"/groups/{group_id}?$select={Group.SELECT}")])
    if isinstance(answer.error, NotFound):
        raise UnusableList(_("This tenant has no such group."))
    if answer.error is not None:
        raise answer.error
    return Group.read(answer.body)


def _members(tenant: Tenant, group: Group) -> Iterator[UUID]:
    for page in GraphClient(str(tenant.pk), priority="high").group_members(group.id):
        yield from (user.id for user in page.items)
