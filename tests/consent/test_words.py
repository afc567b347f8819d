"""The pages about oneself are for people, not for engineers: words they never use, on every page, in every language.

What an app calls itself, and what a permission says of itself, is its maker's and is left out (`data-theirs`), as are
technical names that somebody asked to see.
"""

import re
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.access import Actor
from accounts.tenancy import tenant_context
from consent import own_removals
from consent.showing import own_apps
from directory import agents, selectors
from revocation import services
from sandbox.catalogue import WOODGROVE
from tests.consent.pages import app_named
from tests.copied import read_directory
from tests.factories import make_person, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

EVERYWHERE = ["token", "tokens", "oauth", "openid", "principal id", "api", "endpoint", "scope", "scopes", "upn"]
WORDS = {
    "en": [
        *("tenant", "tenants", "refresh", "refreshes", "directory", "principal", "principals", "grant", "grants"),
        *("consent", "consents", "consented", "client", "clients", "revoke", "revoked", "revocation", "claim"),
    ],
    "de": ["mandant", "mandanten", "tenant", "verzeichnis", "verzeichnisses", "prinzipal", "dienstprinzipal", "client"],
    "es": ["inquilino", "inquilinos", "tenant", "directorio", "directorios", "entidad de servicio"],
    "fr": ["jeton", "jetons", "locataire", "locataires", "tenant", "annuaire", "annuaires", "principal de service"],
    "pl": ["dzierżawa", "dzierżawy", "dzierżawie", "tenant", "katalog", "katalogu", "katalogi", "jednostka usługi"],
}
SAID_ALOUD = ("aria-label", "placeholder", "title", "alt")
VOID = {"meta", "link", "input", "br", "img", "path", "circle", "hr"}


class Read(HTMLParser):
    """What a page says to its reader."""

    def __init__(self):
        super().__init__()
        self.said, self._silent, self._open = [], 0, []

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        quiet = tag in ("script", "style", "code") or "data-theirs" in named
        if not (self._silent or quiet):
            self.said += [named[name] for name in SAID_ALOUD if named.get(name) and tag != "time"]
        if tag in VOID:
            return
        self._open.append((tag, quiet))
        self._silent += quiet

    def handle_endtag(self, tag):
        while self._open:
            opened, quiet = self._open.pop()
            self._silent -= quiet
            if opened == tag:
                return

    def handle_data(self, text):
        if not self._silent:
            self.said.append(text)


def said_on(page: str) -> str:
    reader = Read()
    reader.feed(page)
    return " ".join(" ".join(reader.said).split())


def engineers_words(text: str, language: str) -> set[str]:
    """Whole words, in any case; of a language with no list of its own, none would ever be found: that is an error."""
    listed = [*EVERYWHERE, *WORDS[language]]
    return {word for word in listed if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)}


def test_a_word_is_found_where_it_is_said_and_not_where_it_is_anothers():
    page = (
        '<p title="A grant">Your Token<b data-theirs> directory<i> scope</i></b> <code>tenant</code></p><i>refresh</i>'
    )

    assert engineers_words(said_on(page), "en") == {"grant", "token", "refresh"}


@pytest.fixture
def addresses(client, sign_in, adele, megan, entra, contoso):
    """Adele's pages in the states that matter: something removed and something under way, done by her and to her."""
    read_directory(contoso)
    sidekick, travel = app_named(contoso, "Mail Sidekick"), app_named(contoso, "Contoso Travel")
    graph = app_named(contoso, "Microsoft Graph")
    with tenant_context(contoso.pk):
        own_removals.remove_own_app(adele.membership, app_named(contoso, "Wingtip Notes"), reason="I do not use it")
        own_removals.remove_own_permission(adele.membership, sidekick, graph.pk, "Mail.Send")
        entra.lag(seconds=60)
        own_removals.remove_own_app(adele.membership, app_named(contoso, "Litware Timesheets"))
        services.sign_out(
            contoso, [selectors.person(contoso, adele.object_id)], actor=Actor.of(megan.membership), reason="Phishing"
        )
        adele.user.refresh_from_db()
        left = own_apps.of(adele.membership)
        type(sidekick).objects.filter(pk=sidekick.pk).update(last_used_at=timezone.now() - timezone.timedelta(days=99))
    sign_in(client, adele)
    proof = client.post(reverse("consent:sign-out-everywhere"))["Location"]
    with tenant_context(contoso.pk):
        adele.user.refresh_from_db()
    sign_in(client, adele)
    activity = client.get(reverse("consent:activity")).content.decode()
    ticked = "&".join(f"app={item.id}" for item in left if item.removable)
    return [
        *("/", "/?q=nothing", "/sign-out-everywhere/", "/activity/", "/mail/", "/accounts/sessions/", proof),
        *(reverse("consent:my-app", args=[item.id]) for item in left),
        reverse("consent:remove-app", args=[sidekick.pk]),
        f"{reverse('consent:remove-apps')}?{ticked}",
        reverse("consent:remove-permission", args=[sidekick.pk, graph.pk, "Mail.ReadWrite"]),
        re.search(r'href="(/activity/\d+/not-me/)"', activity)[1],
        re.search(r'href="(/revocations/[^"]+)"', activity)[1],
        reverse("consent:my-app", args=[travel.pk]),
    ]


def words_found(client, addresses):
    found = {}
    for language, _name in settings.LANGUAGES:
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        for address in addresses:
            answer = client.get(address, follow=True)
            assert answer.status_code == 200, address
            if words := engineers_words(said_on(answer.content.decode()), language):
                found[language, address] = words
    return found


def test_pages_about_oneself_never_use_engineers_words(client, addresses):
    found = words_found(client, addresses)
    stranger = Client()
    for address in ("/accounts/sign-in/", "/accounts/signed-out/", "/sign-out-everywhere/proof/over/"):
        if words := engineers_words(said_on(stranger.get(address).content.decode()), "en"):
            found["en", address] = words

    assert found == {}


def test_nor_do_pages_about_agents(client, sign_in, world, entra):
    tenant = make_tenant(WOODGROVE, "Woodgrove", "woodgrove.example")
    read_directory(tenant)
    people = next(one["users"] for one in world["tenants"] if one["id"] == WOODGROVE)
    for name in ("Greta Ohm", "Paula Reyes"):
        person = make_person(tenant, next(one["id"] for one in people if one["displayName"] == name), name)
        with tenant_context(tenant.pk):
            mine = own_apps.of(person.membership)
            answered = agents.answered_for_by(tenant, person.object_id)
        sign_in(client, person)
        addresses = ["/", *(reverse("consent:my-app", args=[item.id]) for item in mine)]
        addresses += [reverse("consent:remove-app", args=[item.id]) for item in mine if item.removable]
        addresses += [reverse("consent:my-agent", args=[app.pk]) for app in answered]

        assert words_found(client, addresses) == {}
