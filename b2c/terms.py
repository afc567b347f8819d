"""Where a rule refuses, when, and for how long, as somebody asks for it: plain values that a sealed step can hold."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from b2c.models import EVERYONE, RefreshRule
from graph.sentences import gettext as _, ngettext

Condition = RefreshRule.Condition
CLAIM = re.compile(r"[A-Za-z_][\w.-]{0,63}", re.ASCII)  # what a claim may be called


@dataclass(frozen=True)
class Terms:
    """A rule but for whom it is about.

    Attributes:
        app_id: a client id; empty for every application.
        policy_id: in small letters; empty for every policy.
        condition: empty where it is about tokens issued before the rule takes effect.
        hours: until it ends by itself; 0 until somebody ends it.
    """

    app_id: str = ""
    app_label: str = ""
    policy_id: str = ""
    condition: str = ""
    claim: str = ""
    value: str = ""
    hours: int = 0

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Self:
        return cls(**{name: params[name] for name in cls.__dataclass_fields__ if name in params})

    @classmethod
    def of_rule(cls, rule: RefreshRule) -> Self:
        app_id = str(rule.app_id) if rule.app_id else ""
        return cls(app_id, rule.app_label, rule.policy_id, rule.condition, rule.claim, rule.value)

    def params(self) -> dict[str, Any]:
        """What a step keeps, without what was left open."""
        return {name: value for name, value in asdict(self).items() if value}

    def fields(self, now: datetime) -> dict[str, Any]:
        """The fields of a rule that takes effect now."""
        return {
            "app_id": UUID(self.app_id) if self.app_id else None,
            "app_label": self.app_label[:256],
            "policy_id": self.policy_id.lower(),
            "condition": self.condition,
            "claim": self.claim,
            "value": self.value,
            "issued_before": None if self.condition else now,
            "expires_at": now + timedelta(hours=self.hours) if self.hours else None,
        }

    def example(self, now: datetime, person_id: UUID = EVERYONE) -> RefreshRule:
        """An unsaved rule of these terms, to see what it would refuse."""
        return RefreshRule(person_id=person_id, **self.fields(now))

    def where(self) -> str:
        """ "in Contoso Store" """
        app = self.app_label or self.app_id
        if app and self.policy_id:
            return _("in %(app)s, by way of %(policy)s") % {"app": app, "policy": self.policy_id}
        if app:
            return _("in %(app)s") % {"app": app}
        return _("by way of %(policy)s") % {"policy": self.policy_id} if self.policy_id else _("in every application")

    def when(self) -> str:
        """ "while country is missing" """
        words = {"claim": self.claim, "value": self.value}
        match self.condition:
            case Condition.MISSING:
                return _("while “%(claim)s” is missing") % words
            case Condition.EQUALS:
                return _("while “%(claim)s” is “%(value)s”") % words
            case Condition.DIFFERS:
                return _("whose “%(claim)s” is not what it was when the token was issued") % words
        return _("for tokens issued before the rule takes effect")

    def until(self) -> str:
        if not self.hours:
            return _("until somebody ends it")
        if self.hours % 24:
            return ngettext("for %(n)d hour", "for %(n)d hours", self.hours) % {"n": self.hours}
        return ngettext("for %(n)d day", "for %(n)d days", self.hours // 24) % {"n": self.hours // 24}
