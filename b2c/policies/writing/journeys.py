"""Journeys copied under ids of their own, with the gate asked before the tokens leave."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext as _

from b2c.policies import doors
from b2c.policies.elements import Element
from b2c.policies.merging import Effective
from b2c.policies.writing.parts import Names
from b2c.policies.writing.xml import el


class CannotWrite(Exception):
    """Why nothing can be written, for a policy or at all: a sentence."""


def refresh(
    effective: Effective,
    names: Names,
    journey: Element,
    new_id: str,
    *,
    reader: dict[str, str],
    extra: list[str],
    issuers,
) -> Element:
    """A copy of a refresh journey that asks the gate.

    Args:
        reader: the profile that reads the token instead, by the id of the one that the journey calls.
        extra: profiles to call before the gate.
        issuers: what issues instead, by the id of the profile that the journey names (small letters).
    """
    steps = effective.steps(journey)
    at = _sending(effective, journey)
    if len([one for one in effective.walk(journey) if doors.sends(one)]) > 1:
        raise CannotWrite(_("Its refresh journey %s sends claims more than once.") % journey.get("Id"))
    called = [_read_instead(step, reader) for step in steps[:at]]
    asking = [*extra, names.id("AskAtRefresh")]
    return _copy(journey, new_id, [*called, *_exchanges(names, asking), *_issue(steps[at:], issuers)])


def sign_in(effective: Effective, names: Names, journey: Element, new_id: str, *, extra: list[str], issuers) -> Element:
    """A copy of a sign-in journey that asks the gate once the person is known."""
    steps = effective.steps(journey)
    at = _sending(effective, journey)
    before = [profile for step in steps[:at] for profile in effective.exchanged(step)]
    if "objectid" not in doors.given_by(effective, before):
        raise CannotWrite(_("Nothing in %s says who signs in: no profile gives objectId.") % journey.get("Id"))
    asking = [names.id("RememberSignIn"), *extra, names.id("AskAtSignIn")]
    return _copy(journey, new_id, [*steps[:at], *_exchanges(names, asking), *_issue(steps[at:], issuers)])


def from_scratch(names: Names, new_id: str, called: list[str], issuer: str) -> Element:
    """A refresh journey for a base that has none."""
    asking = _exchanges(names, [*called, names.id("AskAtRefresh")])
    sending = el("OrchestrationStep", Type="SendClaims", CpimIssuerTechnicalProfileReferenceId=issuer)
    empty = el("UserJourney", el("PreserveOriginalAssertion", text="false"), el("OrchestrationSteps"))
    return _copy(empty, new_id, [*asking, sending])


def _sending(effective: Effective, journey: Element) -> int:
    """The position of the step that sends tokens. An OAuth2Error step of a sign-in sends none."""
    for at, step in enumerate(effective.steps(journey)):
        if doors.sends(step) and not doors.sends_error(effective, step):
            return at
    raise CannotWrite(_("%s sends its claims in a sub-journey, or not at all.") % journey.get("Id"))


def _read_instead(step: Element, reader: dict[str, str]) -> Element:
    def exchange(one: Element) -> Element:
        instead = reader.get(one.get("TechnicalProfileReferenceId").lower())
        return one.with_(TechnicalProfileReferenceId=instead) if instead and one.tag == "ClaimsExchange" else one

    groups = [replace(group, children=[exchange(one) for one in group.children]) for group in step.children]
    return replace(step, children=groups)


def _exchanges(names: Names, profiles: list[str]) -> list[Element]:
    return [
        el(
            "OrchestrationStep",
            el("ClaimsExchanges", el("ClaimsExchange", Id=f"{one}-Exchange", TechnicalProfileReferenceId=one)),
            Type="ClaimsExchange",
        )
        for one in profiles
    ]


def _issue(steps: list[Element], issuers: dict[str, str]) -> list[Element]:
    def one(step: Element) -> Element:
        named = step.get("CpimIssuerTechnicalProfileReferenceId")
        instead = issuers.get(named.lower())
        return step.with_(CpimIssuerTechnicalProfileReferenceId=instead) if instead else step

    return [one(step) for step in steps]


def _copy(journey: Element, new_id: str, steps: list[Element]) -> Element:
    numbered = [
        replace(step, attributes={"Order": str(number), **{k: v for k, v in step.attributes.items() if k != "Order"}})
        for number, step in enumerate(steps, start=1)
    ]
    children = [replace(one, children=numbered) if one.tag == "OrchestrationSteps" else one for one in journey.children]
    return replace(journey, attributes={**journey.attributes, "Id": new_id}, children=children)
