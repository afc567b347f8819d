"""Microsoft's ids as people, addresses and settings bring them."""

from uuid import UUID

OPERATOR = UUID(int=0)  # under which the operator's own sign-ins are recorded: no tenant has it


def id_or_none(text: str) -> UUID | None:
    """The id a text spells, in any of the spellings of a UUID; None where it is something else, such as a name."""
    try:
        return UUID(text)
    except ValueError:
        return None
