"""The workspace's first page: how the tenant stands, and what needs a human."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_safe

from accounts.access import require
from accounts.models import Tenant
from accounts.roles import Capability
from consent.showing import charts, coming_back
from directory import agents, features, risk, selectors
from directory.models import Collection, Risk, ServicePrincipal
from revocation import selectors as revocations
from revocation.models import RevocationRequest
from revocation.showing.tally import tell

State = RevocationRequest.State
WEEKS, SHOWN, NEEDS = 12, 5, 20


@dataclass(frozen=True)
class Need:
    """Something that waits for a person."""

    url: str
    title: str
    text: str
    tag: str
    look: str
    until: datetime | None = None


@require_safe
@require(Capability.VIEW_WORKSPACE)
def overview(request: HttpRequest) -> HttpResponse:
    tenant, can = request.tenant, request.membership.can
    fresh = selectors.freshness(tenant)
    recent = tell(revocations.requests(tenant)[:SHOWN])
    context = {
        "apps_fresh": fresh[Collection.Kind.SERVICE_PRINCIPALS],
        "grants_fresh": fresh[Collection.Kind.GRANTS],
        "needs": _needs(tenant),
        **_consents(tenant),
        "recent": recent,
        "show_apps": can(Capability.VIEW_APPS),
    }
    if can(Capability.VIEW_APPS):
        context |= _apps(tenant)
        context["needs"] += _orphans(tenant)
    return render(request, "consent/overview.html", context)


def _consents(tenant: Tenant) -> dict:
    """Who may let apps in, and which apps people asked an administrator for; None where that is not known."""
    rules = coming_back.rules(tenant)
    return {
        "policy": coming_back.policy_of(tenant, rules),
        "asked": rules.requests if rules else None,
        "asked_off": features.switched_off(tenant, features.CONSENT_REQUESTS.key),
    }


def _apps(tenant: Tenant) -> dict:
    numbers = selectors.overview(tenant, weeks=WEEKS)
    risky = selectors.apps(tenant, risk=Risk.HIGH, publisher="third_party", enabled="yes", sort="risk")
    return {
        "figures": _figures(tenant, numbers),
        "weeks": charts.per_week([charts.Week(start, n) for start, n in numbers.new_grants if n is not None]),
        "counted_since": numbers.counted_since,
        "risks": charts.by_risk(numbers.by_risk),
        "catalogue": risk.VERSION,
        "risky_apps": [_risky(app) for app in risky.items[:SHOWN]],
    }


def _risky(app: ServicePrincipal) -> dict:
    reasons, lead = risk.reasons(app.risk_reasons), risk.lead(app.risk_reasons)
    return {
        "app": app,
        "text": " ".join(dict.fromkeys(reason.text for reason in (lead, *reasons[:1]) if reason)),
        "is_new": any(reason.rule == "new" for reason in reasons),
    }


def _figures(tenant: Tenant, numbers: selectors.Overview) -> list[dict]:
    apps = reverse("consent:apps", args=[tenant.slug])
    return [
        {"word": _("High-risk apps"), "count": numbers.by_risk[Risk.HIGH], "url": f"{apps}?risk=3&enabled=yes"},
        {
            "word": _("Unverified publishers"),
            "count": numbers.unverified,
            "url": f"{apps}?publisher=unverified&enabled=yes",
        },
        {
            "word": _("Not used for %(n)d days") % {"n": risk.UNUSED_AFTER.days},
            "count": numbers.unused,
            "url": f"{apps}?use=unused&enabled=yes",
        },
        {"word": _("Disabled"), "count": numbers.disabled, "url": f"{apps}?enabled=no"},
        {"word": _new_grants(numbers), "count": numbers.new_grants[-1][1], "url": f"{apps}?consent=new"},
    ]


def _new_grants(numbers: selectors.Overview) -> str:
    """What is counted: this week's, or those since the first reading where that was in this week."""
    since, (this_week, _count) = numbers.counted_since, numbers.new_grants[-1]
    if since is None or since <= this_week:
        return _("New grants this week")
    return _("New grants since %(day)s") % {"day": date_format(localtime(since), "MONTH_DAY_FORMAT")}


def _needs(tenant: Tenant) -> list[Need]:
    """Requests that wait for approval, and those of which something could not be done and was not settled since."""
    waiting = list(revocations.requests(tenant, state=State.AWAITING_APPROVAL)[:SHOWN])
    needs = [_need(tenant, one, _asked(one), _("Approve"), "tag", one.approval_expires_at) for one in waiting]
    failed = revocations.unresolved(tenant)
    return needs + [_need(tenant, one, _not_done(one), _("Look"), "tag warn") for one in failed[:NEEDS]]


def _orphans(tenant: Tenant) -> list[Need]:
    """AI agents of which it is known that nobody sponsors them: one line, however many."""
    count = agents.orphans(tenant).count()
    if not count:
        return []
    title = ngettext("%(count)d AI agent has no sponsor", "%(count)d AI agents have no sponsor", count)
    text = _("Nobody answers for what they do: name somebody in Entra, or disable what nobody needs.")
    address = f"{reverse('consent:apps', args=[tenant.slug])}?kind=orphans"
    return [Need(address, title % {"count": count}, text, _("Look"), "tag warn")]


def _need(tenant: Tenant, one: RevocationRequest, text: str, tag: str, look: str, until=None) -> Need:
    return Need(reverse("revocation:detail", args=[tenant.slug, one.pk]), one.title, text, tag, look, until)


def _asked(one: RevocationRequest) -> str:
    return _("%(who)s asked; a second person has to approve it.") % {"who": one.actor_label}


def _not_done(one: RevocationRequest) -> str:
    text = ngettext(
        "%(count)d step could not be done or confirmed.",
        "%(count)d steps could not be done or confirmed.",
        one.attention,
    )
    return text % {"count": one.attention}
