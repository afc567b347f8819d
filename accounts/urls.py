from django.urls import include, path

from accounts import views

pages = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("ended/", views.ended, name="ended"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("signed-out/", views.signed_out, name="signed-out"),
    path("step-up/", views.step_up, name="step-up"),
    path("step-up/go-on/", views.go_on, name="go-on"),
    path("sessions/", views.sessions, name="sessions"),
    path("sessions/end-others/", views.end_other_sessions, name="end-other-sessions"),
    path("sessions/<int:pk>/end/", views.end_session, name="end-session"),
    path("front-channel-logout/", views.front_channel_logout, name="front-channel-logout"),
]

urlpatterns = [
    path("", include((pages, "accounts"))),
    path("", include("accounts.entra.urls")),
]
