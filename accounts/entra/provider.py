"""The allauth provider `entra`: allauth keeps login state and sessions, MSAL does OAuth, we prove the identity."""

from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import Provider, ProviderAccount
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from accounts import trips
from accounts.access import lead_on, safe_next
from accounts.oidc import flow
from accounts.oidc.id_token import Identity

TRIPS = "/accounts/"  # where the cookie of a trip goes


class EntraAccount(ProviderAccount):
    pass


class EntraProvider(Provider):
    id = "entra"
    name = "Microsoft Entra ID"
    account_class = EntraAccount
    uses_apps = False
    supports_redirect = True

    def get_login_url(self, request: HttpRequest, **kwargs: Any) -> str:
        return reverse("entra_login") + (f"?{urlencode(kwargs)}" if kwargs else "")

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """What the sign-in form may choose: where to land, and to be asked which account. Nothing else, so that no
        address can add parameters to what we ask Microsoft."""
        return {
            "process": AuthProcess.LOGIN,
            "next_url": safe_next(request.POST.get("next")),
            "prompt": "select_account" if request.POST.get("choose") else None,
        }

    def redirect(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: dict[str, Any] | None = None,
        prompt: str | None = None,
        **hints: Any,
    ) -> HttpResponse:
        """Off to Microsoft. `data` comes back with the state; `hints` are those of `flow.begin`."""
        start = flow.begin(request, prompt=prompt, **hints)
        trip = {"process": process, "data": {**(data or {}), "flow": start.flow}} | (
            {"next": next_url} if next_url else {}
        )
        response = lead_on(request, start.address)
        trips.put(response, trips.of_state(start.state), trip, path=TRIPS)
        return response

    def social_login(self, identity: Identity) -> SocialLogin:
        """A login of the person who is known by (`tid`, `oid`). No e-mail: it never identifies anyone here."""
        account = SocialAccount(provider=self.id, uid=self.extract_uid(identity), extra_data={})
        return SocialLogin(account=account, provider=self)

    def extract_uid(self, data: Identity) -> str:
        return f"{data.tenant_id}.{data.object_id}"


provider_classes = [EntraProvider]
