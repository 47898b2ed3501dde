"""Where a contract stood, and whose turn it was."""

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    pass
