"""The stylesheets: in layers, each thing said once, every colour a name, nothing that a right-to-left page mirrors."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import tinycss2

from portal.statics import JOINED

PROJECT = Path(__file__).parent.parent.parent
LAYERS = ["tokens", "base", "layout", "components", "pages"]
LONGEST = 400  # lines

PHYSICAL = re.compile(
    r"(margin|padding|border|scroll-margin|scroll-padding)-(left|right)(-|$)|^(left|right)$|border-\w+-(left|right)-radius"
)
PHYSICAL_VALUES = {("text-align", "left"), ("text-align", "right"), ("float", "left"), ("float", "right")}
FOUR_SIDES = {"margin", "padding", "inset", "border-width"}
NO_COLOURS = {  # words that name what is there already, or what the system has chosen
    "transparent",
    "currentcolor",
    "inherit",
    "none",
    "canvas",
    "canvastext",
    "highlight",
}
COLOUR_PROPERTIES = {"color", "background", "background-color", "border-color", "outline-color", "fill", "stroke"}
COLOUR_FUNCTIONS = {"rgb", "rgba", "hsl", "hsla", "hwb", "lab", "lch", "oklab", "oklch", "color", "light-dark"}


@dataclass(frozen=True)
class Rule:
    file: str
    layer: str
    at: tuple[str, ...]  # the @media and @container around it
    selector: str
    declarations: tuple[tuple[str, list], ...]


def _sheets() -> list[Path]:
    return sorted((PROJECT / "static" / "css").glob("*.css"))


def _rules(path: Path) -> Iterator[Rule]:
    yield from _inside(path.name, "", (), tinycss2.parse_stylesheet(path.read_text(), True, True))


def _inside(file: str, layer: str, at: tuple[str, ...], nodes: list) -> Iterator[Rule]:
    for node in nodes:
        assert node.type != "error", f"{file}:{node.source_line}: {node.message}"
        prelude = " ".join(tinycss2.serialize(getattr(node, "prelude", [])).split())
        if node.type == "at-rule" and node.content is not None:
            within = tinycss2.parse_rule_list(node.content, True, True)
            if node.at_keyword == "layer":
                yield from _inside(file, prelude, at, within)
            else:
                yield from _inside(file, layer, (*at, f"@{node.at_keyword} {prelude}"), within)
        elif node.type == "qualified-rule":
            declarations = tinycss2.parse_blocks_contents(node.content, True, True)
            pairs = tuple((one.lower_name, one.value) for one in declarations if one.type == "declaration")
            for selector in _split(prelude):
                yield Rule(file, layer, at, selector, pairs)


def _split(selectors: str) -> list[str]:
    """At the commas between selectors, not those inside :where()."""
    return [one.strip() for one in re.split(r",(?![^(]*\))", selectors)]


def _all() -> list[Rule]:
    return [rule for path in _sheets() for rule in _rules(path)]


def test_the_order_of_the_layers_is_said_first():
    first = tinycss2.parse_stylesheet((PROJECT / "static/css/tokens.css").read_text(), True, True)[0]

    assert (first.at_keyword, tinycss2.serialize(first.prelude).strip()) == ("layer", ", ".join(LAYERS))
    links = JOINED["css/all.css"]
    assert links[0] == "css/tokens.css"
    assert sorted(links) == sorted(f"css/{path.name}" for path in _sheets())


@pytest.mark.parametrize("path", _sheets(), ids=lambda path: path.name)
def test_a_file_is_short_and_every_rule_is_in_a_layer(path: Path):
    assert len(path.read_text().splitlines()) <= LONGEST
    assert [rule.selector for rule in _rules(path) if rule.layer not in LAYERS] == []


def test_nothing_is_said_twice():
    seen = Counter((rule.selector, rule.at) for rule in _all())

    assert [key for key, times in seen.items() if times > 1] == []


def test_a_class_is_at_home_in_one_file():
    homes: dict[str, set] = {}
    for rule in _all():
        one_element = " " not in re.sub(r"\([^)]*\)", "", rule.selector)
        if one_element and (match := re.fullmatch(r"\.([\w-]+)((\.|:|\[).*)?", rule.selector)):
            homes.setdefault(match.group(1), set()).add(rule.file)

    assert {name: sorted(files) for name, files in homes.items() if len(files) > 1} == {}


def test_what_is_pushed_sideways_holds_even_what_only_readers_hear():
    """Hidden words are positioned: outside of the box that scrolls they would make the whole page as wide."""
    held = [
        (rule.file, rule.selector)
        for rule in _all()
        if (said := {name: tinycss2.serialize(value).strip() for name, value in rule.declarations})
        and said.get("overflow-x") == "auto"
        and said.get("position") != "relative"
    ]

    assert held == []


def test_every_colour_is_a_name():
    faults = [
        f"{rule.file} {rule.selector} {{{name}: {tinycss2.serialize(value).strip()}}}"
        for rule in _all()
        if rule.layer != "tokens"
        for name, value in rule.declarations
        if _has_colour(name, value)
    ]

    assert faults == []


def _has_colour(name: str, value: list) -> bool:
    for token in value:
        if token.type == "hash" or (token.type == "function" and token.lower_name in COLOUR_FUNCTIONS):
            return True
        if token.type == "function" and token.lower_name == "color-mix":
            if any(_has_colour("color", [one]) for one in token.arguments if one.type in ("hash", "function")):
                return True
        elif token.type == "ident" and name in COLOUR_PROPERTIES and token.lower_value not in NO_COLOURS:
            return True
    return False


def test_a_page_in_arabic_is_mirrored_as_a_whole():
    faults = [
        f"{rule.file} {rule.selector} {{{name}: {tinycss2.serialize(value).strip()}}}"
        for rule in _all()
        for name, value in rule.declarations
        if _is_physical(name, value)
    ]

    assert faults == []


def _is_physical(name: str, value: list) -> bool:
    parts = [part for part in value if part.type != "whitespace"]
    if PHYSICAL.search(name) or (name, tinycss2.serialize(parts[:1])) in PHYSICAL_VALUES:
        return True
    return name in FOUR_SIDES and len(parts) == 4 and parts[1].serialize() != parts[3].serialize()


def test_no_rule_is_dead():
    """Each class is a word of a template, a script, or the Python that chooses it."""
    sources = [*(PROJECT / "templates").rglob("*.html"), *(PROJECT / "static" / "js").glob("*.js")]
    for package in ("accounts", "audit", "b2c", "consent", "directory", "portal", "revocation", "tenants"):
        sources += (PROJECT / package).rglob("*.py")
    words = set(re.findall(r"[\w-]+", " ".join(path.read_text() for path in sources)))
    others = {"errorlist", "htmx-request"}  # Django's and htmx's own
    classes = {name for rule in _all() for name in re.findall(r"\.([a-zA-Z][\w-]*)", rule.selector)}
    made = {f"p-{look}" for look in ("verified", "accepted", "noeffect", "unconfirmed", "failed", "cancelled")}

    assert sorted(classes - words - others - made) == []


@pytest.mark.parametrize("property_", ["margin-left: 1px", "text-align: right", "padding: 1px 2px 3px 4px", "left: 0"])
def test_what_is_physical_is_seen(property_: str):
    (declaration,) = tinycss2.parse_blocks_contents(property_)

    assert _is_physical(declaration.lower_name, declaration.value)


@pytest.mark.parametrize(
    "property_", ["color: red", "background: #fff", "fill: rgb(0 0 0)", "color: color-mix(in srgb, #fff, red)"]
)
def test_a_colour_is_seen(property_: str):
    (declaration,) = tinycss2.parse_blocks_contents(property_)

    assert _has_colour(declaration.lower_name, declaration.value)
