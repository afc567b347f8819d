from django import forms
from django.utils.translation import gettext_lazy as _

from inbox.models import MailChoice
from inbox.services import LONGEST_NOTE


class KeepForm(forms.Form):
    """Why a risky app may stay."""

    note = forms.CharField(
        label=_("Why may it stay?"),
        max_length=LONGEST_NOTE,
        help_text=_("Kept in the audit record, and shown to whoever looks at the app."),
        widget=forms.Textarea(attrs={"class": "field", "rows": 2}),
    )


class MailForm(forms.Form):
    """When somebody wants to be told by mail."""

    approvals = forms.ChoiceField(
        label=_("An approval"),
        choices=MailChoice.When.choices,
        help_text=_("Somebody waits for your word, or decided about what you asked for."),
        widget=forms.RadioSelect,
    )
    others = forms.ChoiceField(
        label=_("Everything else"),
        choices=MailChoice.When.choices,
        help_text=_(
            "Apps that people reported, what could not be done, new risky apps; and what came of your reports."
        ),
        widget=forms.RadioSelect,
    )
