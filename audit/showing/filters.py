"""The filters of the record: which entries they find, and what they are called on the page."""

from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _, gettext_lazy

from accounts.models import Membership
from accounts.roles import Role
from audit import selectors
from audit.forms import TODAY, WEEK, AuditFilter, Only
from audit.models import Area, AuditEntry, AuditEvent as E, Outcome

ZONE_COOKIE = "consentry_zone"  # times.js says in it where the reader is
TROUBLE = Q(outcome__in=[Outcome.FAILED, Outcome.REFUSED, Outcome.UNCONFIRMED]) | Q(
    event__in=[E.SIGN_IN_REFUSED, E.REVOCATION_REFUSED, E.REVOCATION_REJECTED, E.DIRECTORY_SYNC_FAILED]
)
PRESETS = (
    (gettext_lazy("Everything"), {}),
    (gettext_lazy("Today"), {"since": TODAY}),
    (gettext_lazy("Last 7 days"), {"since": WEEK}),
    (gettext_lazy("Failed and refused"), {"only": Only.TROUBLE}),
    (gettext_lazy("Administrators"), {"only": Only.ADMINS}),
    (gettext_lazy("Exports"), {"action": Area.EXPORTS.value}),
)


def zone_of(request: HttpRequest) -> ZoneInfo:
    """The time zone in which days are meant: the address's, else the reader's, else UTC."""
    for name in (request.GET.get("zone") or request.POST.get("zone"), request.COOKIES.get(ZONE_COOKIE)):
        try:
            if name:
                return ZoneInfo(name.replace("%2F", "/"))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def entries(tenant_id: UUID, *, only: str = "", **wanted) -> QuerySet[AuditEntry]:
    """The entries that pass every filter. Where none asks for steps, those of a request are told by the request."""
    found = selectors.entries(tenant_id, **wanted)
    if only == Only.TROUBLE:
        found = found.filter(TROUBLE)
    elif only == Only.ADMINS:
        found = found.filter(actor_id__in=_admins(tenant_id))
    if only != Only.TROUBLE and not any(value for name, value in wanted.items() if name not in ("since", "until")):
        found = found.exclude(event__in=E.of(Area.STEPS), request_id__isnull=False)
    return found


def _admins(tenant_id: UUID) -> list[str]:
    held = Membership.objects.filter(tenant_id=tenant_id, roles__contains=[Role.TENANT_ADMIN]).select_related("user")
    return [str(one.user.object_id) for one in held]


def presets(chosen: Mapping[str, str], zone: ZoneInfo) -> list[dict]:
    return [
        {"word": word, "query": query(what, zone), "current": dict(chosen) == {k: str(v) for k, v in what.items()}}
        for word, what in PRESETS
    ]


def chips(form: AuditFilter) -> list[dict]:
    """What is filtered by, each with the address that no longer does."""
    chosen = form.chosen()
    found = []
    for name, value in chosen.items():
        rest = {other: kept for other, kept in chosen.items() if other != name}
        field = form.fields[name]
        words = {str(key): word for key, word in _pairs(getattr(field, "choices", ()))}
        shown = {TODAY: _("today"), WEEK: _("7 days ago")}.get(value) or words.get(value, value)
        found.append({"name": field.label, "value": shown, "without": query(rest, form.zone)})
    return found


def _pairs(choices) -> list[tuple]:
    """Choices, those in groups too."""
    flat = []
    for value, word in choices:
        flat += word if isinstance(word, list | tuple) else [(value, word)]
    return flat


def query(chosen: Mapping[str, str], zone: ZoneInfo) -> str:
    """An address of these filters; the zone only where a day is meant in one."""
    pairs = dict(chosen)
    if ("since" in pairs or "until" in pairs) and zone.key != "UTC":
        pairs["zone"] = zone.key
    return f"?{urlencode(pairs)}" if pairs else "?"
