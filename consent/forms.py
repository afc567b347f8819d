"""Turning what people type into clean values."""

from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from accounts.models import Tenant
from accounts.roles import Role
from consent.tenant_settings import FIELDS, person_from_elsewhere


def _text(**attrs) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "field", "autocomplete": "off", **attrs})


class ReasonForm(forms.Form):
    """Why a change is made; kept in the record."""

    reason = forms.CharField(
        label=_("Reason"), max_length=1000, help_text=_("Kept in the audit record."), widget=_text(maxlength=1000)
    )
    ticket = forms.CharField(label=_("Ticket"), max_length=64, required=False, widget=_text(maxlength=64))


class TypedForm(ReasonForm):
    """A reason, and the app's name typed out, for what cannot simply be undone."""

    typed = forms.CharField(max_length=256, widget=_text(spellcheck="false"))

    def __init__(self, *args, name: str, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.name = name
        self.fields["typed"].label = _("Type the app's name to confirm: %(name)s") % {"name": name}

    def clean_typed(self) -> str:
        typed = " ".join(self.cleaned_data["typed"].split())
        if typed.casefold() != " ".join(self.name.split()).casefold():
            raise forms.ValidationError(_("That is not the app's name. Nothing was changed."), code="not_the_name")
        return typed


class AppFilter(forms.Form):
    """The filters of the apps list. What cannot be read is ignored, so that old links still work."""

    q = forms.CharField(label=_("Search"), required=False, max_length=256)
    risk = forms.ChoiceField(
        label=_("Risk"), required=False, choices=[("", _("Any")), ("3", _("High")), ("2", _("Medium")), ("1", _("Low"))]
    )
    publisher = forms.ChoiceField(
        label=_("Publisher"),
        required=False,
        choices=[
            ("", _("Any")),
            ("unverified", _("Not verified")),
            ("verified", _("Verified")),
            ("own", _("Your organisation")),
            ("microsoft", _("Microsoft")),
            ("third_party", _("Third party")),
        ],
    )
    consent = forms.ChoiceField(
        label=_("Who consented"),
        required=False,
        choices=[
            ("", _("Anyone")),
            ("user", _("People")),
            ("admin", _("An admin, for everyone")),
            ("app_only", _("App-only permissions")),
            ("none", _("Nobody")),
            ("new", _("Somebody, this week")),
        ],
    )
    enabled = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("Any")), ("yes", _("Enabled")), ("no", _("Disabled"))]
    )
    use = forms.ChoiceField(
        label=_("Last used"), required=False, choices=[("", _("Any")), ("unused", _("90+ days ago"))]
    )
    sort = forms.ChoiceField(
        label=_("Sort by"),
        required=False,
        choices=[("", _("Risk")), ("name", _("Name")), ("consents", _("People who consented"))],
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, auto_id="%s", **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "field"
            if name == "q":
                field.widget.attrs |= {"type": "search", "placeholder": _("Name, publisher or application id")}

    def values(self) -> dict[str, str]:
        """What was chosen, by field, without the empty ones."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class ObjectIdsField(forms.CharField):
    """Object ids, one per line or separated by commas."""

    widget = forms.Textarea

    def to_python(self, value: str) -> list[UUID]:
        ids, wrong = [], []
        for word in (super().to_python(value) or "").replace(",", " ").replace(";", " ").split():
            try:
                ids.append(UUID(word))
            except ValueError:
                wrong.append(word)
        if wrong:
            message = _("These are no object ids: %(words)s")
            raise forms.ValidationError(message, code="invalid", params={"words": ", ".join(wrong[:5])})
        return list(dict.fromkeys(ids))

    def prepare_value(self, value) -> str:
        return "\n".join(map(str, value)) if isinstance(value, list) else value


class TenantSettingsForm(forms.ModelForm):
    """What a tenant's admin decides. Saving is left to `consent.tenant_settings`, which keeps the record."""

    break_glass_ids = ObjectIdsField(
        label=_("Break-glass accounts"),
        required=False,
        help_text=_("Object ids, one per line. No mass action ever touches these accounts."),
    )

    class Meta:
        model = Tenant
        fields = FIELDS
        labels = {
            "approval_threshold": _("Second approver above this many people"),
            "approve_app_deletion": _("Deleting an app needs a second approver too"),
            "allow_emergency_override": _("An admin may override a missing approval in an emergency"),
            "write_share_percent": _("Share of Microsoft's write quota for mass actions, per cent"),
            "notify_people": _("Tell people by e-mail when they are signed out"),
            "notify_subject": _("Subject of that e-mail"),
            "notify_body": _("Text of that e-mail"),
        }
        help_texts = {
            "approval_threshold": _(
                "A revocation that touches more people waits until a second person approves it. A higher number takes"
                " effect a day after it was saved."
            ),
            "approve_app_deletion": _("Taking this away takes effect a day after it was saved."),
            "allow_emergency_override": _(
                "With a fresh sign-in, a reason, and an entry in the record that stands out."
                " Takes effect a day after it was saved."
            ),
            "write_share_percent": _("The rest stays free for single sign-outs and for your other tools. 10 to 100."),
            "notify_body": _("Say who to call. Plain text; {name}, {tenant}, {time} and {reason} are filled in."),
        }

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name, low, high in (("approval_threshold", 1, 100_000), ("write_share_percent", 10, 100)):
            field = self.fields[name]
            field.validators += [MinValueValidator(low), MaxValueValidator(high)]
            field.widget.attrs |= {"min": low, "max": high, "inputmode": "numeric"}
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = "field"
        self.fields["break_glass_ids"].widget.attrs |= {"rows": 3, "spellcheck": "false"}
        self.fields["notify_body"].widget.attrs["rows"] = 6

    def clean(self) -> dict:
        values = super().clean()
        if values.get("notify_people"):
            for name in ("notify_subject", "notify_body"):
                if not values.get(name, "").strip():
                    self.add_error(name, _("Needed when people are told by e-mail."))
        return values


class ProviderForm(forms.Form):
    """Somebody of another organisation, and what they may do here."""

    home = forms.CharField(
        label=_("Their organisation"), max_length=256, help_text=_("Its domain, or its tenant id."), widget=_text()
    )
    object_id = forms.UUIDField(
        label=_("Their object id"), help_text=_("As their own directory shows it."), widget=_text(spellcheck="false")
    )
    roles = forms.MultipleChoiceField(
        label=_("They may work as"),
        choices=[(role.value, role.label) for role in (Role.HELPDESK, Role.TENANT_ADMIN, Role.AUDITOR)],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args, tenant: Tenant, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = tenant

    def clean(self) -> dict:
        values = super().clean()
        if values.get("home") and values.get("object_id"):
            values["person"] = person_from_elsewhere(self.tenant, values["home"], values["object_id"])
            if values["person"] is None:
                raise forms.ValidationError(_("Nobody of that organisation with this id has signed in here yet."))
        return values
