"""Turning what people type into clean values."""

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.apps_now import is_name, spelled_out
from directory.models import ServicePrincipal
from directory.risk import UNUSED_AFTER
from revocation.forms import ReasonField


def _text(**attrs) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "field", "autocomplete": "off", **attrs})


class AppReasonField(ReasonField):
    suggestions = (_("Not allowed here"), _("Phishing"), _("Not used any more"), _("Reported by its users"))


class ReasonForm(forms.Form):
    """Why a change is made; kept in the record."""

    reason = AppReasonField(
        label=_("Reason"), max_length=1000, help_text=_("Kept in the audit record."), widget=_text(maxlength=1000)
    )
    ticket = forms.CharField(label=_("Ticket"), max_length=64, required=False, widget=_text(maxlength=64))


class TypedForm(ReasonForm):
    """A reason, and the app's name typed out, for what cannot simply be undone."""

    typed = forms.CharField(max_length=256, widget=_text(spellcheck="false"))

    def __init__(self, *args, app: ServicePrincipal, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.app, name = app, spelled_out(app.display_name)
        words = _("Type the app's name to confirm: %(name)s")
        if name != app.display_name or not name.strip():  # nobody could type it
            words = _("Type the application id %(id)s to confirm: the app's name is %(name)s")
        self.fields["typed"].label = words % {"name": name, "id": app.app_id}

    def clean_typed(self) -> str:
        typed = self.cleaned_data["typed"]
        if not is_name(typed, self.app.display_name, self.app.app_id):
            raise forms.ValidationError(_("That is not the app's name. Nothing was changed."), code="not_the_name")
        return typed


class KeepOutForm(ReasonForm):
    """An app that was never here, by the id that its publisher gave it."""

    app_id = forms.UUIDField(
        label=_("Client id"), help_text=_("The application id that its publisher names."), widget=_text()
    )
    name = forms.CharField(label=_("What people call it"), max_length=128, required=False, widget=_text(maxlength=128))
    field_order = ("app_id", "name", "reason", "ticket")


def _choices(*pairs, any_word=None) -> list[tuple]:
    return [("", any_word or _("Any")), *pairs]


MAY = (
    ("mail", _("Read mail")),
    ("send", _("Send mail")),
    ("files", _("Reach files and sites")),
    ("chats", _("Reach chats and recordings")),
    ("content", _("Reach mail or files")),
    ("directory", _("Change the directory")),
    ("more", _("Grant itself more")),
    ("devices", _("Change devices")),
)
ALONE = (("yes", _("By itself, everyone's")), ("no", _("In somebody's name")))
LEVELS = (("3", _("High")), ("2", _("Medium")), ("1", _("Low")))


class _Filter(forms.Form):
    """A form of filters: nothing is required, what cannot be read is ignored, so that old links still work."""

    placeholder: str | Promise = ""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, auto_id="%s", **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "field"
            if name == "q":
                field.widget.input_type = "search"
                field.widget.attrs["placeholder"] = self.placeholder

    def values(self) -> dict[str, str]:
        """What was chosen, by field, without the empty ones."""
        self.is_valid()
        return {name: str(value) for name, value in self.cleaned_data.items() if value}

    def folded(self) -> list[forms.BoundField]:
        """The fields beside the search."""
        return [field for field in self.visible_fields() if field.name != "q"]


class SinceForm(forms.Form):
    """A day from which changes are told."""

    since = forms.DateField(required=False)


class PermissionFilter(_Filter):
    """The filters of the permissions in use."""

    placeholder = _("Part of a permission's name")
    q = forms.CharField(label=_("Search"), required=False, max_length=256)
    may = forms.ChoiceField(label=_("May"), required=False, choices=_choices(*MAY, any_word=_("Anything")))
    alone = forms.ChoiceField(label=_("In whose name"), required=False, choices=_choices(*ALONE))
    risk = forms.ChoiceField(label=_("Risk"), required=False, choices=_choices(*LEVELS))
    sort = forms.RegexField(r"^-?[a-z]+$", required=False, max_length=16, widget=forms.HiddenInput)


class AppFilter(_Filter):
    """The filters of the apps list."""

    placeholder = _("Name, publisher, permission, person or id")
    q = forms.CharField(label=_("Search"), required=False, max_length=256)
    risk = forms.ChoiceField(label=_("Risk"), required=False, choices=_choices(*LEVELS))
    may = forms.ChoiceField(label=_("May"), required=False, choices=_choices(*MAY, any_word=_("Anything")))
    alone = forms.ChoiceField(label=_("In whose name"), required=False, choices=_choices(*ALONE))
    publisher = forms.ChoiceField(
        label=_("Publisher"),
        required=False,
        choices=_choices(
            ("unverified", _("Not verified")),
            ("verified", _("Verified")),
            ("own", _("Your organisation")),
            ("microsoft", _("Microsoft")),
            ("third_party", _("Third party")),
        ),
    )
    consent = forms.ChoiceField(
        label=_("Who consented"),
        required=False,
        choices=_choices(
            ("user", _("People")),
            ("admin", _("An admin, for everyone")),
            ("app_only", _("App-only permissions")),
            ("none", _("Nobody")),
            ("new", _("Somebody, this week")),
            any_word=_("Anyone"),
        ),
    )
    enabled = forms.ChoiceField(
        label=_("State"), required=False, choices=_choices(("yes", _("Can act")), ("no", _("Switched off")))
    )
    off = forms.ChoiceField(
        label=_("Switched off"),
        required=False,
        choices=_choices(
            ("here", _("Here")),
            ("publisher", _("By its publisher")),
            ("microsoft", _("By Microsoft")),
            any_word=_("By anybody"),
        ),
    )
    use = forms.ChoiceField(
        label=_("Last used"),
        required=False,
        choices=lambda: _choices(
            ("unused", _("%(n)d+ days ago") % {"n": UNUSED_AFTER.days}), ("unknown", _("Unknown"))
        ),
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=_choices(
            (ServicePrincipal.Kind.APP, _("App")),
            ("agents", _("AI agent")),
            ("orphans", _("AI agent without a sponsor")),
            (ServicePrincipal.Kind.BLUEPRINT, _("Agent blueprint")),
            (ServicePrincipal.Kind.MANAGED_IDENTITY, _("Managed identity")),
        ),
    )
    fact = forms.ChoiceField(
        label=_("Stands out"),
        required=False,
        choices=_choices(
            ("imitates", _("Name imitates another")),
            ("spread", _("Many people in a short time")),
            ("offline_unverified", _("Unverified, and works while people are away")),
            ("ai_connector", _("Hands content to an AI service")),
            ("secret_added", _("A secret was added here")),
            ("secret_expires", _("A secret ends soon")),
            ("localhost", _("Reply address on the person's machine")),
            ("insecure_reply", _("Reply address over plain http")),
            ("new", _("New this week")),
            any_word=_("Anything"),
        ),
    )
    permission = forms.CharField(required=False, max_length=256, widget=forms.HiddenInput)
    person = forms.UUIDField(required=False, widget=forms.HiddenInput)
    sort = forms.RegexField(r"^-?[a-z]+$", required=False, max_length=16, widget=forms.HiddenInput)


class PeopleFilter(_Filter):
    """What the list of people may be narrowed to, and its order: the fields of its page."""

    q = forms.CharField(required=False, max_length=200)
    only = forms.RegexField(r"^[a-z]+$", required=False, max_length=16)
    sort = forms.RegexField(r"^-?[a-z]+$", required=False, max_length=16)


class ViewForm(forms.Form):
    """The name of a view."""

    name = forms.CharField(max_length=64)
