"""The gate's addresses, which stand in policies: they never change."""

from django.urls import path

from b2c.gate import views

app_name = "gate"

urlpatterns = [
    path("b2c/<uuid:tenant_id>/refresh", views.refresh, name="refresh"),
    path("b2c/<uuid:tenant_id>/sign-in", views.sign_in, name="sign-in"),
    path("b2c/<uuid:tenant_id>/token-issuance", views.token_issuance, name="token-issuance"),
]
