"""What people type about a rule of the gate: where, when, and for how long."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Tenant
from b2c import effects, selectors
from b2c.models import RefreshRule
from b2c.terms import CLAIM, Terms
from revocation.forms import ReasonForm

BEFORE = "before"
HOURS = [
    (0, _("Until somebody ends it")),
    (8, _("8 hours")),
    (24, _("1 day")),
    (24 * 7, _("7 days")),
    (24 * 30, _("30 days")),
    (24 * 90, _("90 days")),
]


def hours_field() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=_("How long"),
        choices=HOURS,
        coerce=int,
        widget=forms.Select(attrs={"class": "field"}),
        help_text=_("It can be ended at any time before."),
    )


class TermsForm(forms.Form):
    """Everything about a rule but whom it is about."""

    app = forms.ChoiceField(label=_("Application"), required=False, widget=forms.Select(attrs={"class": "field"}))
    policy = forms.ChoiceField(label=_("Policy"), required=False, widget=forms.Select(attrs={"class": "field"}))
    when = forms.ChoiceField(
        label=_("When"),
        choices=[
            (BEFORE, _("Tokens issued before the rule takes effect")),
            (RefreshRule.Condition.MISSING, _("As long as a claim is missing")),
            (RefreshRule.Condition.EQUALS, _("As long as a claim has this value")),
            (RefreshRule.Condition.DIFFERS, _("As long as a claim is not what it was when the token was issued")),
        ],
        initial=BEFORE,
        widget=forms.Select(attrs={"class": "field"}),
    )
    claim = forms.RegexField(
        CLAIM,
        label=_("Claim"),
        required=False,
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("As the policy sends it to the gate; small and capital letters count."),
        error_messages={"invalid": _("A claim's name begins with a letter and has no spaces.")},
    )
    value = forms.CharField(
        label=_("Value"),
        required=False,
        max_length=256,
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
    )
    hours = hours_field()

    def __init__(self, *args, tenant: Tenant, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.apps = {str(app.app_id): app.name for app in effects.known_apps(tenant)}
        policies = sorted(selectors.setting(tenant).apps_by_policy)
        self.fields["app"].choices = [("", _("Every application")), *self.apps.items()]
        self.fields["policy"].choices = [("", _("Every policy")), *((one, one) for one in policies)]

    def clean(self) -> dict:
        values = super().clean()
        when = values.get("when")
        if when and when != BEFORE and "claim" not in self.errors and not values.get("claim"):
            self.add_error("claim", _("Name the claim."))
        if when == RefreshRule.Condition.EQUALS and not values.get("value"):
            self.add_error("value", _("Name the value."))
        return values

    def terms(self) -> Terms:
        """What the valid form says."""
        values = self.cleaned_data
        condition = "" if values["when"] == BEFORE else values["when"]
        return Terms(
            app_id=values["app"],
            app_label=self.apps.get(values["app"], ""),
            policy_id=values["policy"],
            condition=condition,
            claim=values["claim"] if condition else "",
            value=values["value"] if condition == RefreshRule.Condition.EQUALS else "",
            hours=values["hours"],
        )


class RefuseForm(ReasonForm):
    """One person in one application: why, and how long."""

    hours = hours_field()
