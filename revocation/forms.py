"""What people type before something is revoked: why, by which ticket, and whom."""

from collections.abc import Collection

from django import forms
from django.db import models
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from graph.sentences import grouped
from revocation.lists.recipes import Part, Recipe
from revocation.models import ListDraft, RevocationRequest

State = RevocationRequest.State


class ReasonField(forms.CharField):
    """Why. `suggestions` are words that a click puts into it."""

    suggestions = (_("Lost device"), _("Phishing"), _("Left the company"), _("On request"))


class ReasonForm(forms.Form):
    """Why, in the words of the person who asks. The reason goes into the record, so it cannot be blank."""

    reason = ReasonField(
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


class TakeOutForm(ConfirmForm):
    """Which parts of taking an app out are done."""

    parts = forms.MultipleChoiceField(
        label=_("What is done"),
        choices=Part,
        error_messages={"required": _("Tick at least one step.")},
        widget=forms.CheckboxSelectMultiple(
            attrs={
                "hx-get": "",
                "hx-trigger": "change",
                "hx-include": "[name=parts], [name=ticked]",
                "hx-target": "#the-plan",
                "hx-select": "#the-plan",
                "hx-swap": "outerHTML",
                "hx-push-url": "false",
            }
        ),
    )
    ticked = forms.CharField(required=False, initial="yes", widget=forms.HiddenInput)  # told from nothing being ticked
    field_order = ("parts", "reason", "ticket", "high_priority")

    def __init__(self, *args, counts: dict[Part, int], ticked: Collection[str], **kwargs) -> None:
        super().__init__(*args, initial={"parts": list(ticked), "ticked": "yes"}, **kwargs)
        self.fields["parts"].choices = [(part, part_words(part, count)) for part, count in counts.items()]

    def clean(self) -> dict:
        cleaned = super().clean()
        cleaned.pop("ticked", None)
        return cleaned


def part_words(part: Part, n: int) -> str:
    """What one part of taking an app out does, with its number."""
    if part == Part.DISABLE:
        return gettext("Disable it: nobody signs in to it, and it gets no new token")
    if part == Part.CONSENTS:
        text = ngettext("Withdraw %(n)s consent", "Withdraw %(n)s consents", n)
    elif part == Part.ALONE:
        text = ngettext("Take its %(n)s app-only permission", "Take its %(n)s app-only permissions", n)
    elif part == Part.ASSIGNED:
        text = ngettext(
            "Take %(n)s assignment away: enabled again, it would be used by nobody",
            "Take %(n)s assignments away: enabled again, it would be used by nobody",
            n,
        )
    else:
        text = ngettext(
            "Sign out the %(n)s person who let it in: only where their account may be stolen too",
            "Sign out the %(n)s people who let it in: only where their accounts may be stolen too",
            n,
        )
    return text % {"n": grouped(n)}


class SecureForm(ReasonForm):
    """What is done to secure one account. `apps` are those the person let in: object id, name, risk."""

    sign_out = forms.BooleanField(label=_("Sign out everywhere"), required=False, initial=True)
    apps = forms.MultipleChoiceField(
        label=_("Withdraw the consent to"), required=False, widget=forms.CheckboxSelectMultiple
    )
    field_order = ("sign_out", "apps", "reason", "ticket")

    def __init__(self, *args, apps: list[tuple[str, str, bool]], **kwargs) -> None:
        ticked = [pk for pk, _words, risky in apps if risky]
        super().__init__(*args, initial={"apps": ticked, "reason": gettext("The account may be stolen")}, **kwargs)
        self.fields["apps"].choices = [(pk, words) for pk, words, _risky in apps]
        if not apps:
            del self.fields["apps"]

    def clean(self) -> dict:
        cleaned = super().clean()
        if not cleaned.get("sign_out") and not cleaned.get("apps"):
            raise forms.ValidationError(gettext("Tick at least one step."), code="nothing")
        return cleaned


class DecisionForm(forms.Form):
    """Decide about exactly what was shown: the digest travels with the form and is compared with the steps."""

    digest = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)


class RejectForm(forms.Form):
    """A no, and why: whoever asked reads it."""

    reason = ReasonField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"class": "field", "rows": 3, "autocomplete": "off"}),
        error_messages={"required": _("Say why. Whoever asked for it reads the reason, with your name.")},
        help_text=_("Whoever asked for it reads this, with your name. Kept in the audit record."),
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].suggestions = (_("Too many people"), _("The wrong people"), _("Talk to me first"))


class EveryoneForm(ConfirmForm):
    """The last word before everyone is hit without a second person: how many they are, typed out."""

    typed = forms.CharField(
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off", "inputmode": "numeric"})
    )

    def __init__(self, *args, people: int, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        self.fields["typed"].label = gettext("Type %(n)s to confirm") % {"n": grouped(people)}

    def clean_typed(self) -> str:
        if "".join(filter(str.isdigit, self.cleaned_data["typed"])) != str(self.people):
            raise forms.ValidationError(gettext("That is not how many people these are. Nothing was changed."))
        return ""

    def clean(self) -> dict:
        cleaned = super().clean()
        cleaned.pop("typed", None)
        return cleaned


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
        widget=forms.Textarea(
            attrs={
                "class": "field",
                "rows": 10,
                "spellcheck": "false",
                "autocomplete": "off",
                "placeholder": "adele@contoso.com\nalex@contoso.com",
            }
        ),
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


class ListState(models.TextChoices):
    """What the list of revocations can be narrowed to: states, some of them together."""

    ALL = "", _("All")
    RUNNING = State.RUNNING.value, _("Under way")
    AWAITING = State.AWAITING_APPROVAL.value, _("Waiting for approval")
    ATTENTION = "attention", _("Needs a human")
    PAUSED = State.PAUSED.value, _("Paused")
    FINISHED = State.FINISHED.value, _("Finished")
    STOPPED = "stopped", _("Not carried out")


class RequestFilter(forms.Form):
    """The filters of the list of revocations; what cannot be read is ignored, so that old links still work."""

    state = forms.ChoiceField(required=False, widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("Any kind"))])
    actor = forms.CharField(label=_("Asked by"), required=False, max_length=256)

    def __init__(self, *args, kinds: list[tuple[str, str]] = (), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [*ListState.choices, *State.choices]
        self.fields["kind"].choices = [("", _("Any kind")), *kinds]
        for name in ("kind", "actor"):
            self.fields[name].widget.attrs["class"] = "field"
        self.fields["actor"].widget.input_type = "search"
        self.fields["actor"].widget.attrs["placeholder"] = _("Name of who asked")

    def values(self) -> dict[str, str]:
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}
