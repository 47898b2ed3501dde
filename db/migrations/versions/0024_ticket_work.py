"""What people do with tickets here."""

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Nothing yet."""
