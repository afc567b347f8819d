"""Names made to be mistaken for others: homoglyphs, mixed alphabets, borrowed brands.

A cut-down form of Unicode's confusables (https://www.unicode.org/reports/tr39/): the letters consent phishing uses.
"""

import re
import unicodedata
from functools import lru_cache

_CONFUSABLES = str.maketrans(
    {
        # Cyrillic
        "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "һ": "h", "і": "l", "ј": "j", "к": "k", "ӏ": "l",
        "м": "m", "н": "h", "о": "o", "р": "p", "ԛ": "q", "ѕ": "s", "т": "t", "у": "y", "ѵ": "v", "ѡ": "w",
        "х": "x", "г": "r",
        # Greek
        "α": "a", "β": "b", "ε": "e", "η": "n", "ι": "l", "κ": "k", "ν": "v", "ο": "o", "ρ": "p", "τ": "t",
        "υ": "u", "χ": "x", "ω": "w", "ϲ": "c", "ϳ": "j", "γ": "y",
        # Latin that passes for other Latin, and digits
        "ı": "l", "ɑ": "a", "ɡ": "g", "ł": "l", "ø": "o", "ß": "b", "0": "o", "1": "l", "|": "l", "5": "s", "3": "e",
        "i": "l",  # a capital I is a small l in most fonts; folding both to one letter costs nothing
        "$": "s", "@": "a",
    }
)  # fmt: skip
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))

_BRANDS = {
    "microsoft": "Microsoft",
    "office 365": "Office 365",
    "office365": "Office 365",
    "outlook": "Outlook",
    "onedrive": "OneDrive",
    "sharepoint": "SharePoint",
    "microsoft teams": "Microsoft Teams",
    "azure ad": "Azure AD",
    "azure active directory": "Azure Active Directory",
    "exchange online": "Exchange Online",
}


@lru_cache(maxsize=1000)
def skeleton(name: str) -> str:
    """What is left of a name when the tricks are taken out: two names with one skeleton look alike.

    Spaces and punctuation go too: "Mail-Sidekick" is read as "Mail Sidekick".
    """
    text = unicodedata.normalize("NFKD", name).casefold()
    text = "".join(char for char in text if not unicodedata.combining(char)).translate(_CONFUSABLES)
    for pair, single in _PAIRS:
        text = text.replace(pair, single)
    return re.sub(r"[\W_]+", "", text)


_BRAND_SKELETONS = sorted(((skeleton(brand), name) for brand, name in _BRANDS.items()), key=lambda item: -len(item[0]))


def brand_of(name: str) -> str:
    """The Microsoft brand a name begins with, or "". "Polls for Microsoft Teams" is honest and not meant."""
    text = skeleton(name)
    return next((brand for key, brand in _BRAND_SKELETONS if text.startswith(key)), "")


def has_mixed_scripts(name: str) -> bool:
    """Whether one word mixes Latin letters with Cyrillic or Greek ones, which no language does."""
    if name.isascii():
        return False
    for word in re.findall(r"\w+", name):
        scripts = {unicodedata.name(char, "").partition(" ")[0] for char in word if char.isalpha()}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK"}:
            return True
    return False
