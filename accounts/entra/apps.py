from django.apps import AppConfig


class EntraConfig(AppConfig):
    """The allauth provider: allauth finds `provider.py` in every installed app."""

    name = "accounts.entra"
    label = "entra"
