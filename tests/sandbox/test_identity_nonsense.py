"""Whatever is sent, the identity side answers in its own words: no request makes it fail."""

import json

import pytest
import requests
from hypothesis import HealthCheck, given, settings, strategies as st

from sandbox import seed
from sandbox.catalogue import CONTOSO, PORTAL_APP_ID, PORTAL_SECRET
from sandbox.identity import claims_request, redemption, signing_in, state
from sandbox.identity.errors import Refusal
from tests.sandbox.client import REDIRECT

OWN = "http://127.0.0.1:9400"
text = st.text(max_size=40)
json_text = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["access_token", "id_token", "xms_cc", "acrs", "values", "value"]), inner)
    ),
    max_leaves=8,
).map(json.dumps)


def some(**known):
    """Forms that hold some of these fields, right or wrong."""
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(values) | text for name, values in known.items()})


forms = some(
    grant_type=["client_credentials", "authorization_code", "refresh_token"],
    client_id=[PORTAL_APP_ID],
    client_secret=[PORTAL_SECRET],
    client_assertion_type=["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
    client_assertion=["e30.e30.e30", "eyJhbGciOiJub25lIn0.eyJpc3MiOjF9.", "eyJhbGciOiJSUzI1NiIsIng1dCI6MX0.e30.x"],
    scope=["https://graph.microsoft.com/.default", "User.Read", "openid", "/", "//.default"],
    code=["1.x"],
    refresh_token=["1.x"],
    redirect_uri=[REDIRECT],
)
requests_to_sign_in = some(
    client_id=[PORTAL_APP_ID],
    redirect_uri=[REDIRECT, "http://[", "http://localhost:x/", "//", "http://127.0.0.1:8000\\@evil.example/"],
    response_type=["code", "id_token"],
    scope=["openid", "User.Read", "https://graph.microsoft.com/.default"],
    prompt=["login", "none"],
    max_age=["0", "²", "9" * 5000],
    response_mode=["form_post"],
    login_hint=["adele@contoso.example", "O."],
    domain_hint=["contoso.example"],
)


@pytest.fixture(scope="module")
def world():
    return seed.world()


def outcome(do):
    """What it returns, or the refusal it raises; anything else raised is a fault."""
    try:
        return do()
    except Refusal as refusal:
        return refusal


@given(segment=st.sampled_from([CONTOSO, "organizations", "common"]) | text, form=forms, claims=json_text | text)
@settings(max_examples=300, deadline=None)
def test_the_token_endpoint_refuses_or_answers(world, segment, form, claims):
    found = outcome(
        lambda: redemption.redeem(world, segment, form | {"claims": claims}, authorization=form.get("code"))
    )

    if isinstance(found, Refusal):
        assert found.described(world.clock.now())["error_codes"] == [found.code]
    else:
        assert found["token_type"] == "Bearer"


@given(segment=st.sampled_from([CONTOSO, "organizations"]) | text, values=requests_to_sign_in, claims=json_text | text)
@settings(max_examples=300, deadline=None)
def test_the_sign_in_page_refuses_or_asks(world, segment, values, claims):
    browser = state.of(world).browser(None)
    request = outcome(lambda: signing_in.read(world, segment, values | {"claims": claims}, OWN))
    if isinstance(request, Refusal):
        assert request.on_page
        return

    def go():
        flow = signing_in.start(request, browser)
        signing_in.check(request)
        return signing_in.choose_silently(request, browser, flow)

    found = outcome(go)

    if isinstance(found, Refusal):
        assert "error" in signing_in.refused(request, found)
    else:
        assert isinstance(found, signing_in.PickAccount)


@given(json_text)
def test_a_claims_request_of_any_shape_is_read(claims):
    found = outcome(lambda: claims_request.read(claims))

    if isinstance(found, Refusal):
        assert found.code == 90013
    else:
        assert isinstance(found.capable, bool)
        assert all(isinstance(one, str) for one in found.contexts)


@given(st.binary(max_size=60), st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data", "text/x"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_body_gets_a_refusal_over_http(served, body, kind):
    with requests.Session() as http:
        http.trust_env = False
        answer = http.post(
            f"{served.url}/{CONTOSO}/oauth2/v2.0/token", data=body, headers={"Content-Type": kind}, timeout=10
        )

    assert answer.status_code == 400
    assert answer.text
