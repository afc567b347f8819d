from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Tenants and people")

    def ready(self) -> None:
        from accounts import durations
        from accounts.outages import Rows
        from graph import breaker, transport

        breaker.shared = Rows()
        transport.timed = durations.MICROSOFT.add
