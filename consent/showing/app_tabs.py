"""The parts of an app's page, and those that only AI agents and their blueprints have."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.showing import agent_parts, one_app
from directory import agents, selectors
from directory.models import Collection, ServicePrincipal

Kind = ServicePrincipal.Kind


@dataclass(frozen=True)
class Tab:
    """One part of an app's page; only the one that is shown is read. `count` is None where it is not known."""

    key: str
    word: str | Promise
    heading: str | Promise
    template: str
    count: int | None
    read: Callable[[ServicePrincipal, QueryDict], dict]


def of(app: ServicePrincipal, hits: selectors.Hits, read: dict[str, bool]) -> list[Tab]:
    """In the order in which they stand."""
    found = _of_any_app(hits, read)
    if app.kind not in agents.WITH_TIES:
        return found
    inherited = agents.inherited(app)
    count = inherited.count if inherited.known else None
    answer = _("Sponsors")
    people = Tab("ties", answer, _("Who answers for it"), "consent/_tab_agent_ties.html", None, agent_parts.ties)
    if app.kind == Kind.AGENT:
        word = _("Inherited")
        own = Tab(
            "inherited", word, _("What it inherits"), "consent/_tab_agent_inherited.html", count, agent_parts.inherited
        )
        return [own, *found[:-1], people, found[-1]]
    made = hits.agents if read[Collection.Kind.SERVICE_PRINCIPALS] else None
    return [
        Tab("agents", _("Agents"), _("Agents made from it"), "consent/_tab_agent_made.html", made, agent_parts.made),
        Tab(
            "passes",
            _("Passes on"),
            _("What it passes on to its agents"),
            "consent/_tab_agent_passes.html",
            count,
            agent_parts.passes,
        ),
        *found[:-1],
        people,
        found[-1],
    ]


def _of_any_app(hits: selectors.Hits, read: dict[str, bool]) -> list[Tab]:
    people = organisation = alone = assigned = None
    if read[Collection.Kind.GRANTS]:
        people, organisation = hits.people, int(hits.organisation_wide)
    if read[Collection.Kind.ASSIGNMENTS]:
        alone, assigned = hits.app_permissions, hits.assignments
    admin = _("Admin consent")
    return [
        Tab("people", _("User consent"), _("Who consented"), "consent/_tab_people.html", people, _people),
        Tab("organisation", admin, admin, "consent/_tab_organisation.html", organisation, _organisation),
        Tab("alone", _("App-only"), _("App-only permissions"), "consent/_tab_alone.html", alone, _alone),
        Tab("assigned", _("Assigned"), _("Who is assigned"), "consent/_tab_assigned.html", assigned, _assigned),
        Tab("facts", _("Facts"), _("Facts"), "consent/_tab_facts.html", None, lambda app, asked: {}),
    ]


def first(tabs: list[Tab]) -> Tab:
    """The first tab that has something to say."""
    return next((tab for tab in tabs if tab.count), tabs[-1])


def _people(found: ServicePrincipal, asked: QueryDict) -> dict:
    q = asked.get("q", "").strip()[:200]
    many = found.user_consent_count > selectors.MANY
    rows = selectors.user_consents(found, q, asked.get("after", ""))
    return {"rows": rows, "alike": one_app.alike(rows), "q": q, "many": many}


def _organisation(found: ServicePrincipal, asked: QueryDict) -> dict:
    return {"groups": selectors.admin_permissions(found)}


def _alone(found: ServicePrincipal, asked: QueryDict) -> dict:
    return {"groups": selectors.app_only_permissions(found)}


def _assigned(found: ServicePrincipal, asked: QueryDict) -> dict:
    return {"rows": selectors.assigned(found, asked.get("after", ""))}
