"""What the frame of every page needs: who is signed in, where they may go, what the numbers beside it are."""

from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from accounts.roles import Capability, Role
from b2c import selectors as gate
from directory.models import Collection, ServicePrincipal
from revocation import selectors as revocations

# Word, URL name, capability that opens it, and what its number counts.
WORKSPACE = [
    (_("Overview"), "consent:overview", Capability.VIEW_WORKSPACE, ""),
    (_("Apps"), "consent:apps", Capability.VIEW_APPS, "apps"),
    (_("Permissions"), "consent:permissions", Capability.VIEW_APPS, ""),
    (_("Changes"), "consent:changes", Capability.VIEW_APPS, ""),
    (_("People"), "revocation:people", Capability.VIEW_PEOPLE, ""),
    (_("Revocations"), "revocation:list", Capability.VIEW_REVOCATIONS, "revocations"),
    (_("Refresh rules"), "revocation:rules", Capability.VIEW_REVOCATIONS, "rules"),
    (_("Deleted apps"), "consent:deleted-apps", Capability.CHANGE_APPS, "deleted_apps"),
    (_("Audit"), "audit:list", Capability.VIEW_AUDIT, ""),
    (_("Connection"), "tenants:connection", Capability.MANAGE_TENANT, ""),
]


def shell(request: HttpRequest) -> dict:
    """`shell` in every template. Built only where a template asks, so that bare error pages cost no query."""
    return {"shell": SimpleLazyObject(lambda: Shell(request))}


class Shell:
    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.user = getattr(request, "user", None)
        self.membership: Membership | None = getattr(request, "membership", None)
        self.tenant = self.membership.tenant if self.membership else None

    @property
    def signed_in(self) -> bool:
        return bool(self.user and self.user.is_authenticated)

    @property
    def can(self) -> frozenset[str]:
        """Capabilities as plain words, for `{% if "view_apps" in shell.can %}`."""
        return frozenset(map(str, self.membership.capabilities)) if self.membership else frozenset()

    @property
    def role(self) -> str:
        """The strongest role in words; empty for an ordinary user, whose role needs no saying."""
        held = set(self.membership.roles) if self.membership else set()
        for role in (Role.TENANT_ADMIN, Role.HELPDESK, Role.AUDITOR):
            if role in held:
                return str(role.label)
        return ""

    @property
    def workspaces(self) -> list[dict]:
        """Every workspace this person may open, their own first: name, address, whether they are in it now."""
        if not self.signed_in:
            return []
        own = self.user.memberships.select_related("tenant").order_by("source", "tenant__name")
        return [
            {"name": one.tenant.name, "url": url, "current": one.pk == self.membership.pk}
            for one in own
            if one.can(Capability.VIEW_WORKSPACE)
            and one.tenant.is_active
            and (url := _reverse("consent:overview", one.tenant.slug))
        ]

    @property
    def sandbox(self) -> bool:
        return bool(settings.SANDBOX_URL)

    def navigation(self) -> Iterator[dict]:
        """The workspace's side navigation: only what this person may open."""
        counts = _counts(self.tenant) if self.tenant else {}
        for word, name, capability, counted in WORKSPACE:
            url = _reverse(name, self.tenant.slug) if self.tenant else ""
            if counted == "rules" and counts.get(counted) is None:
                continue  # only where there is a gate
            if url and capability in self.can:
                here = self.request.path == url if name == "consent:overview" else self._within(name, url)
                count = counts.get(counted)
                yield {"word": word, "url": url, "current": here, "counted": counted, "count": count}

    def _within(self, name: str, url: str) -> bool:
        """Whether this page belongs to an entry of the navigation: the settings are found under Connection."""
        under = [url, _reverse("tenants:settings", self.tenant.slug)] if name == "tenants:connection" else [url]
        return any(start and self.request.path.startswith(start) for start in under)


def _reverse(name: str, slug: str) -> str:
    try:
        return reverse(name, args=[slug])
    except NoReverseMatch:
        return ""


def _counts(tenant) -> dict[str, int]:
    """Numbers beside the navigation, in a few queries whatever the size of the tenant."""
    rows = dict(Collection.objects.filter(tenant=tenant).values_list("kind", "row_count"))
    return {
        "apps": rows.get(Collection.Kind.SERVICE_PRINCIPALS),
        "deleted_apps": ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=False).count(),
        "revocations": revocations.how_many_open(tenant),
        "rules": gate.how_many_in_force(tenant) if gate.is_b2c(tenant) else None,
    }
