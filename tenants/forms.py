"""Turning what a tenant's admin types into clean values."""

import re
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from accounts.ids import id_or_none
from accounts.models import Tenant
from accounts.roles import Role
from tenants.services import FIELDS, person_from_elsewhere, person_named

PHONE = re.compile(r"\+?[0-9(][0-9 ()/.\-]{2,38}")


def _text(**attrs) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "field", "autocomplete": "off", **attrs})


class PeopleField(forms.CharField):
    """People of the form's tenant, one per line or separated by commas: object ids, or addresses that name just one."""

    widget = forms.Textarea
    tenant: Tenant | None = None

    def to_python(self, value: str) -> list[UUID]:
        ids, wrong = [], []
        for word in (super().to_python(value) or "").replace(",", " ").replace(";", " ").split():
            found = id_or_none(word) or (person_named(self.tenant, word) if self.tenant else None)
            if found:
                ids.append(UUID(str(found)))
            else:
                wrong.append(word)
        if wrong:
            message = _("These name nobody, or more than one person, in the copy of the directory: %(words)s")
            raise forms.ValidationError(message, code="invalid", params={"words": ", ".join(wrong[:5])})
        return list(dict.fromkeys(ids))

    def prepare_value(self, value) -> str:
        return "\n".join(map(str, value)) if isinstance(value, list) else value


class TenantSettingsForm(forms.ModelForm):
    """What a tenant's admin decides. Saving is left to `tenants.services`, which keeps the record."""

    break_glass_ids = PeopleField(
        label=_("Break-glass accounts"),
        required=False,
        help_text=_(
            "User principal names, mail addresses or object ids, one per line; kept by their ids. No mass action ever"
            " touches these accounts."
        ),
    )

    class Meta:
        model = Tenant
        fields = FIELDS
        labels = {
            "contact_name": _("Security contact: name"),
            "contact_phone": _("Security contact: phone"),
            "contact_mail": _("Security contact: mail address"),
            "approval_threshold": _("Second approver above this many people"),
            "approve_app_deletion": _("Deleting an app needs a second approver too"),
            "allow_emergency_override": _("An admin may override a missing approval in an emergency"),
            "write_share_percent": _("Share of Microsoft's write quota for mass actions, per cent"),
            "notify_people": _("Tell people by e-mail when they are signed out"),
            "notify_subject": _("Subject of that e-mail"),
            "notify_body": _("Text of that e-mail"),
        }
        help_texts = {
            "contact_name": _("A person or a team. Everybody of your organisation is shown this contact when worried."),
            "contact_phone": _("As one dials it from anywhere, with the country: +49 30 1234567."),
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
        self.fields["break_glass_ids"].tenant = self.instance
        for name, low, high in (("approval_threshold", 1, 100_000), ("write_share_percent", 10, 100)):
            field = self.fields[name]
            field.validators += [MinValueValidator(low), MaxValueValidator(high)]
            field.widget.attrs |= {"min": low, "max": high, "inputmode": "numeric"}
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = "field"
        self.fields["break_glass_ids"].widget.attrs |= {"rows": 3, "spellcheck": "false"}
        self.fields["notify_body"].widget.attrs["rows"] = 6

    def clean_contact_phone(self) -> str:
        phone = " ".join(self.cleaned_data["contact_phone"].split())
        if phone and not PHONE.fullmatch(phone):
            raise forms.ValidationError(_("This is no phone number: use digits, spaces, + ( ) - / . and no words."))
        return phone

    def clean(self) -> dict:
        values = super().clean()
        reachable = values.get("contact_phone") or values.get("contact_mail")
        if values.get("contact_name") and not reachable and not self.errors:
            self.add_error(
                "contact_phone", _("Give a phone number or a mail address too: a name alone reaches nobody.")
            )
        if values.get("notify_people"):
            for name in ("notify_subject", "notify_body"):
                if not values.get(name, "").strip():
                    self.add_error(name, _("Needed when people are told by e-mail."))
        return values


class ProviderForm(forms.Form):
    """Somebody of another organisation, and what they may do here."""

    who = forms.CharField(
        label=_("Their mail address or user principal name"),
        max_length=256,
        help_text=_("As they sign in with it. They have to have signed in here once."),
        widget=_text(spellcheck="false", autocapitalize="none"),
    )
    home = forms.CharField(
        label=_("Their organisation"),
        max_length=256,
        required=False,
        help_text=_("Its main domain or its tenant id, where the address does not end in that domain."),
        widget=_text(spellcheck="false"),
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
        if values.get("who"):
            values["person"] = person_from_elsewhere(self.tenant, values["who"], values.get("home", ""))
            if values["person"] is None:
                raise forms.ValidationError(
                    _("Nobody of another organisation with this address has signed in here yet. Nobody was let in.")
                )
        return values
