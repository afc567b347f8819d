"""What people type before something is revoked: why, by which ticket, and whom."""

from django import forms
from django.utils.translation import gettext_lazy as _

from revocation.lists.recipes import Recipe
from revocation.models import ListDraft, RevocationRequest


class ReasonForm(forms.Form):
    """Why, in the words of the person who asks. The reason goes into the record, so it cannot be blank."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"class": "field", "rows": 3, "autocomplete": "off"}),
        error_messages={"required": _("Say why. The reason is kept in the audit record.")},
        help_text=_("Kept in the audit record, with your name."),
    )
    ticket = forms.CharField(
        label=_("Ticket"),
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
    )


class ConfirmForm(ReasonForm):
    """The last word before a mass action: also how much of Microsoft's quota it may use."""

    high_priority = forms.BooleanField(
        label=_("Urgent: use the whole write quota"),
        required=False,
        help_text=_("Without it, part of the quota is left to other work. Single sign-outs never wait either way."),
    )


class DecisionForm(forms.Form):
    """Decide about exactly what was shown: the digest travels with the form and is compared with the steps."""

    digest = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)


class OverrideForm(DecisionForm, ReasonForm):
    """An emergency: without a second person, but not without a reason."""

    ticket = None


class ListForm(forms.Form):
    """Who, from one of five sources. Each source needs its own field and no other."""

    source = forms.ChoiceField(choices=ListDraft.Source, widget=forms.HiddenInput)
    recipe = forms.ChoiceField(label=_("What to do with them"), choices=Recipe, widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("People"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"class": "field", "rows": 10, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("User principal names, mail addresses or object ids, mixed, in any order."),
    )
    file = forms.FileField(
        label=_("CSV or text file"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"class": "field", "accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
        help_text=_("Any separator and encoding that Excel writes; a heading row is recognised."),
    )
    group = forms.UUIDField(required=False)
    app = forms.UUIDField(required=False)

    NEEDED = {
        ListDraft.Source.PASTE: ("text", _("Paste at least one person.")),
        ListDraft.Source.FILE: ("file", _("Choose a file.")),
        ListDraft.Source.GROUP: ("group", _("Choose a group.")),
        ListDraft.Source.APP: ("app", _("Choose an app.")),
    }

    def __init__(self, *args, recipes: list[str] | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if recipes is not None:
            self.fields["recipe"].choices = [choice for choice in Recipe.choices if choice[0] in recipes]

    def clean(self) -> dict:
        cleaned = super().clean()
        name, message = self.NEEDED.get(cleaned.get("source"), ("", ""))
        if name and name not in self.errors and not cleaned.get(name):
            self.add_error(name, message)
        return cleaned


class RequestFilter(forms.Form):
    """The filters of the list of revocations; what cannot be read is ignored, so that old links still work."""

    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("Any state"))])
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("Any kind"))])
    actor = forms.CharField(label=_("Asked by"), required=False, max_length=256)

    def __init__(self, *args, kinds: list[tuple[str, str]] = (), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [("", _("Any state")), *RevocationRequest.State.choices]
        self.fields["kind"].choices = [("", _("Any kind")), *kinds]
        for name in ("state", "kind", "actor"):
            self.fields[name].widget.attrs["class"] = "field"
        self.fields["actor"].widget.attrs |= {"type": "search", "placeholder": _("Name of who asked")}

    def values(self) -> dict[str, str]:
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}
