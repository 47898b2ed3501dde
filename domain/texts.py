"""Texts: how long what people write may be."""

REASON_LIMIT = 2_000
"""Characters of a reason, a statement or what is said on closing something."""

NOTE_LIMIT = 10_000
"""Characters of a note: the minutes of a call fit, a document does not."""
