"""The workspace's first page: what waits for somebody, and how the tenant stands."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import require
from accounts.models import Tenant
from accounts.roles import Capability
from consent.showing import charts, coming_back, permissions_list
from directory import agents, features, risk, selectors
from directory.models import Collection, Risk, ServicePrincipal
from graph import entra_pages
from graph.sentences import grouped
from inbox import selectors as inbox
from inbox.models import DayFigures
from inbox.showing import waiting, worst_of
from revocation import selectors as revocations
from revocation.showing.tally import tell
from tenants.first_steps import settings_are_open

WEEKS, SHOWN, IN_INBOX, KEPT = 12, 5, 5, 20


@require_safe
@require(Capability.VIEW_WORKSPACE)
def overview(request: HttpRequest) -> HttpResponse:
    tenant, can = request.tenant, request.membership.can
    fresh = selectors.freshness(tenant)
    recent = tell(revocations.requests(tenant)[:SHOWN])
    context = {
        "apps_fresh": fresh[Collection.Kind.SERVICE_PRINCIPALS],
        "grants_fresh": fresh[Collection.Kind.GRANTS],
        "waiting": waiting(request.membership, IN_INBOX),
        **_consents(tenant),
        "recent": recent,
        "show_apps": can(Capability.VIEW_APPS),
        "first_steps": can(Capability.MANAGE_TENANT) and settings_are_open(tenant),
    }
    if can(Capability.VIEW_APPS):
        context |= _apps(tenant)
    return render(request, "consent/overview.html", context)


def _consents(tenant: Tenant) -> dict:
    """Who may let apps in, and which apps people asked an administrator for; None where that is not known."""
    rules = coming_back.rules(tenant)
    return {
        "policy": coming_back.policy_of(tenant, rules),
        "asked": rules.requests if rules else None,
        "decide_url": entra_pages.consent_requests(tenant.pk),
        "asked_off": features.switched_off(tenant, features.CONSENT_REQUESTS.key),
    }


def _apps(tenant: Tenant) -> dict:
    numbers = selectors.overview(tenant, weeks=WEEKS)
    addresses = {name: reverse(f"consent:{name}", args=[tenant.slug]) for name in ("apps", "changes")}
    weeks = [
        charts.Week(start, n, f"{addresses['changes']}?since={start.date().isoformat()}")
        for start, n in numbers.new_grants
        if n is not None
    ]
    kept = inbox.kept(tenant)
    worst = selectors.all_apps(tenant, risk=Risk.HIGH, publisher="third_party", enabled="yes", sort="risk")
    return {
        "figures": _figures(tenant, numbers),
        "questions": permissions_list.questions(),
        "weeks": charts.per_week(weeks),
        "quiet_weeks": not any(week.count for week in weeks),
        "counted_since": numbers.counted_since,
        "risks": charts.by_risk(
            numbers.by_risk, {level: f"{addresses['apps']}?risk={level}&enabled=yes" for level in Risk.values}
        ),
        "catalogue": risk.VERSION,
        "risky_apps": [_risky(app) for app in worst.exclude(pk__in=kept.values("subject_id"))[:SHOWN]],
        "kept": list(kept[:KEPT]),
        "orphans": agents.orphans(tenant).count(),
    }


def _risky(app: ServicePrincipal) -> dict:
    worst = worst_of(app)
    return {
        "app": app,
        "text": worst.text if worst else "",
        "says_how_many": worst is not None and worst.rule == "spread",
        "is_new": any(reason.rule == "new" for reason in risk.reasons(app.risk_reasons)),
    }


def _figures(tenant: Tenant, numbers: selectors.Overview) -> list[dict]:
    """Numbers that lead to what they count; with what changed in a week, where a number of then is known."""
    before = inbox.figures_before(tenant)
    counted = [
        (_("High-risk apps"), numbers.by_risk[Risk.HIGH], "risk=3&enabled=yes", "high_risk"),
        (_("Unverified publishers"), numbers.unverified, "publisher=unverified&enabled=yes", "unverified"),
        (
            _("Not used for %(n)d days") % {"n": risk.UNUSED_AFTER.days},
            numbers.unused,
            "use=unused&enabled=yes",
            "unused",
        ),
        (_("Disabled"), numbers.disabled, "enabled=no", "disabled"),
        (_new_grants(numbers), numbers.new_grants[-1][1], "consent=new", ""),
    ]
    apps = reverse("consent:apps", args=[tenant.slug])
    return [
        {"word": word, "count": count, "url": f"{apps}?{query}", "change": _change(count, before, name)}
        for word, count, query, name in counted
    ]


def _change(count: int | None, before: DayFigures | None, name: str) -> str:
    if count is None or before is None or not name:
        return ""
    day, change = {"day": date_format(before.day, "MONTH_DAY_FORMAT")}, count - getattr(before, name)
    if not change:
        return _("as on %(day)s") % day
    sign = "+" if change > 0 else "−"
    return _("%(n)s since %(day)s") % (day | {"n": f"{sign}{grouped(abs(change))}"})


def _new_grants(numbers: selectors.Overview) -> str:
    """What is counted: this week's, or those since the first reading where that was in this week."""
    since, (this_week, _count) = numbers.counted_since, numbers.new_grants[-1]
    if since is None or since <= this_week:
        return _("New grants this week")
    return _("New grants since %(day)s") % {"day": date_format(localtime(since), "MONTH_DAY_FORMAT")}
