from django.apps import AppConfig


class B2cConfig(AppConfig):
    name = "b2c"
    verbose_name = "Azure AD B2C"
