"""Texts: how long what people write may be."""

REASON_LIMIT = 2_000
"""Characters of a reason, a statement or what is said on closing something."""

NOTE_LIMIT = 10_000
"""Characters of a note: the minutes of a call fit, a document does not."""

_JOINERS = str.maketrans("", "", "\u200c\u200d")
"""Zero-width joiner and non-joiner, without which names of several scripts cannot be written."""


def is_line(text: str) -> bool:
    """Tell whether a text is one line that can be seen: names, titles and such."""
    seen = text.translate(_JOINERS)
    return seen.isprintable() and not seen.isspace() and (not text or seen != "")
