"""Texts: how long what people write may be."""

REASON_LIMIT = 2_000
"""Characters of a reason, a statement or a note."""
