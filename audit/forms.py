"""The filters of the audit page."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import id_or_none
from audit.models import Area, AuditEvent, Outcome

TODAY, WEEK = "today", "week"
DAYS_AGO = {TODAY: 0, WEEK: 7}


class Only:
    """Presets that no single filter says."""

    TROUBLE = "trouble"
    ADMINS = "admins"
    CHOICES = [("", _("Everything")), (TROUBLE, _("Failed and refused")), (ADMINS, _("Administrators"))]


class DayField(forms.DateField):
    """A day, or a word for one, so that an address of it means another day tomorrow."""

    def to_python(self, value) -> date | None:
        return value if value in DAYS_AGO else super().to_python(value)


class AuditFilter(forms.Form):
    """What cannot be read is ignored, and the rest still filters: an old link must not become an error."""

    q = forms.CharField(label=_("Words"), required=False, max_length=200)
    only = forms.ChoiceField(label=_("Only"), required=False, choices=Only.CHOICES)
    person = forms.CharField(label=_("Person"), required=False, max_length=200)
    app = forms.CharField(label=_("App"), required=False, max_length=200)
    action = forms.ChoiceField(label=_("What happened"), required=False)
    outcome = forms.ChoiceField(label=_("Outcome"), required=False, choices=[("", _("Any outcome")), *Outcome.choices])
    since = DayField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = DayField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    request_id = forms.UUIDField(label=_("Revocation"), required=False, widget=forms.HiddenInput)
    zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args, zone: ZoneInfo, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.fields["action"].choices = [
            ("", _("Anything")),
            (_("Areas"), Area.choices),
            (_("Events"), AuditEvent.choices),
        ]
        for field in self.fields.values():
            field.widget.attrs["class"] = "field"
        self.fields["q"].widget.input_type = "search"
        self.fields["q"].widget.attrs["placeholder"] = _("Reasons, tickets, names")
        for name in ("person", "app"):
            self.fields[name].widget.attrs |= {"placeholder": _("Name or object id")}

    def chosen(self) -> dict[str, str]:
        """What was chosen, by field, as an address says it."""
        self.is_valid()
        return {name: str(value) for name, value in self.cleaned_data.items() if value and name != "zone"}

    def values(self) -> dict:
        """Arguments for `audit.showing.filters.entries`."""
        self.is_valid()
        got = self.cleaned_data
        person, app = got.get("person", ""), got.get("app", "")
        return {
            "text": " ".join([got.get("q", ""), *(name for name in (person, app) if name and not id_or_none(name))]),
            "person": person.lower() if id_or_none(person) else "",
            "app": app.lower() if id_or_none(app) else "",
            "action": got.get("action", ""),
            "outcome": got.get("outcome", ""),
            "since": self._midnight(got.get("since")),
            "until": self._midnight(got.get("until"), days=1),
            "request_id": got.get("request_id"),
            "only": got.get("only", ""),
        }

    def _midnight(self, day: date | str | None, days: int = 0) -> datetime | None:
        if not day:
            return None
        if day in DAYS_AGO:
            day = timezone.now().astimezone(self.zone).date() - timedelta(days=DAYS_AGO[day])
        try:
            return datetime.combine(day + timedelta(days=days), time.min, self.zone)
        except OverflowError:
            return None
