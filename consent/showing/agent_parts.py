"""What the parts of an app's page show of an AI agent or a blueprint, made from what `directory.agents` reads."""

from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse

from directory import agents
from directory.models import InheritedGrant, ServicePrincipal
from directory.wording import ResourcePermissions

Kind = InheritedGrant.Kind


@dataclass(frozen=True)
class Permission:
    """One line of what a blueprint passes on, with the way to take it. `action` is what that needs to be granted."""

    text: str
    value: str
    detail: str
    risk: int
    remove_url: str
    action: str


def inherited(app: ServicePrincipal, query: QueryDict) -> dict:
    return {"inherited": agents.inherited(app), "blueprint": agents.blueprint_of(app)}


def ties(app: ServicePrincipal, query: QueryDict) -> dict:
    return {"ties": agents.ties(app), "account": agents.account_of(app)}


def made(app: ServicePrincipal, query: QueryDict) -> dict:
    return {"rows": agents.agents_of(app, query.get("after", ""))}


def passes(app: ServicePrincipal, query: QueryDict) -> dict:
    found = agents.inherited(app)
    for_people = [_with_ways(app, group, Kind.DELEGATED, "take_blueprint_scope") for group in found.for_people]
    alone = [_with_ways(app, group, Kind.APPLICATION, "take_blueprint_role") for group in found.alone]
    return {"inherited": found, "for_people": for_people, "passed_alone": alone}


def _with_ways(app: ServicePrincipal, group: ResourcePermissions, kind: str, action: str) -> dict:
    return {
        "resource_name": group.resource_name,
        "sentences": [
            Permission(
                text=one.text,
                value=one.value,
                detail=one.detail,
                risk=one.risk,
                remove_url=reverse(
                    "consent:take-from-blueprint",
                    args=[app.tenant.slug, app.pk, group.resource_id, kind, one.value],
                ),
                action=action,
            )
            for one in group.sentences
        ],
    }
