"""Whether two files say the same: what a directory gives back may be spelled otherwise than what was uploaded."""

from b2c.policies.elements import Element, PolicyError, parse


def same(one: bytes, other: bytes) -> bool:
    """Byte by byte, or else as elements: comments, indentation, encoding and the order of attributes say nothing."""
    if one == other:
        return True
    try:
        return _flat(parse("", one)) == _flat(parse("", other))
    except PolicyError:
        return False


def _flat(root: Element) -> list[tuple]:
    return [
        (each.tag, sorted(each.attributes.items()), each.text.strip(), len(each.children)) for each in root.everything()
    ]
