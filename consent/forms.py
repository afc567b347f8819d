"""Turning what people type into clean values."""

from django import forms
from django.utils.translation import gettext_lazy as _

from consent.apps_now import is_name


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
        typed = self.cleaned_data["typed"]
        if not is_name(typed, self.name):
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
