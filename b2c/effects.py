"""What a rule would refuse, policy by policy, before it is saved: the gate's own decision about made-up tokens."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from accounts.models import Tenant
from b2c import selectors
from b2c.models import GateSetting, RefreshRule
from b2c.rules import AT_ISSUE, TOLERANCE, Ask, Door, Verdict, judge
from directory.models import ServicePrincipal


@dataclass(frozen=True)
class KnownApp:
    """An application that signs in through one or more of the tenant's policies."""

    app_id: UUID
    name: str
    policies: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """What happens at one policy. Each of the doors is a `Verdict`, as the tenant's fail mode leaves it."""

    policy_id: str
    apps: tuple[str, ...]
    refresh: Verdict
    silent: Verdict
    sign_in: Verdict
    undecided: bool  # one of them could not be decided, and is as the tenant chose
    too_wide: bool  # it refuses in other applications as well, where the policy does not name the one that asks


WORDS: dict[str, str | Promise] = {Verdict.REFUSED: gettext_lazy("refused"), Verdict.OPEN: gettext_lazy("goes on")}


def known_apps(tenant: Tenant) -> list[KnownApp]:
    """The applications that the tenant's policies are known to serve, by name."""
    mapping = selectors.setting(tenant).apps_by_policy
    policies: dict[UUID, list[str]] = {}
    for policy, ids in sorted(mapping.items()):
        for app_id in ids:
            policies.setdefault(UUID(app_id), []).append(policy)
    names = names_of(tenant, policies)
    found = [KnownApp(app_id, names[app_id], tuple(served)) for app_id, served in policies.items()]
    return sorted(found, key=lambda app: app.name.casefold())


def names_of(tenant: Tenant, app_ids) -> dict[UUID, str]:
    """What these client ids are called here; by their id where our copy does not know them."""
    apps = ServicePrincipal.objects.filter(tenant=tenant, app_id__in=list(app_ids))
    known = dict(apps.values_list("app_id", "display_name"))
    return {app_id: known.get(app_id) or str(app_id) for app_id in app_ids}


def name_of(tenant: Tenant, app_id: UUID) -> str:
    """What this client is called; empty where neither the policies nor our copy of the directory know it."""
    known = names_of(tenant, [app_id])[app_id]
    mapped = any(str(app_id) in ids for ids in selectors.setting(tenant).apps_by_policy.values())
    return known if mapped or known != str(app_id) else ""


def effects(tenant: Tenant, rule: RefreshRule) -> list[Effect]:
    """What the rule does at each policy that is known, to somebody whom it is about.

    Of a rule about time: a token issued an hour ago. Of a condition: somebody of whom it is true.
    """
    setting = selectors.setting(tenant)
    mapping = {policy: [UUID(one) for one in ids] for policy, ids in setting.apps_by_policy.items()}
    if rule.policy_id and rule.policy_id not in mapping:
        mapping[rule.policy_id] = []
    names = names_of(tenant, {one for ids in mapping.values() for one in ids})
    return [
        _effect(setting, rule, policy, frozenset(ids), tuple(names[one] for one in ids))
        for policy, ids in sorted(mapping.items())
    ]


def _effect(
    setting: GateSetting, rule: RefreshRule, policy: str, apps: frozenset[UUID], names: tuple[str, ...]
) -> Effect:
    claims = _true_of(rule)
    earlier = timezone.now() - timedelta(hours=1)
    asks = [
        Ask(Door.REFRESH, policy, apps, since=earlier, claims=claims),
        Ask(Door.SIGN_IN, policy, apps, silent=True, claims=claims),
        Ask(Door.SIGN_IN, policy, apps, claims=claims),
    ]
    verdicts = [judge(rule, ask, TOLERANCE if setting.tolerance else timedelta()) for ask in asks]
    refresh, silent, sign_in = (_settled(verdict, setting) for verdict in verdicts)
    too_wide = rule.app_id is not None and len(apps) > 1 and rule.app_id in apps
    return Effect(policy, names, refresh, silent, sign_in, Verdict.UNDECIDED in verdicts, too_wide)


def _settled(verdict: Verdict, setting: GateSetting) -> Verdict:
    if verdict is not Verdict.UNDECIDED:
        return verdict
    return Verdict.OPEN if setting.fails == GateSetting.Fails.OPEN else Verdict.REFUSED


def _true_of(rule: RefreshRule) -> dict[str, str]:
    match rule.condition:
        case "equals":
            return {rule.claim: rule.value}
        case "differs":
            return {rule.claim: "now", rule.claim + AT_ISSUE: "then"}
    return {}


def fails_words(setting: GateSetting) -> str:
    """What the gate does where it cannot decide, in a sentence."""
    if setting.fails == GateSetting.Fails.OPEN:
        return _("Where the gate cannot decide, or its database is away, everybody is let through.")
    return _("Where the gate cannot decide, or its database is away, everybody is refused.")
