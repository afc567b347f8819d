from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"

    def ready(self) -> None:
        from audit import checks, receivers  # noqa: F401 - importing registers the checks

        receivers.connect()
