"""Tickets in full: who has them, waits, resolutions, agreements and agents, and the facts kept of them."""

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Nothing yet."""
