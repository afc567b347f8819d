"""How the operator signs in: a password, a code of their authenticator app, and half an hour."""

from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class OperatorForm(AdminAuthenticationForm):
    code = forms.CharField(
        label=_("Code"),
        max_length=8,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        help_text=_("The six digits that your authenticator app shows now."),
    )
    field_order = ["username", "password", "code"]
    error_messages = AdminAuthenticationForm.error_messages | {
        "invalid_login": _("That was not right: name, password or code. A code works once. Whoever tries often waits.")
    }

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "field"

    def clean(self) -> dict:
        values = self.cleaned_data
        if all(values.get(name) for name in ("username", "password", "code")):
            asked = {name: values[name] for name in ("username", "password", "code")}
            self.user_cache = authenticate(self.request, **asked)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return values


def _half_an_hour(sender, request: HttpRequest, user: User, **_signal) -> None:
    if user.tenant_id is None:
        request.session.set_expiry(timezone.now() + timedelta(seconds=settings.OPERATOR_SESSION_SECONDS))


user_logged_in.connect(_half_an_hour, dispatch_uid="consentry.operator")
