"""What the frame of every page needs: who is signed in, where they may go, what the numbers beside it are."""

from collections.abc import Iterator
from functools import cache, partial
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from accounts.roles import Capability, Role
from accounts.selectors import Contact, security_contact
from accounts.tenancy import in_tenant
from b2c import selectors as gate
from directory.models import Collection, ServicePrincipal
from graph import entra_pages
from inbox import selectors as inbox
from portal import looks
from revocation import selectors as revocations

# Word, URL name, capability that opens it, and what its number counts.
WORKSPACE = [
    (_("Overview"), "consent:overview", Capability.VIEW_WORKSPACE, ""),
    (_("Inbox"), "inbox:inbox", Capability.VIEW_WORKSPACE, "inbox"),
    (_("Apps"), "consent:apps", Capability.VIEW_APPS, "apps"),
    (_("Permissions"), "consent:permissions", Capability.VIEW_APPS, ""),
    (_("Changes"), "consent:changes", Capability.VIEW_APPS, ""),
    (_("People"), "revocation:people", Capability.VIEW_PEOPLE, ""),
    (_("Revocations"), "revocation:list", Capability.VIEW_REVOCATIONS, "revocations"),
    (_("Refresh rules"), "revocation:rules", Capability.VIEW_REVOCATIONS, "rules"),
    (_("Deleted apps"), "consent:deleted-apps", Capability.CHANGE_APPS, "deleted_apps"),
    (_("Audit"), "audit:list", Capability.VIEW_AUDIT, ""),
    (_("Settings"), "tenants:connection", Capability.MANAGE_TENANT, ""),
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

    @cached_property
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

    @cached_property
    def workspaces(self) -> list[dict]:
        """Every workspace this person may open, their own first: name, address, whether they are in it now."""
        if not self.signed_in:
            return []
        own = self.user.memberships.select_related("tenant").order_by("source", "tenant__name")
        return [
            {
                "name": one.tenant.name,
                "url": url,
                "current": one.pk == self.membership.pk,
                "hue": _hue(one.tenant_id),
                "waiting": cache(partial(_waiting, one)),  # a query each: only where it is shown
            }
            for one in own
            if one.can(Capability.VIEW_WORKSPACE)
            and one.tenant.is_active
            and (url := _reverse("consent:overview", one.tenant.slug))
        ]

    @cached_property
    def waiting(self) -> int:
        """How much waits for this person in the workspace they are in."""
        return next((one["waiting"]() for one in self.workspaces if one["current"]), 0)

    @property
    def contact(self) -> Contact | None:
        """Whom the tenant's people may ask when they are worried."""
        return security_contact(self.tenant) if self.tenant else None

    @property
    def frame(self) -> str:
        """What a page about something that is not there, or not for this person, is framed by."""
        if not (self.signed_in and self.membership):
            return "base_plain.html"
        return "base_workspace.html" if self._in_workspace and "view_workspace" in self.can else "base.html"

    @property
    def nearest(self) -> dict | None:
        """The list that this address is of, where this person may open it."""
        if not self._in_workspace:
            return None
        above = [one for one in self.navigation() if self.request.path.startswith(one["url"])]
        return max(above, key=lambda one: len(one["url"]), default=None)

    @property
    def _in_workspace(self) -> bool:
        match = self.request.resolver_match
        return bool(self.tenant and match and match.kwargs.get("tenant") == self.tenant.slug)

    @property
    def hue(self) -> int:
        return _hue(self.tenant.pk) if self.tenant else 0

    @property
    def password_url(self) -> str:
        """Where people change their own password."""
        return entra_pages.own_password()

    @property
    def appearance(self) -> str:
        """ "light" or "dark" where the reader chose one; else as their system is."""
        return looks.chosen(self.request, "appearance")

    @property
    def appearances(self) -> list[dict]:
        return [{"value": value, "word": word} for value, word in looks.APPEARANCES.items()]

    @property
    def technical(self) -> bool:
        """Whether the reader wants to see technical names beside the words for people."""
        return bool(looks.chosen(self.request, "technical"))

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
                count = self.waiting if counted == "inbox" else counts.get(counted)
                yield {"word": word, "url": url, "current": here, "counted": counted, "count": count}

    def _within(self, name: str, url: str) -> bool:
        """Whether this page belongs to an entry of the navigation: the settings are found under Connection."""
        under = [url, _reverse("tenants:settings", self.tenant.slug)] if name == "tenants:connection" else [url]
        return any(start and self.request.path.startswith(start) for start in under)


def _hue(tenant_id: UUID) -> int:
    """Which of the eight colours is this tenant's, so that one sees at a glance which tenant one is in."""
    return int(tenant_id) % 8


def _waiting(membership: Membership) -> int:
    """How much waits for this person in one of their workspaces, each read in its own scope."""
    with in_tenant(membership.tenant_id):
        return inbox.waiting_count(membership)


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
