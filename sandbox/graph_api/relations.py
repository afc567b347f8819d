"""What hangs on an object and can be sent along with it.

https://learn.microsoft.com/graph/query-parameters#expand-parameter
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox import facts
from sandbox.graph_api.errors import bad_request, unsupported
from sandbox.graph_api.role_shapes import ROLE_DEFINITION
from sandbox.graph_api.shape import Shape, unknown_property
from sandbox.graph_api.shapes import ASSIGNMENT, GRANT, OBJECT
from sandbox.graph_api.view import View
from sandbox.objects import AGENT, BLUEPRINT

_PART = re.compile(r"\s*([A-Za-z0-9]+)\s*(?:\(\s*\$select\s*=\s*([^()]*)\))?\s*(?:,|$)")


@dataclass(frozen=True)
class Relation:
    shape: Shape
    find: Callable[[Any, View], list[Any]]
    one: bool = False  # one object, not a list


@dataclass(frozen=True)
class Expansion:
    name: str
    relation: Relation
    names: tuple[str, ...] | None


def assignments_of(record: Any, view: View) -> list[Any]:
    return [one for one in view.assignments_of(record.id) if view.tenant.arrived(one)]


def assigned_to(record: Any, view: View) -> list[Any]:
    """Without those that were given a moment ago and have not arrived yet."""
    return [one for one in view.assigned_to(record.id) if view.tenant.arrived(one)]


def memberships_of(record: Any, view: View) -> list[Any]:
    """Directory roles by their templates, groups and units that somebody is a direct member of."""
    roles = getattr(record, "role_template_ids", [])
    return [*roles, *view.tenant.groups_of(record.id), *view.tenant.units_of(record.id)]


def all_memberships_of(record: Any, view: View) -> list[Any]:
    tenant = view.tenant
    return [
        *tenant.directory_roles_of(record.id),
        *tenant.groups_of(record.id, transitive=True),
        *tenant.units_of(record.id),
    ]


def owners_of(record: Any, view: View) -> list[Any]:
    return view.objects(record.owners)


def sponsors_of(record: Any, view: View) -> list[Any]:
    return view.objects(record.sponsors)


def owned_by(record: Any, view: View) -> list[Any]:
    return list(view.tenant.owned_by(record.id))


_MEMBER_OF = {
    "memberOf": Relation(OBJECT, memberships_of),
    "transitiveMemberOf": Relation(OBJECT, all_memberships_of),
}
RELATIONS: dict[str, dict[str, Relation]] = {
    "user": _MEMBER_OF
    | {
        "appRoleAssignments": Relation(ASSIGNMENT, assignments_of),
        "oauth2PermissionGrants": Relation(GRANT, lambda user, view: view.grants_of_principal(user.id)),
        "ownedObjects": Relation(OBJECT, owned_by),
        "manager": Relation(OBJECT, lambda user, view: [], one=True),
    },
    "group": _MEMBER_OF
    | {
        "members": Relation(OBJECT, lambda group, view: view.objects(group.members)),
        "owners": Relation(OBJECT, owners_of),
        "appRoleAssignments": Relation(ASSIGNMENT, assignments_of),
    },
    "servicePrincipal": _MEMBER_OF
    | {
        "appRoleAssignments": Relation(ASSIGNMENT, assignments_of),
        "appRoleAssignedTo": Relation(ASSIGNMENT, assigned_to),
        "oauth2PermissionGrants": Relation(GRANT, lambda app, view: view.grants_of_client(app.id)),
        "owners": Relation(OBJECT, owners_of),
        "ownedObjects": Relation(OBJECT, owned_by),
    },
    "application": {"owners": Relation(OBJECT, owners_of)},
    "unifiedRoleAssignment": {
        "principal": Relation(OBJECT, lambda one, view: view.objects([one.principal_id]), one=True),
        "roleDefinition": Relation(
            ROLE_DEFINITION,
            lambda one, view: [role for role in view.tenant.role_definitions() if role.id == one.role_id],
            one=True,
        ),
    },
}

# Agents and their blueprints' principals are service principals that have sponsors too.
for _kind in (AGENT, BLUEPRINT):
    RELATIONS[_kind] = RELATIONS["servicePrincipal"] | {"sponsors": Relation(OBJECT, sponsors_of)}


def expansions_of(text: str | None, shape: Shape, *, advanced: bool, beta: bool) -> list[Expansion]:
    """What `$expand` asks for. Of options inside it only `$select` is known.

    Raises:
        Refused: 400 for what the type does not have, what cannot be expanded, and together with advanced queries.
    """
    if not text:
        return []
    if advanced:
        raise unsupported("$expand is not supported together with an advanced query.")
    found, at = [], 0
    while at < len(text):
        part = _PART.match(text, at)
        if not part:
            raise bad_request(f"Parsing OData Select and Expand failed: Syntax error in '{text}'.", code="BadRequest")
        at, written, select = part.end(), part[1], part[2]
        known = {name.lower(): name for name in facts.resource(shape.type).relations}
        name = known.get(written.lower())
        if name is None:
            raise unknown_property(shape, written)
        relation = RELATIONS.get(shape.type, {}).get(name)
        if relation is None:
            raise unsupported(f"Expand is not allowed for property '{name}' according to the entity schema.")
        found.append(Expansion(name, relation, relation.shape.names(select, beta=beta)))
    return found
