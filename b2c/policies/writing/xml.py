"""Elements made and written out: the same elements are always the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from b2c.policies.elements import NAMESPACE, Element


def el(tag: str, *children: Element | None, text: str = "", **attributes: str) -> Element:
    """An element. Attributes that are empty, and children that are None, are left out."""
    return Element(
        tag, {name: value for name, value in attributes.items() if value}, [one for one in children if one], text
    )


def some(tag: str, *children: Element | None) -> Element | None:
    """A group; None where nothing is in it, because the schema takes no empty ones."""
    return el(tag, *children) if any(children) else None


def written(root: Element, comment: str = "") -> bytes:
    """A policy file."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines += [f"<!-- {comment} -->"] if comment else []
    lines += ["<TrustFrameworkPolicy", f'    xmlns="{NAMESPACE}"']
    lines += [f"    {name}={quoteattr(value)}" for name, value in root.attributes.items()]
    lines[-1] += ">"
    for child in root.children:
        lines += _lines(child, 1)
    return "\n".join([*lines, "</TrustFrameworkPolicy>", ""]).encode()


def lines_of(root: Element) -> list[str]:
    """What a document says, line by line, whatever its own white space and comments."""
    return [f"<TrustFrameworkPolicy PolicyId={quoteattr(root.get('PolicyId'))}>"] + [
        line for child in root.children for line in _lines(child, 1)
    ]


def _lines(element: Element, depth: int) -> Iterator[str]:
    indent = "  " * depth
    start = element.tag + "".join(f" {name}={quoteattr(value)}" for name, value in element.attributes.items())
    text = element.text.strip()
    if element.children:
        yield f"{indent}<{start}>"
        for child in element.children:
            yield from _lines(child, depth + 1)
        yield f"{indent}</{element.tag}>"
    elif text:
        yield f"{indent}<{start}>{escape(text)}</{element.tag}>"
    else:
        yield f"{indent}<{start} />"
