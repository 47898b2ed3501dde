"""Calendars of providers, sites and contracts."""

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    pass
