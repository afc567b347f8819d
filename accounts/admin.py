"""The operator's pages: which tenants there are, and who may work where. Nothing of a tenant's own data."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import services, signals
from accounts.access import Actor
from accounts.models import Membership, Tenant, User
from accounts.operator import OperatorForm

admin.site.site_header = _("Consentry, for its operator")
admin.site.site_title = _("Consentry operator")
admin.site.login_form = OperatorForm
admin.site.login_template = "accounts/operator_sign_in.html"

# Libraries offer these: with a session's key, or another's social account, the operator could be anybody.
for model in (EmailAddress, Group, SocialAccount, SocialApp, SocialToken, UserSession):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin):
    """Suspending a tenant ends its people's sessions with their next request."""

    list_display = ["name", "domain", "state", "connected_at"]
    list_filter = ["state"]
    search_fields = ["name", "domain", "id"]
    fields = ["id", "slug", "name", "domain", "state", "created_at", "connected_at"]
    readonly_fields = ["id", "created_at", "connected_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # tenants come in through onboarding, which proves an administrator's consent

    def has_delete_permission(self, request: HttpRequest, obj: Tenant | None = None) -> bool:
        return False  # "left" is a state; the record stays

    def save_model(self, request: HttpRequest, obj: Tenant, form, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.changed_data:
            operator = _operator(request)
            signals.tenant_changed.send(
                Tenant,
                tenant_id=obj.pk,
                actor_id=operator.id,
                actor_label=operator.label,
                target_type="tenant",
                target_id=str(obj.pk),
                target_label=obj.name,
                reason=", ".join(
                    f"{name}: {form.initial.get(name)} → {getattr(obj, name)}" for name in form.changed_data
                ),
            )


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ["person_label", "tenant", "roles", "source", "granted_by", "created_at"]
    list_filter = ["source", "tenant"]
    search_fields = ["person_label"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # only a tenant's admin lets people in

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    """Accounts: the operator can switch one off, which also ends its sessions."""

    list_display = ["__str__", "upn", "tenant", "is_active", "last_login"]
    list_filter = ["is_active", "tenant"]
    search_fields = ["display_name", "upn", "object_id"]
    fields = ["username", "tenant", "object_id", "display_name", "upn", "is_active", "last_login"]
    readonly_fields = ["username", "tenant", "object_id", "display_name", "upn", "last_login"]
    actions = ["end_sessions"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            services.end_portal_sessions(obj, reason="switched_off", actor=_operator(request))

    @admin.action(description=_("End the portal sessions of these people"))
    def end_sessions(self, request: HttpRequest, people: QuerySet[User]) -> None:
        count = services.end_portal_sessions(people, reason="ended_by_operator", actor=_operator(request))
        self.message_user(request, _("%(count)d sessions ended.") % {"count": count})


def _operator(request: HttpRequest) -> Actor:
    return Actor(id="operator", label=request.user.get_username())
