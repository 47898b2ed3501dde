"""Single cells of a file, read strictly: what cannot be stored or makes no sense is refused in words."""

LONGEST_TEXT_CHARACTERS = 200
"""Of a number, a name, a team or a category: what is longer is another column's, and no index would hold it."""

MOST = 10_000
"""No ticket has more support lines or reassignments; a larger number is another column's."""


def short(text: str) -> str:
    """Return a text that may be stored as a key or a name.

    Raises:
        ValueError: it is too long.
    """
    if len(text) > LONGEST_TEXT_CHARACTERS:
        raise ValueError(f"The value has {len(text)} characters; at most {LONGEST_TEXT_CHARACTERS} are taken.")
    return text


def cut(text: str) -> str:
    """Return a title, its white space folded, cut to what is stored."""
    # Only the beginning is looked at: a title of megabytes is cut before it costs anything.
    folded = " ".join(text[: 8 * LONGEST_TEXT_CHARACTERS].split())
    return folded if len(folded) <= LONGEST_TEXT_CHARACTERS else folded[: LONGEST_TEXT_CHARACTERS - 1] + "…"


def whole_number(text: str, *, least: int) -> int:
    """Return a whole number from `least` to `MOST`.

    Raises:
        ValueError: it is none, or out of range.
    """
    # The length is looked at first: turning thousands of digits into a number is refused by Python itself.
    if not text.isascii() or not text.isdigit() or len(text) > len(str(MOST)) or not least <= int(text) <= MOST:
        raise ValueError(f"The value is no whole number from {least} to {MOST}.")
    return int(text)
