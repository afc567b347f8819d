"""The filters of the audit page."""

from datetime import UTC, datetime, time, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.ids import id_or_none
from audit.models import Area, AuditEvent, Outcome


class AuditFilter(forms.Form):
    """What cannot be read is ignored, and the rest still filters: an old link must not become an error."""

    q = forms.CharField(label=_("Words"), required=False, max_length=200)
    person = forms.CharField(label=_("Person"), required=False, max_length=200)
    app = forms.CharField(label=_("App"), required=False, max_length=200)
    action = forms.ChoiceField(label=_("What happened"), required=False)
    outcome = forms.ChoiceField(label=_("Outcome"), required=False, choices=[("", _("Any outcome")), *Outcome.choices])
    since = forms.DateField(label=_("From (UTC)"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To (UTC)"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    request_id = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["action"].choices = [
            ("", _("Anything")),
            (_("Areas"), Area.choices),
            (_("Events"), AuditEvent.choices),
        ]
        for field in self.fields.values():
            field.widget.attrs["class"] = "field"
        self.fields["q"].widget.attrs |= {"type": "search", "placeholder": _("Reasons, tickets, names")}
        for name in ("person", "app"):
            self.fields[name].widget.attrs |= {"placeholder": _("Name or object id")}

    def values(self) -> dict:
        """Arguments for `audit.selectors.entries`."""
        self.is_valid()
        got = self.cleaned_data
        until, person, app = got.get("until"), got.get("person", ""), got.get("app", "")
        return {
            "text": " ".join([got.get("q", ""), *(name for name in (person, app) if name and not id_or_none(name))]),
            "person": person.lower() if id_or_none(person) else "",
            "app": app.lower() if id_or_none(app) else "",
            "action": got.get("action", ""),
            "outcome": got.get("outcome", ""),
            "since": _midnight(got.get("since")),
            "until": _midnight(until + timedelta(days=1)) if until else None,
            "request_id": got.get("request_id"),
        }


def _midnight(day) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None
