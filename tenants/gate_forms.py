"""What a tenant's admin types about the gate."""

import json
import re
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from b2c.models import GateSetting
from b2c.services import FIELDS
from b2c.terms import CLAIM

_POLICY = re.compile(r"[\w.-]{1,128}", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)
_HOST = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.ciamlogin\.com", re.ASCII)
_TEXT = {"class": "field", "autocomplete": "off", "spellcheck": "false"}


class PoliciesField(forms.CharField):
    """One policy a line, then the client ids of the applications that sign in through it."""

    widget = forms.Textarea

    def to_python(self, value: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for line in (super().to_python(value) or "").splitlines():
            policy, _colon, rest = line.partition(":")
            policy, words = policy.strip().lower(), rest.replace(",", " ").split()
            if not policy and not words:
                continue
            if not _POLICY.fullmatch(policy):
                raise forms.ValidationError(_("This is no policy's id: %(word)s"), params={"word": policy[:64]})
            try:
                ids = [str(UUID(word)) for word in words]
            except ValueError:
                message = _("After “%(word)s:” come client ids, as in the app registration.")
                raise forms.ValidationError(message, params={"word": policy}) from None
            found.setdefault(policy, []).extend(one for one in ids if one not in found.get(policy, ()))
        return found

    def prepare_value(self, value) -> str:
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{policy}: {' '.join(ids)}" for policy, ids in sorted(value.items()))


class MessagesField(forms.CharField):
    """One language a line: `de: Bitte melden Sie sich neu an.`"""

    widget = forms.Textarea

    def to_python(self, value: str) -> dict[str, str]:
        found = {}
        for line in (super().to_python(value) or "").splitlines():
            language, _colon, text = (part.strip() for part in line.partition(":"))
            if not language and not text:
                continue
            if not _LANGUAGE.fullmatch(language) or not text or len(text) > 500:
                message = _("Each line is a language, a colon and a text of 500 characters at most: %(line)s")
                raise forms.ValidationError(message, params={"line": line[:80]})
            found[language] = text
        return found

    def prepare_value(self, value) -> str:
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{language}: {text}" for language, text in sorted(value.items()))


class GateForm(forms.ModelForm):
    """How the gate behaves. Saving is left to `b2c.services`, which keeps the record."""

    apps_by_policy = PoliciesField(
        label=_("Which applications sign in through which policy"),
        required=False,
        help_text=_(
            "One policy a line: B2C_1A_signup_signin: client id, client id. B2C is not known to name the application"
            " at a refresh, so a rule about an application is found by its policy: best is one policy for each."
        ),
    )
    messages = MessagesField(
        label=_("What a refused person is told"),
        required=False,
        help_text=_("One language a line: en: Please sign in again. B2C shows it where it has a page to show it on."),
    )
    country_attribute = forms.RegexField(
        CLAIM,
        label=_("Attribute of the recipe “no refresh without a country of residence”"),
        required=False,
        help_text=_(
            "One that Microsoft Graph can write: country, or extension_…. Microsoft's own legalCountry is none."
        ),
    )
    extension_host = forms.RegexField(
        _HOST,
        label=_("External ID: the tenant's sign-in host"),
        required=False,
        help_text=_("For example contoso.ciamlogin.com."),
    )

    class Meta:
        model = GateSetting
        fields = FIELDS
        widgets = {"fails": forms.RadioSelect, "authentication": forms.RadioSelect}
        labels = {
            "is_b2c": _("This organisation's policies ask the gate"),
            "fails": _("Where the gate cannot decide, or its database is away"),
            "tolerance": _("Let tokens pass that were issued less than five minutes before a rule"),
            "authentication": _("How the policies prove themselves"),
            "id_prefix": _("Prefix of the ids that generated policies add"),
            "extension_app_id": _("External ID: client id of the custom authentication extension"),
        }
        help_texts = {
            "is_b2c": _("Off, the gate answers nobody, and a policy that asks it issues no token."),
            "tolerance": _(
                "Microsoft's own check does so: a token stolen in those minutes lives on. Here it is off unless you"
                " want it."
            ),
            "extension_app_id": _("The app registration that Microsoft's calls are issued for; empty where unused."),
        }

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if not isinstance(field.widget, forms.CheckboxInput | forms.RadioSelect):
                field.widget.attrs |= _TEXT
            if name in ("apps_by_policy", "messages"):
                field.widget.attrs["rows"] = 4
        self.fields["fails"].choices = GateSetting.Fails.choices
        self.fields["authentication"].choices = GateSetting.Authentication.choices

    def clean_extension_host(self) -> str:
        return self.cleaned_data["extension_host"].lower()

    def clean_apps_by_policy(self) -> dict[str, list[str]]:
        found = self.cleaned_data["apps_by_policy"]
        if len(json.dumps(found)) > 100_000:
            raise forms.ValidationError(_("That is longer than any tenant's list of policies."))
        return found

    def clean_id_prefix(self) -> str:
        prefix = self.cleaned_data["id_prefix"]
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", prefix, re.ASCII):
            raise forms.ValidationError(_("It begins with a letter and has letters, digits and underscores only."))
        return prefix
